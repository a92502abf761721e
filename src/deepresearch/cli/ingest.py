"""``deepresearch ingest``: files into a named collection."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from deepresearch.cli.interruptible import finish_or_stop
from deepresearch.cli.server_option import ServerOption


def ingest(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files, folders (with all below them) or globs.")
    ],
    collection: Annotated[
        str, typer.Option("--collection", "-c", metavar="NAME", help="The collection; made when there is none.")
    ],
    prune: Annotated[
        bool, typer.Option("--prune", help="Also remove documents under PATH whose file is gone.")
    ] = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for another process that writes the same collection.")
    ] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
    server: ServerOption = None,
) -> None:
    """Take documents into a collection, once, so that any number of questions can be asked of it.

    Run it again at any time: unchanged files cost only a look, changed files replace what they held. A file that
    cannot be read is named and the rest goes on. Stopped by Ctrl-C or a crash, the same command completes it.

    Example:  deepresearch ingest reports --collection reports
    """
    from deepresearch.cli.collection_progress import collection_progress
    from deepresearch.cli.opened import opened_collections
    from deepresearch.session.ingesting import Ingested

    def work(stop: threading.Event) -> Ingested:
        with opened_collections(server) as collections, collection_progress() as on_progress:
            return collections.ingest(collection, paths, prune=prune, wait=wait, on_progress=on_progress, stop=stop)

    done = finish_or_stop(work, "What was finished is kept; run the same command again to complete it.")
    for one in done.refused:
        sys.stderr.write(f"deepresearch: {one.source}: {one.reason}\n")
    if as_json:
        typer.echo(json.dumps(done.model_dump(mode="json"), indent=2))
        return
    typer.echo(_summary(done.model_dump()))


def _summary(done: dict[str, int | float | str]) -> str:
    counts = {
        "added": done["added"],
        "changed": done["changed"],
        "unchanged": done["unchanged"],
        "removed": done["removed"],
        "completed": done["completed"],
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to do"
    return (
        f"{done['collection']}: {told}. It holds {done['documents']:,} documents in {done['passages']:,} passages "
        f"({done['seconds']:.1f} s).\nAsk it:  deepresearch query QUESTION --collection {done['collection']}"
    )
