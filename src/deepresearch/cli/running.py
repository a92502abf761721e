"""Running a session from a command: Ctrl-C stops at once, and the result is shown."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from types import FrameType

import typer

from deepresearch.cli.failures import INTERRUPTED
from deepresearch.cli.terminal import printable
from deepresearch.model.report import Report, ReportStatus
from deepresearch.model.session import SessionEvent
from deepresearch.session.progress import Count, Listener, Silent
from deepresearch.settings import Settings
from deepresearch.telemetry.programs import telemetry_of_command

_EXIT_CODES = {
    ReportStatus.COMPLETED: 0,
    ReportStatus.NEEDS_REVIEW: 3,
    ReportStatus.FAILED: 1,
    ReportStatus.CANCELLED: 1,
}


class Watched:
    """Passes everything on and remembers whether anything is stored that could be resumed."""

    def __init__(self) -> None:
        self.begun = False
        self._listener: Listener = Silent()

    def through(self, listener: Listener) -> Listener:
        """The listener to hand to the session."""
        self._listener = listener
        return self

    def event(self, event: SessionEvent) -> None:
        """Remember and pass on."""
        self.begun = True
        self._listener.event(event)

    def count(self, count: Count) -> None:
        """Pass on."""
        self._listener.count(count)


def run_interruptibly(work: Callable[[Watched], Awaitable[Report]], session_id: str, *, begun: bool = False) -> Report:
    """Run `work`; on SIGINT or SIGTERM say how to go on and end within moments.

    Everything finished is stored already and sandbox workers die with this process, so nothing is waited for.
    `begun` says that the session exists before `work` does.
    """
    watched = Watched()

    def stop(number: int, _frame: FrameType | None) -> None:
        restore = "\r\x1b[K\x1b[?25h" if sys.stderr.isatty() else ""
        how = (
            f"Go on with: deepresearch sessions resume {session_id}" if begun or watched.begun else "Nothing had begun."
        )
        os.write(2, f"{restore}deepresearch: interrupted. {how}\n".encode())
        os._exit(INTERRUPTED if number == signal.SIGINT else 128 + number)

    async def main() -> Report:
        return await work(watched)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    with telemetry_of_command(Settings()):
        return asyncio.run(main())


def run_remotely(work: Callable[[Watched], Report], session_id: str, server: str) -> Report:
    """Run `work`, which waits for a session of a server; on SIGINT or SIGTERM say how to come back, and end."""
    watched = Watched()

    def stop(number: int, _frame: FrameType | None) -> None:
        restore = "\r\x1b[K\x1b[?25h" if sys.stderr.isatty() else ""
        how = (
            f"The session goes on there: deepresearch sessions resume {session_id} --server {server}"
            if watched.begun
            else "Nothing had begun."
        )
        os.write(2, f"{restore}deepresearch: interrupted. {how}\n".encode())
        os._exit(INTERRUPTED if number == signal.SIGINT else 128 + number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return work(watched)


def announce(report: Report, *, as_json: bool) -> None:
    """Show a finished report on standard output and end with its exit code."""
    if as_json:
        from deepresearch.report import render_json

        typer.echo(render_json(report))
    else:
        typer.echo(_summary(report))
    code = _EXIT_CODES[report.status]
    if code:
        raise typer.Exit(code)


def _summary(report: Report) -> str:
    from deepresearch.report.names import last_name

    lines = ["", report.answer, ""]
    for claim in report.claims:
        where = ", ".join(
            dict.fromkeys(
                last_name(quote.source) + (f" p. {quote.page}" if quote.page else "") for quote in claim.citations
            )
        )
        computed = f", computed by {claim.run_id}" if claim.run_id else ""
        lines.append(f"  [{claim.id}] {claim.support}: {claim.text}  ({where}{computed})")
    if report.conflicts:
        lines += ["", "Conflicts:", *(f"  {conflict.note}" for conflict in report.conflicts)]
    if report.limits:
        lines += ["", "Limits:", *(f"  {limit}" for limit in report.limits)]
    lines += ["", f"Report: {report.paths['html']}"]
    return "\n".join(printable(line) for line in lines)
