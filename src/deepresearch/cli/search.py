"""``deepresearch search``: passages of a collection or of files, and why each was found."""

from __future__ import annotations

import json
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Annotated

import typer

from deepresearch.cli.server_option import ServerOption, chosen_server
from deepresearch.cli.terminal import printable
from deepresearch.model.errors import UsageError

if TYPE_CHECKING:
    from deepresearch.model.documents import RefusedSource
    from deepresearch.session.found import SearchResult


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in quotation marks.", show_default=False)],
    collection: Annotated[
        str | None, typer.Option("--collection", "-c", metavar="NAME", help="The collection to search.")
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option(
            "--sources",
            metavar="PATH",
            help="A file, folder or glob to search as it is now, without a collection; may be given several times. "
            "Nothing is kept.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="K", help="How many passages at most.")] = 10,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only passages of this kind: prose or table.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="GLOB", help="Only documents whose file name (or, with a slash, path) fits."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
    server: ServerOption = None,
) -> None:
    """Find the passages that fit a text best, by words and by meaning.

    Example:  deepresearch search "fuel consumption 2024" --collection reports --kind table

    Once, without a collection:  deepresearch search "fuel consumption 2024" --sources reports
    """
    if (collection is None) == (not sources):
        raise UsageError("Name what to search: a collection with --collection, or files with --sources, not both.")
    if collection is not None:
        from deepresearch.cli.opened import opened_collections

        with opened_collections(server) as collections:
            result = collections.search(collection, text, limit=limit, kinds=kind or (), sources=source or ())
    else:
        if chosen_server(server) is not None:
            raise UsageError("Files are searched on this machine: leave --server (DEEPRESEARCH_SERVER) out.")
        result = _in_files(sources or [], text, limit, kind or [], source or [])
    if as_json:
        typer.echo(json.dumps(result.model_dump(mode="json"), indent=2))
    else:
        _show(result)


def _in_files(paths: list[Path], text: str, limit: int, kinds: list[str], globs: list[str]) -> SearchResult:
    from deepresearch.cli.collection_progress import collection_progress
    from deepresearch.cli.interruptible import finish_or_clean_up
    from deepresearch.session.file_search import search_files

    def work() -> tuple[SearchResult, tuple[RefusedSource, ...]]:
        with collection_progress() as on_progress:
            return search_files(paths, text, limit=limit, kinds=kinds, sources=globs, on_progress=on_progress)

    result, refused = finish_or_clean_up(work, "Nothing is kept.")
    for one in refused:
        sys.stderr.write(f"deepresearch: {printable(one.source)}: {printable(one.reason)}\n")
    return result


def _show(result: SearchResult) -> None:
    for number, hit in enumerate(result.hits, 1):
        place = printable(PurePath(hit.source).name) + (f" p. {hit.page}" if hit.page is not None else "")
        path = printable(" > ".join(hit.heading_path))
        legs = ", ".join(
            f"{name} {f'#{leg.rank}' if leg.rank else '-'} {leg.contribution:.3f}" for name, leg in hit.legs.items()
        )
        typer.echo(f"{number:>3}  {hit.score:.3f}  {place}  [{hit.start}:{hit.end}]" + (f"  {path}" if path else ""))
        typer.echo("     " + printable(" ".join(hit.text.split())))
        typer.echo(f"     ({legs})")
    if result.note:
        typer.echo(result.note)
