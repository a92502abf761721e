"""``deepresearch explain``: why a claim of a report got its verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from deepresearch.cli.server_option import ServerOption, chosen_server, client_of
from deepresearch.cli.terminal import printable

if TYPE_CHECKING:
    from deepresearch.evidence import Explanation
    from deepresearch.session.explaining import ExplainedClaim

_ORIGINS = {
    "quote": "stands in the cited words",
    "label": "names the series",
    "count": "counts the values",
    "nowhere": "is nowhere",
}


def explain(
    session_id: Annotated[str, typer.Argument(metavar="ID", help="The session's id, as `sessions list` shows it.")],
    claim: Annotated[
        str | None, typer.Option("--claim", metavar="C1", help="One claim only, by its id in the report.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")] = False,
    server: ServerOption = None,
) -> None:
    """Show what each claim rests on, how its verdict was reached, and what would change it.

    The quotes are read again in the stored texts, so this also proves that they are still there.

    Example:  deepresearch explain 20261128-121500-1f2e3d4c --claim C1
    """
    from deepresearch.session.archive import Archive
    from deepresearch.session.explaining import explain_session
    from deepresearch.settings import Settings

    if (chosen := chosen_server(server)) is not None:
        with client_of(chosen) as client:
            explained = client.explain(session_id, claim)
    else:
        archive = Archive(Settings())
        try:
            explained = explain_session(archive, session_id, claim)
        finally:
            archive.close()
    if as_json:
        document = {"session_id": session_id, "claims": [one.model_dump(mode="json") for one in explained]}
        typer.echo(json.dumps(document, indent=2))
        return
    if not explained:
        typer.echo("The report makes no claim.")
    for number, one in enumerate(explained):
        if number:
            typer.echo()
        _show(one)


def _show(one: ExplainedClaim) -> None:
    from deepresearch.report.names import last_name

    claim = one.claim
    typer.echo(f"{claim.id}  {claim.support}  {printable(claim.text)}")
    typer.echo(f"  confidence {one.confidence_note}")
    for explained in one.quotes:
        quote = explained.quote
        page = f" p. {quote.page}" if quote.page is not None else ""
        place = f"{printable(last_name(quote.source))}{page} [{quote.start}:{quote.end}]"
        state = "" if explained.holds else "  NOT IN THE STORED TEXT"
        typer.echo(f"  cites {place}{state}\n    “{printable(' '.join(quote.quote.split()))}”")
    if claim.run_id:
        typer.echo(f"  computed by {claim.run_id}")
    for number in one.numbers:
        origin = f"was printed by the run as {number.name}" if number.kind == "value" else _ORIGINS[number.kind]
        typer.echo(f"    {number.written} {printable(origin)}")
    if one.explanation is not None:
        _show_reasons(one.explanation)
    for note in one.conflicts:
        typer.echo(f"  in conflict: {printable(note)}")
    for sentence in one.would_change:
        typer.echo(f"  would change it: {printable(sentence)}")


def _show_reasons(explanation: Explanation) -> None:
    check = explanation.check
    lacks = f", {explanation.to_next_band:.3f} short of supported" if explanation.to_next_band else ""
    typer.echo(f"  score {check.score:.3f}{lacks}; carried by")
    for sentence in explanation.sentences:
        typer.echo(f"    {printable(_marked(' '.join(sentence.text.split()), sentence.adds))}")
    weighed = sorted(explanation.contributions.items(), key=lambda entry: -abs(entry[1]))
    shown = ", ".join(f"{name.replace('_', ' ')} {value:+.2f}" for name, value in weighed[:6] if value)
    typer.echo(f"  weighed (log-odds): {shown}")


def _marked(text: str, added: tuple[str, ...]) -> str:
    return f"“{text}”" + (f"  ({', '.join(added)})" if added else "")
