"""What a person asks for, checked before anything is stored."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from deepresearch.model.errors import UsageError

#: Characters of a question at most; longer texts are documents, not questions.
MAX_QUESTION = 10_000


def checked_question(question: str) -> str:
    """The question without white space around it. Raises `UsageError` when it is empty or far too long."""
    text = question.strip()
    if not text or not any(character.isalnum() for character in text):
        raise UsageError("The question is empty. Write it in quotation marks after the command.")
    if len(text) > MAX_QUESTION:
        raise UsageError(
            f"The question has {len(text):,} characters; at most {MAX_QUESTION:,} are taken. "
            "Put the long part into a file and name it with --sources."
        )
    if "\0" in text:
        raise UsageError("The question holds a NUL character. Remove it and ask again.")
    return text.encode("utf-8", "replace").decode("utf-8")


def checked_id(session_id: str) -> str:
    """A session id given by a person. Raises `UsageError` when it could not be a file name."""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    if not 1 <= len(session_id) <= 64 or not set(session_id) <= allowed or session_id.startswith("."):
        raise UsageError(f"{session_id!r} cannot be a session id: use up to 64 letters, digits, '-', '_' or '.'.")
    return session_id


def new_session_id() -> str:
    """An id that sorts by time and cannot be guessed: ``20261128-121500-1f2e3d4c``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
