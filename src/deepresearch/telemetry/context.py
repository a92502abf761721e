"""What every log line within a block carries without being told: the session it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_session: ContextVar[str | None] = ContextVar("deepresearch_session", default=None)


@contextmanager
def session_context(session_id: str) -> Iterator[None]:
    """Within the block, in this task and the tasks and threads started from it, log lines carry this session's id."""
    token = _session.set(session_id)
    try:
        yield
    finally:
        _session.reset(token)


def current_session() -> str | None:
    """The session that the running task works for, None outside of one."""
    return _session.get()
