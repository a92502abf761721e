"""``deepresearch replay``: run every script of a session again and compare what comes out."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer


def replay(
    session_id: Annotated[str, typer.Argument(metavar="ID", help="The session's id, as `sessions list` shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
) -> None:
    """Run every script of a session again in the sandbox and compare numbers and figures with the report.

    Exit code 0 when everything came out the same, 1 when something differs, 125 without a sandbox.
    """
    from deepresearch.session.archive import Archive
    from deepresearch.session.replaying import replay_session
    from deepresearch.settings import Settings

    settings = Settings()
    archive = Archive(settings)
    try:
        archive.session(session_id)
        outcomes = asyncio.run(replay_session(archive, session_id, settings))
    finally:
        archive.close()
    same = all(outcome.same for outcome in outcomes)
    if as_json:
        document: dict[str, Any] = {
            "session_id": session_id,
            "same": same,
            "runs": [outcome.model_dump(mode="json") for outcome in outcomes],
        }
        typer.echo(json.dumps(document, indent=2))
    elif not outcomes:
        typer.echo("This session ran no script.")
    else:
        for outcome in outcomes:
            typer.echo(f"{outcome.run_id}  {'same' if outcome.same else 'DIFFERENT'}  {outcome.note}")
    if not same:
        raise typer.Exit(1)
