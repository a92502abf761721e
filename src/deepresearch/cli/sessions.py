"""``deepresearch sessions``: what was asked, how far it is, and how to go on."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from deepresearch.cli.remote import RemoteSessions, follow
from deepresearch.cli.review import user_name
from deepresearch.cli.running import Watched, announce, run_interruptibly, run_remotely
from deepresearch.cli.server_option import ServerOption, chosen_server, client_of
from deepresearch.cli.terminal import printable
from deepresearch.model.errors import UsageError
from deepresearch.model.session import SessionState
from deepresearch.session.archive import Archive
from deepresearch.session.queue import ENDED, SessionQueue
from deepresearch.settings import Settings

app = typer.Typer(no_args_is_help=True, help="List, look at, resume, cancel and purge research sessions.")

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
_Id = Annotated[str, typer.Argument(metavar="ID", help="The session's id, as `sessions list` shows it.")]


@contextmanager
def _archive(server: str | None) -> Iterator[Archive | RemoteSessions]:
    chosen = chosen_server(server)
    archive = Archive(Settings()) if chosen is None else RemoteSessions(client_of(chosen))
    try:
        yield archive
    finally:
        archive.close()


@contextmanager
def _queue(server: str | None) -> Iterator[SessionQueue | RemoteSessions]:
    chosen = chosen_server(server)
    queue = SessionQueue(Settings()) if chosen is None else RemoteSessions(client_of(chosen))
    try:
        yield queue
    finally:
        queue.close()


@app.command("list")
def list_sessions(as_json: _Json = False, server: ServerOption = None) -> None:
    """Show all sessions, newest first."""
    with _archive(server) as archive:
        records = archive.sessions()
    if as_json:
        _print_json([record.model_dump(mode="json") for record in records])
        return
    if not records:
        typer.echo("No sessions yet. Begin one with: deepresearch query QUESTION --sources PATH")
        return
    for record in records:
        question = " ".join(record.options.question.split())
        typer.echo(f"{record.id}  {record.state:<12} {record.created_at[:19]}Z  {question[:80]}")


@app.command()
def show(
    session_id: _Id,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="SHA256", help="Print the stored text of this document, exactly as cited."),
    ] = None,
    as_json: _Json = False,
    server: ServerOption = None,
) -> None:
    """Show one session: its state, its documents and its report.

    With `--json` the stored texts of all its documents are in ``texts``, by SHA-256: every citation's `start` and
    `end` count code points there.
    """
    with _archive(server) as archive:
        record = archive.session(session_id)
        if text is not None:
            sys.stdout.buffer.write(archive.text(session_id, text).encode("utf-8"))
            return
        report = archive.report(session_id)
        documents = archive.documents(session_id) if as_json else []
        count = archive.count_documents(session_id)
        events = archive.events(session_id)
    if as_json:
        _print_json(
            {
                **record.model_dump(mode="json"),
                "report": report.model_dump(mode="json") if report else None,
                "documents": [
                    document.model_dump(mode="json", exclude={"text", "tables", "headings"}) for document in documents
                ],
                "texts": {document.sha256: document.text for document in documents},
            }
        )
        return
    typer.echo(f"Session   {record.id}\nState     {record.state}\nQuestion  {record.options.question}")
    collection = [f"collection {record.options.collection}"] if record.options.collection else []
    typer.echo(f"Sources   {', '.join([*record.options.sources, *collection])}\nDocuments {count}")
    stages = [event for event in events if event.kind == "stage.finished"]
    typer.echo("Stages    " + (", ".join(str(event.data["stage"]) for event in stages) or "none finished"))
    if record.error:
        typer.echo(f"Error     {record.error}")
    if report:
        typer.echo(f"Claims    {len(report.claims)}\nReport    {report.paths['html']}")
    elif record.state in (SessionState.INTERRUPTED, SessionState.FAILED):
        typer.echo(f"Go on     deepresearch sessions resume {record.id}")


@app.command()
def events(
    session_id: _Id,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing until the session ends.")] = False,
    after: Annotated[int, typer.Option(help="Only events with a number above this.", min=0)] = 0,
    as_json: _Json = False,
    server: ServerOption = None,
) -> None:
    """Print what happened, one event on a line; with `--json` one array (with `--follow` one object on a line)."""
    with _archive(server) as archive:
        archive.session(session_id)
        if as_json and not follow:
            _print_json([event.model_dump(mode="json") for event in archive.events(session_id, after)])
            return
        while True:
            running = archive.session(session_id).state in (SessionState.RUNNING, SessionState.QUEUED)
            for event in archive.events(session_id, after):
                after = event.number
                data = json.dumps(event.data, ensure_ascii=as_json)
                typer.echo(
                    event.model_dump_json() if as_json else f"{event.number:>4}  {event.at}  {event.kind:<16} {data}"
                )
            if not follow or not running:
                return
            time.sleep(0.2)


@app.command()
def resume(session_id: _Id, as_json: _Json = False, server: ServerOption = None) -> None:
    """Go on with an interrupted session at its last finished stage; nothing finished is done again."""
    from deepresearch.cli.progress import listener
    from deepresearch.model.report import Report
    from deepresearch.session.service import DeepResearch

    with _archive(server) as archive:
        archive.session(session_id)
    if (chosen := chosen_server(server)) is not None:

        def work_there(watched: Watched) -> Report:
            with listener(session_id) as shown, client_of(chosen) as client:
                return follow(client, session_id, listener=watched.through(shown))

        announce(run_remotely(work_there, session_id, chosen), as_json=as_json)
        return

    async def work(watched: Watched) -> Report:
        with listener(session_id) as shown:
            async with DeepResearch(Settings()) as research:
                return await research.resume(session_id, listener=watched.through(shown))

    announce(run_interruptibly(work, session_id, begun=True), as_json=as_json)


@app.command()
def cancel(session_id: _Id, as_json: _Json = False, server: ServerOption = None) -> None:
    """Stop a session, wherever it runs; it ends as cancelled, with a report of what was found."""
    with _queue(server) as queue:
        record = queue.cancel(session_id, actor=user_name())
    if as_json:
        _print_json(record.model_dump(mode="json"))
    elif record.state in ENDED:
        typer.echo(f"Session {record.id} is {record.state}.")
    else:
        typer.echo(f"Session {record.id} is being cancelled.")


@app.command()
def purge(
    session_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The session's id.", show_default=False)
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Instead of one session all that ended so long ago: 30d, 12h, 2w."),
    ] = None,
    as_json: _Json = False,
    server: ServerOption = None,
) -> None:
    """Remove everything of a session: rows, texts, vectors, artefacts, its report's files and its log lines.

    What other sessions or collections use as well stays for them. The audit log keeps that it was purged, and by whom.
    """
    if (session_id is None) == (older_than is None):
        raise UsageError("Name either the ID of one session or an age with --older-than.")
    with _queue(server) as queue:
        if session_id is not None:
            gone = [queue.purge(session_id, actor=user_name())]
        else:
            gone = queue.purge_older_than(days_of(older_than or ""), actor=user_name())
    if as_json:
        _print_json([one.model_dump(mode="json") for one in gone])
        return
    for one in gone:
        typer.echo(
            f"{one.session_id} is gone: {one.artefacts} artefacts, {one.files} files and {one.log_lines} log lines with it."
        )
    if not gone:
        typer.echo(f"No session ended more than {older_than} ago.")


@app.command()
def audit(
    session_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only entries of this session.", show_default=False)
    ] = None,
    after: Annotated[int, typer.Option(help="Only entries with a number above this.", min=0)] = 0,
    as_json: _Json = False,
    server: ServerOption = None,
) -> None:
    """Print who did what: submissions, cancellations, reviews and purges, also of sessions that are gone."""
    with _queue(server) as queue:
        entries = queue.audit(session_id=session_id, after=after)
    if as_json:
        _print_json([entry.model_dump(mode="json") for entry in entries])
        return
    for entry in entries:
        detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
        line = f"{entry.number:>5}  {entry.at[:19]}Z  {entry.tenant}  {entry.actor}  {entry.action}  {entry.session_id or ''}"
        typer.echo(printable(f"{line}  {detail}".rstrip()))


def days_of(age: str) -> float:
    """An age such as ``30d``, ``12h`` or ``2w`` in days. Raises `UsageError` for anything else."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*([hdw])", age.strip().lower())
    if match is None:
        raise UsageError(f"{age!r} is no age: write a number and h, d or w, for instance 30d.")
    return float(match[1]) * {"h": 1 / 24, "d": 1.0, "w": 7.0}[match[2]]


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=True, indent=2))
