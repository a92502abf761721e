"""HTML tables as grids: spans spread out, header rows as the markup states them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepresearch.corpus.parsed import Grid, GridCell

MAX_SPAN = 1_000
LAYOUT_ROLES = frozenset({"presentation", "none"})


def is_data_table(table: Any) -> bool:
    """A table of at least two rows and two columns, not one that only lays out a page."""
    if (table.get("role") or "").lower() in LAYOUT_ROLES:
        return False
    if next(table.iter("h1", "h2", "h3", "article", "main", "form"), None) is not None:
        return False
    if next((inner for inner in table.iter("table") if inner is not table), None) is not None:
        return False
    wide = False
    for rows, row in enumerate(table.iter("tr"), start=1):
        wide = wide or sum(1 for cell in row if cell.tag in ("td", "th")) > 1
        if rows > 1 and wide:
            return True
    return False


def table_grid(
    table: Any, text_of: Callable[[Any], str], is_hidden: Callable[[Any], bool], max_columns: int
) -> tuple[Grid, int]:
    """The rows of cells and the number of header rows (``thead``, or rows of ``th`` alone) at the top.

    A cell that spans rows or columns stands once; the places it covers refer to it.
    """
    grid: Grid = []
    header_rows = 0
    covered: dict[tuple[int, int], tuple[int, int]] = {}
    for row in table.iter("tr"):
        if is_hidden(row):
            continue
        number = len(grid)
        cells: list[GridCell] = []
        only_headers = True
        for element in row:
            if element.tag not in ("td", "th") or is_hidden(element):
                continue
            _fill(cells, covered, number, max_columns)
            if len(cells) >= max_columns:
                break
            only_headers = only_headers and element.tag == "th"
            origin = (number, len(cells))
            for step in range(min(_span(element, "colspan"), max_columns - len(cells))):
                column = len(cells)
                text = text_of(element) if step == 0 else ""
                cells.append(GridCell(text, _address(number, column), same_as=origin if step else None))
                for below in range(1, _span(element, "rowspan")):
                    covered[number + below, column] = origin
        _fill(cells, covered, number, max_columns)
        covered = {place: origin for place, origin in covered.items() if place[0] > number}
        if not cells:
            continue
        if header_rows == number and (only_headers or row.getparent().tag == "thead"):
            header_rows += 1
        grid.append(cells)
    return grid, min(header_rows, max(0, len(grid) - 1))


def _fill(
    cells: list[GridCell], covered: dict[tuple[int, int], tuple[int, int]], number: int, max_columns: int
) -> None:
    """Add the places that cells of the rows above reach down to."""
    while len(cells) < max_columns and (origin := covered.get((number, len(cells)))) is not None:
        cells.append(GridCell(address=_address(number, len(cells)), same_as=origin))


def _address(row: int, column: int) -> str:
    return f"r{row + 1}c{column + 1}"


def _span(element: Any, name: str) -> int:
    try:
        return max(1, min(MAX_SPAN, int(element.get(name, "1"))))
    except ValueError:
        return 1
