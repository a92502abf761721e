"""Names that people give to collections."""

from __future__ import annotations

from deepresearch.model.errors import UsageError

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def checked_name(name: str) -> str:
    """The name of a collection. Raises `UsageError` when it could not be a file name."""
    if not 1 <= len(name) <= 64 or not set(name) <= _ALLOWED or name.startswith((".", "-")):
        raise UsageError(f"{name!r} cannot name a collection: use up to 64 letters, digits, '-', '_' or '.'.")
    return name
