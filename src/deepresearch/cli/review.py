"""``deepresearch review``: a person decides on a report."""

from __future__ import annotations

import asyncio
import getpass
from typing import Annotated

import typer

from deepresearch.cli.remote import follow
from deepresearch.cli.server_option import ServerOption, chosen_server, client_of


def review(
    session_id: Annotated[str, typer.Argument(metavar="ID", help="The session's id, as `sessions list` shows it.")],
    approve: Annotated[bool, typer.Option("--approve", help="The report counts.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="The report does not count; the session ends as failed.")] = (
        False
    ),
    note: Annotated[str, typer.Option(help="What the report's readers should know of the decision.")] = "",
    reviewer: Annotated[str | None, typer.Option(help="Your name; the user's name unless given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False,
    server: ServerOption = None,
) -> None:
    """Approve or reject the report of a session that needs review, and write the decision into it.

    Exit code 0 when it was approved, 1 when it was rejected.
    """
    from deepresearch.cli.running import Watched, announce, run_interruptibly, run_remotely
    from deepresearch.model.errors import SessionBusyError, UsageError
    from deepresearch.model.report import Report
    from deepresearch.session.progress import Silent
    from deepresearch.session.queue import SessionQueue
    from deepresearch.session.service import DeepResearch
    from deepresearch.settings import Settings

    if approve == reject:
        raise UsageError("Decide with either --approve or --reject.")
    if len(note) > 10_000:
        raise UsageError(f"The note has {len(note):,} characters; at most 10,000 are taken.")
    if (chosen := chosen_server(server)) is not None:

        def work_there(_watched: Watched) -> Report:
            with client_of(chosen) as client:
                client.review(session_id, approve=approve, note=note, reviewer=reviewer or user_name())
                return follow(client, session_id, listener=Silent())

        announce(run_remotely(work_there, session_id, chosen), as_json=as_json)
        return
    settings = Settings()
    queue = SessionQueue(settings)
    try:
        queue.review(session_id, approve=approve, note=note, reviewer=reviewer or user_name())
    finally:
        queue.close()

    async def work(_watched: Watched) -> Report:
        async with DeepResearch(settings) as research:
            while True:
                try:
                    return await research.resume(session_id)
                except SessionBusyError:
                    await asyncio.sleep(0.2)  # a worker was faster and is writing the decision down

    announce(run_interruptibly(work, session_id, begun=True), as_json=as_json)


def user_name() -> str:
    """The name of the user who runs this command, for the record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
