"""Ending things that may hang: a push to a dead endpoint must not keep a program from ending."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger("deepresearch.telemetry")


def finish_within(seconds: float, work: Callable[[], object], *, what: str) -> bool:
    """Do `work` on a thread of its own and wait `seconds` (and half a second) for it; whether it ended in time.

    Never raises: what `work` raises is logged. A thread that hangs on does not keep the process alive.
    """
    finished = threading.Event()

    def run() -> None:
        try:
            work()
        except Exception as error:
            _log.warning("%s were not flushed: %s", what, error)
        finally:
            finished.set()

    threading.Thread(target=run, name=f"telemetry-end-{what}", daemon=True).start()
    if finished.wait(seconds + 0.5):
        return True
    _log.warning("%s were not flushed within %.1f s; going on without", what, seconds)
    return False
