"""What a sandbox run tells the operators: one event on a line, and metrics."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

#: Name of the logger and value of `target` in every event: what collectors filter on.
TARGET = "telemetry.sandbox"

STATUSES = ("success", "failure", "timeout")

#: From this many failures in a row an event is at error level.
ERROR_STREAK = 3

_log = logging.getLogger(TARGET)


class SandboxInstruments:
    """The metric instruments of the sandbox, every label value born at zero so that rates see the first failure."""

    def __init__(self) -> None:
        from opentelemetry import metrics

        meter = metrics.get_meter("deepresearch.sandbox")
        self._streak = 0
        self._lock = threading.Lock()
        self._runs = meter.create_counter("telemetry.sandbox.runs", unit="{run}", description="Sandbox runs by status")
        self._duration = meter.create_histogram(
            "telemetry.sandbox.duration", unit="s", description="Wall-clock time of a sandbox run"
        )
        self._outputs = meter.create_counter(
            "telemetry.sandbox.outputs", unit="{output}", description="Files that sandbox runs returned"
        )
        self._alerts = meter.create_counter(
            "math.alerts", unit="{alert}", description="Runs that left a session without its number or figure"
        )
        # No unit: with unit "1" exporters rename the series and the alert on it would never fire.
        meter.create_observable_gauge(
            "telemetry.sandbox.failure_streak",
            callbacks=[self._observe],
            description="Sandbox failures in a row in this process",
        )
        for status in STATUSES:
            self._runs.add(0, {"status": status})
        for reason in ("failure", "timeout"):
            self._alerts.add(0, {"reason": reason})
        self._outputs.add(0)

    def record(self, status: str, duration_s: float, outputs: int, failure_streak: int, alert: bool) -> None:
        """Count one run."""
        with self._lock:
            self._streak = failure_streak
        self._runs.add(1, {"status": status})
        self._duration.record(duration_s, {"status": status})
        self._outputs.add(outputs)
        if alert:
            self._alerts.add(1, {"reason": status})

    def _observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        from opentelemetry.metrics import Observation

        with self._lock:
            return [Observation(self._streak)]


@cache
def instruments() -> SandboxInstruments:
    """The instruments of this process, made on first use."""
    return SandboxInstruments()


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
    instruments().record(status, duration_ms / 1000, outputs, failure_streak, alert)
