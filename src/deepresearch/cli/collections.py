"""``deepresearch collections`` and ``deepresearch index``: look at collections, delete, rebuild."""

from __future__ import annotations

import json
import threading
from typing import Annotated, Any

import typer

from deepresearch.cli.interruptible import finish_or_stop
from deepresearch.cli.server_option import ServerOption
from deepresearch.cli.terminal import printable

app = typer.Typer(no_args_is_help=True, help="List, look at and delete collections of documents.")
index_app = typer.Typer(no_args_is_help=True, help="Look after the search indexes.")

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The collection's name, as `collections list` shows it.")]


@app.command("list")
def list_collections(as_json: _Json = False, server: ServerOption = None) -> None:
    """Show all collections."""
    from deepresearch.cli.opened import opened_collections

    with opened_collections(server) as collections:
        records = collections.records()
    if as_json:
        _print_json([record.model_dump(mode="json") for record in records])
        return
    if not records:
        typer.echo("No collections yet. Make one with: deepresearch ingest PATH --collection NAME")
    for record in records:
        pending = f", {record.pending:,} not indexed yet" if record.pending else ""
        typer.echo(
            f"{record.name:<24} {record.documents:>9,} documents {record.passages:>10,} passages  "
            f"{record.created_at[:19]}Z{pending}"
        )


@app.command()
def show(name: _Name, as_json: _Json = False, server: ServerOption = None) -> None:
    """Show one collection and its documents."""
    from deepresearch.cli.opened import opened_collections

    with opened_collections(server) as collections:
        record = collections.record(name)
        documents = list(collections.documents(name))
    if as_json:
        _print_json(
            {
                **record.model_dump(mode="json"),
                "sources": [document.model_dump(mode="json") for document in documents],
            }
        )
        return
    typer.echo(f"Collection {record.name}\nMade       {record.created_at}")
    typer.echo(f"Documents  {record.documents:,}\nPassages   {record.passages:,}")
    if record.pending:
        typer.echo(f"Pending    {record.pending:,} (run the ingest again to complete it)")
    for document in documents:
        state = "" if document.state == "indexed" else f"  {document.state}"
        typer.echo(f"  {document.sha256[:12]}  {document.passages:>6} passages  {printable(document.source)}{state}")


@app.command()
def delete(name: _Name, as_json: _Json = False, server: ServerOption = None) -> None:
    """Delete a collection: its index, and every text that no session and no other collection needs."""
    from deepresearch.cli.opened import opened_collections

    with opened_collections(server) as collections:
        collections.delete(name)
    if as_json:
        _print_json({"collection": name, "deleted": True})
        return
    typer.echo(f"{name} is deleted.")


@app.command()
def forget(
    name: _Name,
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Files as `collections show` names them.")],
    as_json: _Json = False,
    server: ServerOption = None,
) -> None:
    """Delete documents from a collection: the passages, the record, and the text when nothing else needs it."""
    from deepresearch.cli.opened import opened_collections

    with opened_collections(server) as collections:
        count = collections.forget(name, sources)
    if as_json:
        _print_json({"collection": name, "forgotten": count})
        return
    typer.echo(f"{count} document{'' if count == 1 else 's'} forgotten.")


@index_app.command()
def rebuild(name: _Name, as_json: _Json = False, server: ServerOption = None) -> None:
    """Make a collection's index again from the stored documents: it was deleted, is broken or of another encoder."""
    from deepresearch.cli.collection_progress import collection_progress
    from deepresearch.session.collections import Rebuilt

    def work(stop: threading.Event) -> Rebuilt:
        from deepresearch.cli.opened import opened_collections

        with opened_collections(server) as collections, collection_progress() as on_progress:
            return collections.rebuild(name, on_progress=on_progress, stop=stop)

    done = finish_or_stop(work, "Run the same command again to complete it.")
    if as_json:
        _print_json(done.model_dump(mode="json"))
        return
    typer.echo(f"{name}: {done.documents:,} documents in {done.passages:,} passages indexed anew.")


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=True, indent=2))
