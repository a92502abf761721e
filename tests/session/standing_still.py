"""A process held still at a moment that is wanted, so that no test has to win a race against it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

#: Seconds that a process goes on between two looks at what it has done.
_STEP = 0.01


@contextmanager
def standing_still(process: subprocess.Popen[str], database: Path, wanted: Callable[[], bool]) -> Iterator[None]:
    """Stop `process` at the first moment seen at which it is not inside a write and `wanted()` holds; let it go on after.

    A process that stands still inside a write keeps everybody else from writing, which is another case.
    """
    try:
        while True:
            assert process.poll() is None, "it ended before the moment that was waited for"
            process.send_signal(signal.SIGSTOP)
            # The signal is sent before it is heard: until the process stands, it may begin a write.
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            if _writable(database) and wanted():
                break
            process.send_signal(signal.SIGCONT)
            time.sleep(_STEP)
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def _writable(database: Path) -> bool:
    """Whether nobody is inside a write."""
    if not database.exists():
        return False
    with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
    return True
