"""``deepresearch worker``: run sessions from the queue."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import Annotated

import typer


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option(help="Sessions at a time; DEEPRESEARCH_MAX_CONCURRENT_SESSIONS unless given.", min=1),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End when the queue is empty.")] = False,
) -> None:
    """Take sessions from the queue and run them, until SIGTERM or Ctrl-C.

    Start any number, on any machines that share one Postgres (DEEPRESEARCH_DATABASE_URL); with SQLite, on the machine of
    the data folder. A worker that is stopped lets its sessions finish for DEEPRESEARCH_STOP_PATIENCE_SECONDS and hands
    the rest over; the sessions of one that dies are taken over by the others. A second signal ends it at once.
    """
    from deepresearch.model.report import Report
    from deepresearch.session.worker import Worker
    from deepresearch.settings import Settings
    from deepresearch.telemetry.programs import telemetry_of_service

    settings = Settings()

    def ended(report: Report) -> None:
        # Standard output is for the log lines, one JSON object each.
        typer.echo(f"{report.session_id} {report.status}", err=True)

    async def main() -> None:
        working = Worker(settings, concurrency=concurrency, once=once, on_report=ended)
        loop = asyncio.get_running_loop()
        signals = 0

        def stop(number: int, _frame: object) -> None:
            nonlocal signals
            signals += 1
            if signals > 1:
                os._exit(128 + number)
            loop.call_soon_threadsafe(working.stop)
            # Whatever hangs, this process ends: its sessions survive that.
            bound = threading.Timer(settings.stop_patience_seconds + 10, os._exit, (128 + number,))
            bound.daemon = True
            bound.start()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        await working.run()

    with telemetry_of_service(settings, "deepresearch-worker", own_page=True):
        asyncio.run(main())
