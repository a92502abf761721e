"""Who decided what in a session, as one chain of steps, from its events alone: for every cast and at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepresearch.model.base import Value
from deepresearch.model.session import SessionEvent, SessionRecord
from deepresearch.session.archive import Archive
from deepresearch.session.model_calls import ModelCall, ModelCalls


class Decision(Value):
    """One decision within a step: `role` is who took it (``gate`` is the program's own check), `what` in a few words."""

    role: str
    what: str
    model: str | None
    detail: dict[str, Any]


class TracedCalls(Value):
    """The calls of one model in one role within a step."""

    role: str
    model: str
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int


class TracedStep(Value):
    """One stage of a session. `part` is what it was for (``S1``, ``M-S1``), empty when it stands for all.

    `state` is ``finished``, or ``begun`` when its end is not stored. `result` is what its event told.
    """

    stage: str
    part: str
    state: str
    seconds: float | None
    result: dict[str, Any]
    decisions: tuple[Decision, ...] = ()
    calls: tuple[TracedCalls, ...] = ()

    @property
    def name(self) -> str:
        """The stage with its part."""
        return f"{self.stage}:{self.part}" if self.part else self.stage


class Trace(Value):
    """A session's steps in the order in which they began, and what the cast had to admit."""

    session_id: str
    question: str
    team: str
    state: str
    steps: tuple[TracedStep, ...]
    limits: tuple[str, ...]


def trace_session(archive: Archive, session_id: str) -> Trace:
    """The trace of a stored session, finished or not. Raises `UnknownSessionError`."""
    record = archive.session(session_id)
    return trace_of(record, archive.events(session_id), ModelCalls(archive.store, session_id).calls())


def trace_of(record: SessionRecord, events: Sequence[SessionEvent], calls: Sequence[ModelCall]) -> Trace:
    """The trace of a session. A stage that was interrupted and done again is one step."""
    finished: dict[str, dict[str, Any]] = {}
    limits: list[str] = []
    for event in events:
        if event.kind == "stage.finished":
            finished[str(event.data["stage"])] = {key: value for key, value in event.data.items() if key != "stage"}
        elif event.kind == "team.limit":
            limits.append(str(event.data["text"]))
    order = list(dict.fromkeys(str(event.data["stage"]) for event in events if event.kind == "stage.started"))
    decisions: dict[str, list[Decision]] = {}
    for event in events:
        if event.kind == "team.decided":
            decisions.setdefault(_stage(str(event.data["step"]), order), []).append(_decision(event.data))
    paid: dict[str, list[ModelCall]] = {}
    for call in calls:
        paid.setdefault(_stage(call.step, order), []).append(call)
    return Trace(
        session_id=record.id,
        question=record.options.question,
        team=record.options.team,
        state=record.state,
        steps=tuple(_traced(name, finished.get(name), decisions.get(name, []), paid.get(name, [])) for name in order),
        limits=tuple(dict.fromkeys(limits)),
    )


def _stage(step: str, order: Sequence[str]) -> str:
    """The stage to which a call or a decision belongs.

    ``read:S1/3f2a`` is the reading of S1; ``write:S1`` is a part of the writing, which is one stage for all.
    """
    stage = step.partition("/")[0]
    return stage if stage in order else stage.partition(":")[0]


def _traced(
    name: str, told: dict[str, Any] | None, decisions: Sequence[Decision], calls: Sequence[ModelCall]
) -> TracedStep:
    stage, _, part = name.partition(":")
    result = dict(told or {})
    seconds = result.pop("seconds", None)
    return TracedStep(
        stage=stage,
        part=part,
        state="begun" if told is None else "finished",
        seconds=seconds,
        result=result,
        decisions=tuple(decisions),
        calls=tuple(_summed(calls)),
    )


def _decision(data: dict[str, Any]) -> Decision:
    detail = {key: value for key, value in data.items() if key not in ("step", "role", "what", "model")}
    return Decision(role=str(data["role"]), what=str(data["what"]), model=data.get("model"), detail=detail)


def _summed(calls: Sequence[ModelCall]) -> list[TracedCalls]:
    summed: dict[tuple[str, str], list[ModelCall]] = {}
    for call in calls:
        summed.setdefault((call.role, call.model), []).append(call)
    return [
        TracedCalls(
            role=role,
            model=model,
            calls=len(own),
            failed=sum(call.status != "answered" for call in own),
            input_tokens=sum(call.input_tokens or 0 for call in own),
            output_tokens=sum(call.output_tokens or 0 for call in own),
        )
        for (role, model), own in summed.items()
    ]
