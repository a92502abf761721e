"""A session's run as telemetry sees it: begun, ended, how well its claims are supported, what is missing from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from deepresearch.model.report import Report
from deepresearch.telemetry.sessions import running_session


async def observed(session_id: str, team: str, work: Awaitable[None], finished: Callable[[], Report | None]) -> None:
    """Await `work`, the run of a session, and tell telemetry of its start and end.

    `finished` gives the report once there is one. What `work` raises passes through.
    """
    with running_session(session_id, team=team) as told:
        await work
        report = finished()
        if report is not None:
            told.ended(
                report.status.value,
                claims=Counter(claim.support.value for claim in report.claims),
                math_alert_required=report.math.alert_required,
                degradation_note=report.math.degradation_note,
            )
