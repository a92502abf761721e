"""The sandbox as callers see it: open it, run scripts, close it."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from deepresearch.model.errors import InvalidSandboxRequest, SandboxError, SandboxUnavailable
from deepresearch.sandbox import endings
from deepresearch.sandbox.backend import Backend, Evidence, Leftovers
from deepresearch.sandbox.backends import choose
from deepresearch.sandbox.contract import Reason, SandboxRequest, SandboxResult, Status, Usage
from deepresearch.sandbox.endings import Verdict
from deepresearch.sandbox.pool import Pool, PoolOptions, ReadyWorker
from deepresearch.sandbox.protocol import ChannelBroken, ChannelClosed
from deepresearch.sandbox.recording import Listener, Recording
from deepresearch.sandbox.requests import check
from deepresearch.settings import Settings
from deepresearch.telemetry.sandbox import record_run, sandbox_span, watch_pool

#: After the script's time is up its worker has this long to hand out what there is; then it is ended as it stands.
GRACE_SECONDS = 0.5

_log = logging.getLogger(__name__)

Recorder = Callable[[SandboxResult, SandboxRequest], None]


def record(result: SandboxResult, request: SandboxRequest) -> None:
    """Tell telemetry of a run: one event, and the counters."""
    record_run(
        status=result.status.value,
        reason=result.reason.value,
        duration_ms=result.duration_ms,
        outputs=len(result.outputs),
        failure_streak=result.failure_streak,
        backend=result.backend,
        run_id=result.run_id,
        session_id=request.session_id,
        degradation_note=result.message,
    )


class Sandbox:
    """Runs scripts one per worker, several at once, each waiting its turn.

    Open it with ``async with Sandbox.open() as sandbox``. `run` never raises for anything a script, a request or a back
    end does: what happened is in the result.
    """

    def __init__(self, backends: Sequence[Backend], pool: PoolOptions, recorder: Recorder = record) -> None:
        self._backends = list(backends)
        self._pool_options = pool
        self._recorder = recorder
        self._pool: Pool | None = None
        self._why_not = ""
        self._streak = 0
        self._unwatch: Callable[[], None] = lambda: None

    @classmethod
    def open(
        cls,
        settings: Settings | None = None,
        *,
        backend: str | None = None,
        pool: PoolOptions | None = None,
        recorder: Recorder = record,
    ) -> Sandbox:
        """A sandbox for ``async with``. Raises `UsageError` for a back end nobody knows.

        `backend` overrides the settings: auto, docker or bubblewrap. `recorder` is called once at the end of each run.
        """
        settings = settings or Settings()
        return cls(choose(backend or settings.sandbox_backend, settings), pool or PoolOptions(), recorder)

    async def __aenter__(self) -> Sandbox:
        """Find a back end, sweep what dead programs left, begin to warm up. Never raises for a missing back end."""
        reasons = []
        for backend in self._backends:
            try:
                await backend.check()
            except SandboxUnavailable as missing:
                reasons.append(str(missing))
                continue
            try:
                await backend.reap()
            except SandboxError as stays:
                # What a dead program left is no reason not to work; it is tried again at the next start.
                _log.warning("%s", stays)
            self._pool = Pool(backend, self._pool_options)
            self._pool.start()
            self._unwatch = watch_pool(self._pool.counts)
            return self
        self._why_not = " ".join(reasons)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every worker and wait until nothing is left."""
        self._unwatch()
        if self._pool is not None:
            await self._pool.stop()
        for backend in self._backends:
            await backend.close()

    @property
    def backend(self) -> str:
        """The name of the back end in use, "none" without one."""
        return self._pool.backend.name if self._pool is not None else "none"

    @property
    def failure_streak(self) -> int:
        """How many runs have failed in a row."""
        return self._streak

    @property
    def pool(self) -> Pool | None:
        """The pool of workers, None without a back end."""
        return self._pool

    async def run(
        self,
        request: SandboxRequest,
        *,
        on_stdout: Listener | None = None,
        on_stderr: Listener | None = None,
        on_queue: Callable[[int], None] | None = None,
    ) -> SandboxResult:
        """Run one script to its end.

        `on_stdout` and `on_stderr` get text as it comes; `on_queue` gets the place in the queue, 1 being next, each
        time it changes, and 0 when the turn has come. Cancelling ends the script. Returns within the timeout plus a
        second of the moment the script started.
        """
        run_id = request.run_id or uuid.uuid4().hex
        run = _Run(self, request, run_id, on_stdout, on_stderr)
        try:
            check(request)
        except InvalidSandboxRequest as invalid:
            refused = run.result(Verdict(Status.FAILURE, Reason.INVALID_REQUEST, str(invalid)))
            return refused.model_copy(update={"failure_streak": self._streak})
        if self._pool is None:
            return self._record(run.result(endings.unavailable(self._why_not)), request)
        started = time.monotonic()
        with sandbox_span(run_id, request.session_id) as span:
            try:
                async with self._pool.turn(on_queue):
                    run.timings["queue"] = time.monotonic() - started
                    verdict = await run.perform(self._pool)
            except SandboxError as broken:
                verdict = endings.unavailable(str(broken))
            span.set_attribute("deepresearch.sandbox.status", verdict.status.value)
            return self._record(run.result(verdict), request)

    def _record(self, result: SandboxResult, request: SandboxRequest) -> SandboxResult:
        self._streak = 0 if result.status is Status.SUCCESS else self._streak + 1
        result = result.model_copy(update={"failure_streak": self._streak})
        self._recorder(result, request)
        return result

    async def reap(self) -> Leftovers:
        """Remove what dead programs left behind, on every back end that is there."""
        found = Leftovers()
        for backend in self._backends:
            left = await backend.reap()
            found = Leftovers(found.workers + left.workers, found.cgroups + left.cgroups, found.folders + left.folders)
        return found


