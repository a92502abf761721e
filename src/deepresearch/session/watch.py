"""The thread that keeps this process's sessions its own, and hears when somebody cancels one."""

from __future__ import annotations

import logging
import threading
import time

from deepresearch.session.claims import Claims
from deepresearch.session.leases import Lease
from deepresearch.session.patience import reason
from deepresearch.session.run import Run
from deepresearch.session.sweeping import Sweeper

_log = logging.getLogger(__name__)

#: Seconds between two looks at the sessions' rows: somebody who cancels waits for it.
_LOOK = 0.2

#: Seconds between two signs of life.
_BEAT = 1.0


class Watch:
    """Holds the lease and passes on what other processes want of the runs. It is a thread of its own, so that a stage
    that is busy with numbers delays neither.

    With a `sweeper`, set before it starts, it also looks after the sessions of dead processes, once a second.
    """

    def __init__(self, lease: Lease, claims: Claims) -> None:
        self._lease = lease
        self._claims = claims
        self.sweeper: Sweeper | None = None
        self._runs: dict[str, Run] = {}
        self._mutex = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Show life from now on. Raises when it cannot be shown even once."""
        if self._thread is None:
            self._lease.hold()
            self._thread = threading.Thread(target=self._work, name="deepresearch-watch", daemon=True)
            self._thread.start()

    def add(self, run: Run) -> None:
        """Watch over this run, which this process has claimed."""
        with self._mutex:
            self._runs[run.session_id] = run

    def remove(self, run: Run) -> None:
        """Watch over it no longer."""
        with self._mutex:
            self._runs.pop(run.session_id, None)

    def close(self) -> None:
        """Show life no longer."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._lease.close()

    def _work(self) -> None:
        beat = time.monotonic() + _BEAT
        silent = False
        while not self._stop.wait(_LOOK):
            try:
                if time.monotonic() >= beat:
                    if not self._lease.hold():
                        _log.warning("the lock that shows this process alive had been lost")
                    if self.sweeper is not None:
                        self.sweeper.sweep()
                    beat = time.monotonic() + _BEAT
                self._look()
                silent = False
            except Exception as error:
                # Whatever it is, the sessions go on: each of them meets the database itself.
                if not silent:
                    _log.warning("the session database does not answer: %s", reason(error))
                silent = True
                if self.sweeper is not None:
                    self.sweeper.forget()

    def _look(self) -> None:
        with self._mutex:
            runs = dict(self._runs)
        if not runs:
            return
        mine = self._claims.mine(self._lease.executor)
        for session_id, run in runs.items():
            if session_id not in mine:
                with self._mutex:
                    still = self._runs.get(session_id) is run
                if still:
                    run.lose()
            elif mine[session_id]:
                run.cancel()
