"""Running queued sessions in the server's own process, so that nothing else has to be started."""

from __future__ import annotations

import asyncio
import logging
import threading

from deepresearch.session.worker import Worker
from deepresearch.settings import Settings

_log = logging.getLogger("deepresearch.api")

#: Seconds before a worker that failed is begun anew.
_PAUSE = 5.0


class Working:
    """A worker on a thread with a loop of its own: what a session computes does not hold up the server's answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._lock = threading.Lock()
        self._current: tuple[asyncio.AbstractEventLoop, Worker] | None = None

    def open(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more sessions; those at work may finish for as long as is set, then they are queued for others."""
        self._closing.set()
        with self._lock:
            if self._current is not None:
                loop, worker = self._current
                loop.call_soon_threadsafe(worker.stop)

    async def close(self) -> None:
        """Stop, and wait until everything is handed over."""
        self.stop()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                asyncio.run(self._work())
            except Exception:
                _log.exception("the worker in this process failed; it begins anew")
                self._closing.wait(_PAUSE)

    async def _work(self) -> None:
        worker = Worker(self._settings)
        with self._lock:
            self._current = asyncio.get_running_loop(), worker
        try:
            if not self._closing.is_set():
                await worker.run()
        finally:
            with self._lock:
                self._current = None