class _BrokenWorker(Exception):
    """A worker ended before it had started its script: the sandbox's failure."""


class _Run:
    """One request on its way."""

    def __init__(
        self,
        sandbox: Sandbox,
        request: SandboxRequest,
        run_id: str,
        on_stdout: Listener | None,
        on_stderr: Listener | None,
    ) -> None:
        self._sandbox = sandbox
        self._request = request
        self._run_id = run_id
        self._listeners = (on_stdout, on_stderr)
        self._recording = Recording(request, request.effective_limits())
        self._evidence = Evidence()
        self._cpu_before = 0
        self._enforced: dict[str, Any] = {}
        self._duration = 0.0
        self.timings: dict[str, float] = {}

    async def perform(self, pool: Pool) -> Verdict:
        """Take a worker, let it run, end it. A worker that breaks before the script started is replaced once."""
        try:
            return await self._attempt(pool)
        except _BrokenWorker:
            self._recording = Recording(self._request, self._request.effective_limits())
        try:
            return await self._attempt(pool)
        except _BrokenWorker as broken:
            return endings.unavailable(str(broken))

    async def _attempt(self, pool: Pool) -> Verdict:
        begin = time.monotonic()
        async with pool.worker(self._request.profile, self._request.effective_limits()) as ready:
            self.timings["worker"] = time.monotonic() - begin
            self._enforced = dict(ready.worker.enforced) | {"landlock": ready.hello.get("landlock")}
            before = await ready.worker.evidence()
            self._cpu_before = before.cpu_ms or 0
            begin = time.monotonic()
            verdict = await self._watch(ready)
            self._duration = time.monotonic() - begin
            self._evidence = await ready.worker.evidence()
            begin = time.monotonic()
        self.timings["kill"] = time.monotonic() - begin
        if pool.stopped and self._recording.ending is None:
            return endings.unavailable("The sandbox was closed while the script ran.")
        await self._recording.inspect_outputs()
        return verdict or self._verdict()

    async def _watch(self, ready: ReadyWorker) -> Verdict | None:
        """Send the job and take in what comes. None when the evidence has to be asked first."""
        loop = asyncio.get_running_loop()
        urging = loop.call_later(self._request.timeout, ready.worker.urge)
        try:
            async with asyncio.timeout(self._request.timeout + GRACE_SECONDS):
                await ready.channel.send_job(self._request)
                await self._recording.take_all(ready.channel, *self._listeners)
        except TimeoutError:
            return endings.timed_out(self._request.timeout)
        except (ChannelClosed, ChannelBroken, ConnectionError) as broken:
            if not self._recording.started:
                why = await ready.worker.diagnosis() or str(broken) or "it ended without a word"
                raise _BrokenWorker(f"A sandbox worker broke before the script started: {why}.") from broken
            self._recording.ending = None
        finally:
            urging.cancel()
        return None

    def _verdict(self) -> Verdict:
        if self._recording.ending is None:
            return endings.lost(self._evidence)
        return endings.judge(self._recording, self._evidence)

    def result(self, verdict: Verdict) -> SandboxResult:
        """The result as it is handed out."""
        recording = self._recording
        ending = recording.ending or {}
        self.timings["script"] = float(ending.get("wall_ms") or 0.0) / 1000
        truncated = [name for name in ("stdout", "stderr") if getattr(recording, name).dropped]
        return SandboxResult(
            run_id=self._run_id,
            backend=self._sandbox.backend,
            status=verdict.status,
            reason=verdict.reason,
            exit_code=verdict.exit_code,
            signal=verdict.signal,
            duration_ms=round(self._duration * 1000),
            stdout=recording.stdout.text(),
            stderr=recording.stderr.text(),
            truncated=tuple(truncated),
            outputs=tuple(recording.outputs),
            rejected=tuple(recording.rejected),
            usage=self._usage(ending),
            enforced=self._enforced,
            message=verdict.message,
            timings=self.timings,
        )

    def _usage(self, ending: dict[str, Any]) -> Usage:
        if self._evidence.cpu_ms is not None:
            cpu: int | None = max(0, self._evidence.cpu_ms - self._cpu_before)
        else:
            cpu = ending.get("cpu_ms") if isinstance(ending.get("cpu_ms"), int) else None
        peak = self._evidence.peak_memory_bytes
        if peak is None and isinstance(ending.get("peak_memory_bytes"), int):
            peak = ending["peak_memory_bytes"]
        return Usage(cpu_ms=cpu, peak_memory_bytes=peak)
