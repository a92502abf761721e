"""``deepresearch search``: passages of a collection, and why each was found."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Annotated

import typer

from deepresearch.cli.server_option import ServerOption
from deepresearch.cli.terminal import printable


def search(
    text: Annotated[str, typer.Argument(help="What to look for, in quotation marks.", show_default=False)],
    collection: Annotated[str, typer.Option("--collection", "-c", metavar="NAME", help="The collection to search.")],
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
    """Find the passages of a collection that fit a text best, by words and by meaning.

    Example:  deepresearch search "fuel consumption 2024" --collection reports --kind table
    """
    from deepresearch.cli.opened import opened_collections

    with opened_collections(server) as collections:
        result = collections.search(collection, text, limit=limit, kinds=kind or (), sources=source or ())
    if as_json:
        typer.echo(json.dumps(result.model_dump(mode="json"), indent=2))
        return
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
