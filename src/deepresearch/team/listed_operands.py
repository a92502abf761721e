"""Three things or more that a question lists for a sum or an average: rows of one column, or columns of one row."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.team.cell_choice import Asked, Scored, plain
from deepresearch.team.cell_units import is_only_unit

_LEAST = 3
_MOST = 12


def listed(asked: Asked, scored: Sequence[Scored]) -> list[Scored]:
    """The cells whose names the question speaks in full, in the order in which it does; empty below three."""
    groups: dict[tuple[object, ...], dict[str, Scored]] = {}
    for one in scored:
        placed = one.placed
        if asked.years and not set(placed.years) & set(asked.years):
            continue
        table = (placed.document.sha256, placed.table.id)
        heads = [head.text for head in placed.heads if not is_only_unit(head.text)]
        for line, name in (
            (("column", *table, placed.column, *(cell.start for cell in placed.groups)), plain(placed.name)),
            (("row", *table, placed.row), plain(heads[-1]) if heads else ""),
        ):
            if name and not name.isdigit() and f" {name} " in f" {asked.spoken} ":
                groups.setdefault(line, {}).setdefault(name, one)
    best: list[Scored] = []
    for named in groups.values():
        # "Ships" inside of "Total ships" is not spoken by itself.
        own = [name for name in named if not any(name != other and f" {name} " in f" {other} " for other in named)]
        if _LEAST <= len(own) <= _MOST:
            cells = [named[name] for name in sorted(own, key=asked.spoken.find)]
            if (len(cells), _mean(cells)) > (len(best), _mean(best)):
                best = cells
    return best


def _mean(cells: Sequence[Scored]) -> float:
    return sum(one.score for one in cells) / len(cells) if cells else 0.0
