"""What a sandbox run tells the operators: one event on a line, and metrics."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deepresearch.telemetry.meters import instruments, meter
from deepresearch.telemetry.traces import Span, span

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

#: Name of the logger and value of `target` in every event: what collectors filter on.
TARGET = "telemetry.sandbox"

STATUSES = ("success", "failure", "timeout")

#: Why a run ended without success; the sandbox's own words.
REASONS = (
    "exit",
    "signal",
    "out_of_memory",
    "process_limit",
    "disk_limit",
    "output_limit",
    "missing_output",
    "unavailable",
    "timeout",
)

#: From this many failures in a row an event is at error level.
ERROR_STREAK = 3

_log = logging.getLogger(TARGET)


#: What workers of the pool may be doing, label `state` of `telemetry_sandbox_pool_workers`.
WORKER_STATES = ("ready", "busy")

#: Pools that are open in this process: each gives ready workers, busy workers and waiting requests.
_pools: list[Callable[[], tuple[int, int, int]]] = []


@instruments
class _Instruments:
    """The instruments of the sandbox, every label value born at zero so that rates see the first failure."""

    def __init__(self) -> None:
        source = meter("deepresearch.sandbox")
        self._streak = 0
        self._lock = threading.Lock()
        self._runs = source.create_counter("telemetry.sandbox.runs", unit="{run}", description="Sandbox runs by status")
        self._duration = source.create_histogram(
            "telemetry.sandbox.duration", unit="s", description="Wall-clock time of a sandbox run"
        )
        self._outputs = source.create_counter(
            "telemetry.sandbox.outputs", unit="{output}", description="Files that sandbox runs returned"
        )
        self._alerts = source.create_counter(
            "math.alerts", unit="{alert}", description="Runs that left a session without its number or figure"
        )
        # No unit: with unit "1" exporters rename the series and the alert on it would never fire.
        source.create_observable_gauge(
            "telemetry.sandbox.failure_streak",
            callbacks=[self._observe],
            description="Sandbox failures in a row in this process",
        )
        source.create_observable_gauge(
            "telemetry.sandbox.pool.workers", callbacks=[_observe_workers], description="Workers by what they do"
        )
        source.create_observable_gauge(
            "telemetry.sandbox.pool.waiting", callbacks=[_observe_waiting], description="Requests that wait their turn"
        )
        for status in STATUSES:
            self._runs.add(0, {"status": status})
        for reason in REASONS:
            self._alerts.add(0, {"reason": reason})
        self._outputs.add(0)

    def record(self, status: str, reason: str, duration_s: float, outputs: int, failure_streak: int) -> None:
        """Count one run."""
        with self._lock:
            self._streak = failure_streak
        self._runs.add(1, {"status": status})
        self._duration.record(duration_s, {"status": status})
        self._outputs.add(outputs)
        if status != "success":
            self._alerts.add(1, {"reason": reason})

    def _observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        from opentelemetry.metrics import Observation

        with self._lock:
            return [Observation(self._streak)]


def _observe_workers(_options: CallbackOptions) -> Iterable[Observation]:
    from opentelemetry.metrics import Observation

    counts = [pool() for pool in list(_pools)]
    return [
        Observation(sum(count[place] for count in counts), {"state": state})
        for place, state in enumerate(WORKER_STATES)
    ]


def _observe_waiting(_options: CallbackOptions) -> Iterable[Observation]:
    from opentelemetry.metrics import Observation

    return [Observation(sum(pool()[2] for pool in list(_pools)))]


def watch_pool(counts: Callable[[], tuple[int, int, int]]) -> Callable[[], None]:
    """Show a pool in metrics until the returned function is called.

    `counts` gives how many workers are ready, how many are busy and how many requests wait; it is called from the
    exporter's thread at every collection, so it only reads.
    """
    _pools.append(counts)

    def forget() -> None:
        if counts in _pools:
            _pools.remove(counts)

    return forget


@contextmanager
def sandbox_span(run_id: str, session_id: str | None) -> Iterator[Span]:
    """The span ``execute_tool python_sandbox`` around one run; neither script nor output is recorded."""
    attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "python_sandbox",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": run_id,
        "gen_ai.conversation.id": session_id or "",
    }
    with span("execute_tool python_sandbox", attributes) as opened:
        yield opened


def record_run(
    *,
    status: str,
    reason: str,
    duration_ms: int,
    outputs: int,
    failure_streak: int,
    backend: str,
    run_id: str,
    session_id: str | None = None,
    degradation_note: str = "",
) -> None:
    """Emit the one event of a run and count it.

    `status` is success, failure or timeout. The event is at info level on success, at error level from a
    streak of `ERROR_STREAK`, else at warning level. With a `degradation_note` the event carries
    ``math.alert_required`` true, so that the operator sees which session lost a number.
    """
    if status == "success":
        level = logging.INFO
    else:
        level = logging.ERROR if failure_streak >= ERROR_STREAK else logging.WARNING
    alert = status != "success"
    fields: dict[str, Any] = {
        "event_name": "sandbox.run",
        "status": status,
        "reason": reason,
        "duration_ms": duration_ms,
        "outputs": outputs,
        "failure_streak": failure_streak,
        "backend": backend,
        "run_id": run_id,
        "session_id": session_id,
        "math.alert_required": alert,
        "math.degradation_note": degradation_note,
    }
    _log.log(level, "sandbox execution finished", extra=fields)
    _Instruments().record(status, reason, duration_ms / 1000, outputs, failure_streak)
