"""What a research session tells the operators: when it starts and ends, its steps, how well its claims are supported.

Nothing here holds a question, a quote or a path: events carry ids, counts and times.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deepresearch.telemetry.context import session_context
from deepresearch.telemetry.meters import instruments, meter
from deepresearch.telemetry.traces import span

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation

#: Name of the logger and value of `target` in every event.
TARGET = "telemetry.session"

#: How a session can end.
END_STATES = ("completed", "needs_review", "failed", "cancelled", "interrupted")

SUPPORT_BANDS = ("supported", "partial", "unsupported", "undecided")

#: The stages of a session; what a stage's key holds behind a colon names a part and is no label.
STEPS = ("load", "plan", "index", "read", "compute", "write", "verify", "report")

_log = logging.getLogger(TARGET)


@instruments
class _Instruments:
    """The instruments of sessions, every label value born at zero."""

    def __init__(self) -> None:
        source = meter("deepresearch.session")
        self.running = 0
        self.queued = 0
        self._lock = threading.Lock()
        self.started = source.create_counter(
            "deepresearch.sessions.started", unit="{session}", description="Sessions begun or resumed in this process"
        )
        self.ended = source.create_counter(
            "deepresearch.sessions.ended", unit="{session}", description="Sessions by the state they ended in"
        )
        self.degraded = source.create_counter(
            "deepresearch.sessions.degraded",
            unit="{session}",
            description="Sessions that ended without a number or figure they asked for",
        )
        self.duration = source.create_histogram(
            "deepresearch.session.duration", unit="s", description="Wall-clock time of a session in this process"
        )
        self.steps = source.create_counter(
            "deepresearch.session.steps", unit="{step}", description="Steps of sessions by how they ended"
        )
        self.step_duration = source.create_histogram(
            "deepresearch.session.step.duration", unit="s", description="Wall-clock time of a step"
        )
        self.claims = source.create_counter(
            "deepresearch.claims", unit="{claim}", description="Claims of finished reports by support band"
        )
        source.create_observable_gauge(
            "deepresearch.sessions.running", callbacks=[self._observe], description="Sessions running in this process"
        )
        source.create_observable_gauge(
            "deepresearch.sessions.queued",
            callbacks=[lambda _options: _observed(self.queued)],
            description="Sessions of all users that wait for a worker, as this process last saw it",
        )
        self.started.add(0)
        self.degraded.add(0)
        for state in END_STATES:
            self.ended.add(0, {"state": state})
        for band in SUPPORT_BANDS:
            self.claims.add(0, {"support": band})
        for step in STEPS:
            for outcome in ("success", "failure"):
                self.steps.add(0, {"step": step, "outcome": outcome})

    def add_running(self, change: int) -> None:
        """One session more, or one less."""
        with self._lock:
            self.running = max(0, self.running + change)

    def _observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        return _observed(self.running)


def _observed(value: int) -> Iterable[Observation]:
    from opentelemetry.metrics import Observation

    return [Observation(value)]


def sessions_waiting(count: int) -> None:
    """How long the queue is, told now and then by whoever looks: all processes see the same queue, so take the maximum."""
    _Instruments().queued = count


class SessionSpan:
    """What `running_session` hands out: tell it how the session ended, before the block ends."""

    def __init__(self) -> None:
        self.state: str | None = None
        self.claims: Mapping[str, int] = {}
        self.math_alert_required = False
        self.degradation_note = ""

    def ended(
        self,
        state: str,
        *,
        claims: Mapping[str, int] | None = None,
        math_alert_required: bool = False,
        degradation_note: str | None = "",
    ) -> None:
        """The session's end: a state of `END_STATES`, claims counted by support band, what the report says is missing."""
        self.state = state
        self.claims = claims or {}
        self.math_alert_required = math_alert_required
        self.degradation_note = degradation_note or ""


@contextmanager
def running_session(session_id: str, *, team: str = "") -> Iterator[SessionSpan]:
    """Around everything one process does for one session, begun or resumed.

        with running_session(session_id, team="extractive") as told:
            report = ...
            told.ended("completed", claims={"supported": 4, "partial": 1})

    Emits ``session.started`` and ``session.ended`` (target ``telemetry.session``), counts both, and opens the span
    ``invoke_workflow deepresearch``. Every log line within carries ``session_id``. Without `ended` the state is
    ``failed`` after an error and ``interrupted`` after a cancellation (or the end of the process).
    """
    made = _Instruments()
    told = SessionSpan()
    begun = time.monotonic()
    error_type = ""
    attributes = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "deepresearch",
        "gen_ai.conversation.id": session_id,
    }
    made.started.add(1)
    made.add_running(1)
    with session_context(session_id), span("invoke_workflow deepresearch", attributes) as open_span:
        _log.info("session started", extra={"event_name": "session.started", "session_id": session_id, "team": team})
        try:
            yield told
        except BaseException as error:
            error_type = type(error).__name__
            if told.state is None:
                told.state = "failed" if isinstance(error, Exception) else "interrupted"
            raise
        finally:
            seconds = time.monotonic() - begun
            state = told.state or "interrupted"
            made.add_running(-1)
            made.ended.add(1, {"state": state})
            made.duration.record(seconds, {"state": state})
            for band, count in told.claims.items():
                made.claims.add(count, {"support": band})
            if told.math_alert_required:
                made.degraded.add(1)
            open_span.set_attribute("deepresearch.session.state", state)
            _log.log(
                logging.WARNING if state == "failed" or told.math_alert_required else logging.INFO,
                "session ended",
                extra=_end_fields(session_id, state, seconds, told, error_type),
            )


def _end_fields(session_id: str, state: str, seconds: float, told: SessionSpan, error_type: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "event_name": "session.ended",
        "session_id": session_id,
        "state": state,
        "duration_ms": round(seconds * 1000),
        "claims": sum(told.claims.values()),
        "math.alert_required": told.math_alert_required,
        "math.degradation_note": told.degradation_note,
    }
    fields |= {f"claims.{band}": count for band, count in told.claims.items()}
    if error_type:
        fields["error.type"] = error_type
    return fields


@contextmanager
def session_step(session_id: str, key: str) -> Iterator[None]:
    """Around one step (stage) of a session: counts and times it, and opens the span ``session.step NAME``.

    `key` is the stage's key such as ``plan`` or ``read:Q1``; what stands behind the colon stays out of metrics.
    """
    made = _Instruments()
    name, _, part = key.partition(":")
    attributes = {"gen_ai.conversation.id": session_id, "deepresearch.step": name, "deepresearch.step.part": part}
    begun = time.monotonic()
    outcome = "failure"
    with session_context(session_id), span(f"session.step {name}", attributes):
        try:
            yield
            outcome = "success"
        finally:
            seconds = time.monotonic() - begun
            made.steps.add(1, {"step": name, "outcome": outcome})
            made.step_duration.record(seconds, {"step": name})
            _log.debug(
                "step finished",
                extra={
                    "event_name": "session.step",
                    "session_id": session_id,
                    "step": key,
                    "outcome": outcome,
                    "duration_ms": round(seconds * 1000),
                },
            )
