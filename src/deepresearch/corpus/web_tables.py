"""HTML tables as grids: spans spread out, header rows as the markup states them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    rows: Iterator[Any],
    text_of: Callable[[Any], str],
    is_hidden: Callable[[Any], bool],
    *,
    max_columns: int,
    max_rows: int,
    max_cells: int,
) -> tuple[Grid, int]:
    """The rows of cells and the number of header rows (``thead``, or rows of ``th`` alone) at the top.

    `rows` are ``tr`` elements; reading stops at a limit and leaves the rest in the iterator. A cell that spans rows or
    columns stands once; the places it covers refer to it.
    """
    grid: Grid = []
    header_rows = count = 0
    # Column: the last row that a cell from above reaches, and where that cell stands.
    covered: dict[int, tuple[int, tuple[int, int]]] = {}
    while len(grid) < max_rows and count < max_cells and (row := next(rows, None)) is not None:
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
            reaches = number + _span(element, "rowspan") - 1
            for step in range(min(_span(element, "colspan"), max_columns - len(cells))):
                column = len(cells)
                text = text_of(element) if step == 0 else ""
                cells.append(GridCell(text, _address(number, column), same_as=origin if step else None))
                if reaches > number:
                    covered[column] = (reaches, origin)
        _fill(cells, covered, number, max_columns)
        if not cells:
            continue
        if header_rows == number and (only_headers or row.getparent().tag == "thead"):
            header_rows += 1
        grid.append(cells)
        count += len(cells)
    return grid, min(header_rows, max(0, len(grid) - 1))


def _fill(
    cells: list[GridCell], covered: dict[int, tuple[int, tuple[int, int]]], number: int, max_columns: int
) -> None:
    """Add the places that cells of the rows above reach down to."""
    while len(cells) < max_columns and (above := covered.get(len(cells))) is not None and above[1][0] < number:
        if above[0] < number:
            del covered[len(cells)]
            return
        cells.append(GridCell(address=_address(number, len(cells)), same_as=above[1]))


def _address(row: int, column: int) -> str:
    return f"r{row + 1}c{column + 1}"


def _span(element: Any, name: str) -> int:
    try:
        return max(1, min(MAX_SPAN, int(element.get(name, "1"))))
    except ValueError:
        return 1
