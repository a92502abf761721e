"""Computations of a session: run a request, keep its outputs, say honestly what is missing when it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from deepresearch.model.mathematics import Artefact, MathRequest, MathResult, MathStatus, MathSummary
from deepresearch.sandbox import Reason, SandboxRequest, SandboxResult
from deepresearch.session.patience import patiently
from deepresearch.session.store import Store
from deepresearch.team.protocol import MathOutcome
from deepresearch.team.wording import decimals

RunRequest = Callable[[SandboxRequest], Awaitable[SandboxResult]]

#: Seconds a report's script may take.
TIMEOUT_S = 60.0


async def run(
    request: MathRequest,
    run_id: str,
    session_id: str,
    sandbox: RunRequest,
    store: Store,
    patience: float = 0.0,
) -> tuple[MathResult, str]:
    """Run one request under the run's own id. Whatever happens is a result; its note is empty on success.

    Beside the result comes what the script wrote about its failure, empty on success. A database that is away when the run has ended is waited for `patience` seconds: the run is not made twice.
    """
    result = await sandbox(
        SandboxRequest(
            script=request.script,
            files={name: text.encode() for name, text in request.files.items()},
            expects=request.expects,
            timeout=TIMEOUT_S,
            session_id=session_id,
            run_id=run_id,
        )
    )
    status = MathStatus(result.status)
    values, trouble = printed_values(result.stdout) if status is MathStatus.SUCCESS else ({}, "")
    if trouble:
        status = MathStatus.FAILURE
    artefacts = await patiently(lambda: asyncio.to_thread(_keep, result, session_id, store), patience)
    done = MathResult(
        request_id=request.id,
        run_id=run_id,
        status=status,
        reason=result.reason if not trouble else "exit",
        note="" if status is MathStatus.SUCCESS else _note(request, result, trouble),
        values=values,
        artefacts=artefacts,
        duration_ms=result.duration_ms,
        backend=result.backend,
    )
    return done, "" if status is MathStatus.SUCCESS else _error(result, trouble)


def was_the_scripts_fault(result: MathResult) -> bool:
    """Whether another script could help: the sandbox worked and the script failed, or told nothing."""
    return result.status is not MathStatus.SUCCESS and result.reason not in (Reason.UNAVAILABLE, Reason.INVALID_REQUEST)


def _error(result: SandboxResult, trouble: str) -> str:
    told = [trouble and f"The program ended well, but {trouble}.", result.message, result.stderr[-3000:]]
    return "\n".join(part for part in told if part)


def outcome_of(request: MathRequest, result: MathResult) -> MathOutcome:
    """A request with its result; with the script that ran, where that was mended."""
    ran = request if result.script is None else request.model_copy(update={"script": result.script})
    return MathOutcome(request=ran, result=result)


def _keep(result: SandboxResult, session_id: str, store: Store) -> tuple[Artefact, ...]:
    artefacts = tuple(
        Artefact(
            name=output.path, media_type=output.media_type, size=output.size, sha256=store.blobs.put(output.content)
        )
        for output in result.outputs
    )
    store.add_artefacts(session_id, artefacts)
    return artefacts


def summary(outcomes: Sequence[MathOutcome]) -> MathSummary:
    """The state of all computations of a session: the worst one decides."""
    results = [outcome.result for outcome in outcomes]
    failed = [result for result in results if result.status is not MathStatus.SUCCESS]
    status = MathStatus.SKIPPED if not results else failed[0].status if failed else MathStatus.SUCCESS
    return MathSummary(
        status=status,
        alert_required=bool(failed),
        degradation_note=" ".join(dict.fromkeys(result.note for result in failed)),
        runs=tuple(result.run_id for result in results),
    )


def shown_values(outcome: MathOutcome) -> dict[str, float | str]:
    """The few numbers of a run that stand beside its figure, rounded one digit beyond what the documents write."""
    values = outcome.result.values
    shown: dict[str, float | str] = {}
    for number, series in enumerate(outcome.request.series, start=1):
        mine = {key.partition(".")[2]: value for key, value in values.items() if key.startswith(f"s{number}.")}
        if not mine:
            continue
        name = f"{series.name}, " if len(outcome.request.series) > 1 else ""
        digits = decimals(series.points) + 1
        if series.axis in ("year", "quarter", "month"):
            shown[f"{name}{mine['first_label']}"] = mine["first"]
            shown[f"{name}{mine['last_label']}"] = mine["last"]
            kept = [("change", digits - 1), ("change_percent", 1), ("mean", digits)]
        else:
            kept = [("sum", digits - 1), ("mean", digits)]
        for key, places in kept:
            if isinstance(value := mine.get(key), float):
                shown[f"{name}{key}"] = round(value, places)
    return shown


def printed_values(stdout: str) -> tuple[dict[str, float | str], str]:
    """The last line of the output as a flat JSON object of numbers and words, else what is wrong with it."""
    lines = stdout.strip().splitlines()
    try:
        parsed: Any = json.loads(lines[-1]) if lines else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return {}, "it printed no results"
    good = {
        str(key): value if isinstance(value, str) else float(value)
        for key, value in parsed.items()
        if isinstance(value, int | float | str) and not isinstance(value, bool)
    }
    return good, ""


def _note(request: MathRequest, result: SandboxResult, trouble: str) -> str:
    """What a reader has to know: which number or figure is missing, and why."""
    why = trouble or result.message.rstrip(".") or f"the run ended with {result.reason.replace('_', ' ')}"
    last = result.stderr.strip().splitlines()
    detail = f" ({last[-1][:200]})" if last and result.reason == Reason.EXIT else ""
    return f"“{request.title}” was not computed: {why}{detail}."
