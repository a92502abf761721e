"""What an answer of a server means: a value, one of our errors, or a reason to try again."""

from __future__ import annotations

import httpx

from deepresearch.model import errors
from deepresearch.model.errors import DeepResearchError, QueueFullError, ServerError, ServerUnreachableError, UsageError

_KINDS: dict[str, type[DeepResearchError]] = {
    "unknown-session": errors.UnknownSessionError,
    "session-busy": errors.SessionBusyError,
    "session-state": errors.SessionStateError,
    "no-readable-source": errors.NoReadableSourceError,
    "indexing": errors.IndexingError,
    "storage": errors.StorageError,
    "invalid-sandbox-request": errors.InvalidSandboxRequest,
    "sandbox-unavailable": errors.SandboxUnavailable,
}

#: Answers after which the same request may well succeed.
PASSING = frozenset({502, 503, 504})


def error_of(answer: httpx.Response) -> DeepResearchError:
    """The error that an answer beyond 399 is: of the same class, and so the same exit code, as on this machine."""
    try:
        problem = answer.json()
        detail, kind = str(problem["detail"]), str(problem["type"]).rpartition(":")[2]
        exit_code = int(problem.get("exit_code", 1))
    except (ValueError, KeyError, TypeError):
        return ServerUnreachableError(
            f"{answer.request.url.copy_with(path='/', query=None)} answers {answer.status_code} in a way this product "
            "never does. Check the address given with --server.",
            answer.status_code,
        )
    if kind == "queue-full":
        return QueueFullError(detail, retry_after(answer) or 30)
    if kind in _KINDS:
        return _KINDS[kind](detail)
    if exit_code == UsageError.exit_code:
        return UsageError(detail)
    return ServerError(detail, answer.status_code, kind)


def unreachable(base: str, error: httpx.HTTPError | httpx.InvalidURL) -> ServerUnreachableError:
    """The error of a request that got no answer at all."""
    reason = str(error).strip() or type(error).__name__
    return ServerUnreachableError(
        f"No answer from {base}: {reason}. Start one with `deepresearch serve`, or check --server."
    )


def retry_after(answer: httpx.Response) -> int | None:
    """The seconds an answer asks to wait."""
    header = answer.headers.get("Retry-After", "")
    return int(header) if header.isascii() and header.isdigit() else None
