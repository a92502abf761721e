"""Running the scripts of a finished session again and comparing what comes out."""

from __future__ import annotations

import math

from deepresearch.model.base import Value
from deepresearch.model.errors import SandboxUnavailable
from deepresearch.model.mathematics import MathRequest, MathResult
from deepresearch.sandbox import Reason, Sandbox, SandboxRequest
from deepresearch.session.archive import Archive
from deepresearch.session.mathematics import TIMEOUT_S, printed_values
from deepresearch.settings import Settings

#: Relative difference below which two printed numbers are the same: other processors round the last bits differently.
_TOLERANCE = 1e-9


class Replayed(Value):
    """One script run again. `note` says what differs, or what was compared."""

    run_id: str
    same: bool
    note: str


async def replay_session(archive: Archive, session_id: str, settings: Settings) -> list[Replayed]:
    """Run every script of the session again, in order. Raises `SandboxUnavailable` without a sandbox."""
    requests = [MathRequest.model_validate(one) for one in archive.store.result(session_id, "compute") or []]
    outcomes: list[Replayed] = []
    if not requests:
        return outcomes
    async with Sandbox.open(settings) as sandbox:
        for request in requests:
            stored = archive.store.result(session_id, f"compute:{request.id}")
            if stored is None:
                continue
            before = MathResult.model_validate(stored)
            result = await sandbox.run(
                SandboxRequest(
                    script=before.script or request.script,
                    files={name: text.encode() for name, text in request.files.items()},
                    expects=request.expects,
                    timeout=TIMEOUT_S,
                    session_id=session_id,
                )
            )
            if result.reason is Reason.UNAVAILABLE:
                raise SandboxUnavailable(result.message)
            values, _ = printed_values(result.stdout)
            hashes = {output.path: output.sha256 for output in result.outputs}
            outcomes.append(_compare(before, str(result.status), values, hashes))
    return outcomes


def _compare(before: MathResult, status: str, values: dict[str, float | str], hashes: dict[str, str]) -> Replayed:
    if status != before.status:
        return Replayed(run_id=before.run_id, same=False, note=f"ended with {status}, then with {before.status}")
    differing = [name for name, value in before.values.items() if not _equal(value, values.get(name))]
    if differing:
        return Replayed(run_id=before.run_id, same=False, note=f"other values: {', '.join(differing)}")
    changed = [one.name for one in before.artefacts if hashes.get(one.name) != one.sha256]
    if changed:
        return Replayed(run_id=before.run_id, same=False, note=f"other files: {', '.join(changed)}")
    return Replayed(
        run_id=before.run_id,
        same=True,
        note=f"{len(before.values)} values and {len(before.artefacts)} files compared",
    )


def _equal(one: float | str, other: float | str | None) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_TOLERANCE, abs_tol=1e-12)
    return one == other
