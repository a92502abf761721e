"""Errors as a person reads them: one or two sentences and an exit code, a traceback only with ``--debug``."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from deepresearch.model.errors import DeepResearchError

#: Exit code after Ctrl-C, as shells expect it.
INTERRUPTED = 130


def debug_wanted() -> bool:
    """Whether ``--debug`` (or ``DEEPRESEARCH_DEBUG=1``) asks for tracebacks."""
    return os.environ.get("DEEPRESEARCH_DEBUG", "") not in ("", "0")


def explain_failure(error: BaseException) -> tuple[str, int]:
    """The sentence for an error and the exit code of the command."""
    if isinstance(error, DeepResearchError):
        return str(error), error.exit_code
    if _disk_is_full(error):
        return (
            "The disk is full. What was finished is kept: make room, then go on with "
            "`deepresearch sessions list` and `deepresearch sessions resume ID`.",
            1,
        )
    if type(error).__module__.startswith("sqlalchemy."):
        said = (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
        return f"The session database does not answer: {said}. What was finished is kept; try again when it does.", 1
    if isinstance(error, PermissionError):
        return f"No permission for {error.filename}. Choose a place you may write, or change its rights.", 1
    if isinstance(error, UnicodeDecodeError) and _env_is_no_text():
        return "The file .env in this folder is no UTF-8 text. Save it as UTF-8, or move it away.", 2
    if type(error).__name__ == "ValidationError":
        first = str(error).splitlines()
        return f"A setting or argument has a wrong value: {' '.join(line.strip() for line in first[1:3])}", 2
    return f"Unexpected {type(error).__name__}: {error}. Run again with --debug to see where.", 1


def _env_is_no_text() -> bool:
    try:
        Path(".env").read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return True
    except OSError:
        pass
    return False


def _disk_is_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "disk is full" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
