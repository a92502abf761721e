"""Long work from a command that Ctrl-C ends within moments."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

from deepresearch.cli.failures import INTERRUPTED

Result = TypeVar("Result")

#: Seconds the work gets to end by itself, which also ends the processes that read files for it.
_GRACE = 0.6


def finish_or_stop(work: Callable[[threading.Event], Result], how_to_go_on: str) -> Result:
    """Do `work` on a thread of its own and give its result; on SIGINT or SIGTERM say `how_to_go_on` and end.

    The event is set when it has to stop. Work that does not stop at once is cut off as by a kill: only for what
    survives that. Raises what the work raised.
    """
    stop = threading.Event()
    finished = threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work(stop))
        except BaseException as error:
            errors.append(error)
        finally:
            finished.set()

    def end(number: int, _frame: FrameType | None) -> None:
        stop.set()
        finished.wait(_GRACE)
        restore = "\r\x1b[K\x1b[?25h" if sys.stderr.isatty() else ""
        os.write(2, f"{restore}deepresearch: interrupted. {how_to_go_on}\n".encode())
        os._exit(INTERRUPTED if number == signal.SIGINT else 128 + number)

    former = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        thread = threading.Thread(target=run, name="work", daemon=True)
        thread.start()
        while not finished.wait(0.2):
            pass
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    if errors:
        raise errors[0]
    return results[0]


class _Interrupted(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def finish_or_clean_up(work: Callable[[], Result], said: str) -> Result:
    """Do `work` and give its result; on SIGINT or SIGTERM leave it through its own clean-up, say `said` and end.

    For work that leaves nothing behind and whose calls into libraries are short: the first signal is heeded after such
    a call, further ones are not heeded at all.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for one in former:
            signal.signal(one, signal.SIG_IGN)
        raise _Interrupted(number)

    former = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return work()
    except _Interrupted as interrupted:
        sys.stderr.write(f"deepresearch: interrupted. {said}\n")
        sys.exit(INTERRUPTED if interrupted.number == signal.SIGINT else 128 + interrupted.number)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
