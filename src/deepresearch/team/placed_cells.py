"""The cells of tables, each with everything that names it: its row, the groups above, its column's headings.

Reports nest their tables: a heading over several columns is written once, a group of rows has a line of its own, a
second block of the same table begins with new years, and a currency sign stands in a column beside its figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from deepresearch.model.documents import Cell, Document, Table
from deepresearch.model.evidence import Quote
from deepresearch.team.cell_units import is_only_unit
from deepresearch.team.periods import years_in
from deepresearch.team.series import cell_number

_SIGNS = re.compile(r"[\s$€£¥%()\[\]]*")
_YEAR_ALONE = re.compile(r"(?:19|20)\d\d")
_DASHES = frozenset("-–—−")


@dataclass(frozen=True)
class PlacedCell:
    """One filled cell of a table's body with what names it, outermost first.

    `label` are the cells that name its row, `groups` the lines above that name a group of rows, `heads` the headings of
    its column. `number` is None for words; a dash alone is a zero, as accounts write it.
    """

    document: Document
    table: Table
    row: int
    column: int
    cell: Cell
    number: float | None
    label: tuple[Cell, ...]
    groups: tuple[Cell, ...]
    heads: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """What the row is called, as the document writes it."""
        return " ".join(" ".join(cell.text.split()) for cell in self.label)

    @property
    def years(self) -> tuple[int, ...]:
        """The years the value is for: its column's, else its row's where that is a period, else its group's."""
        for cells in (self.heads, self.label, self.groups[::-1]):
            for cell in reversed(cells):
                if found := years_in(cell.text):
                    return found
        return ()

    def quote(self, cell: Cell | None = None) -> Quote:
        """The words of this cell, or of one that names it, as a citation."""
        cell = cell or self.cell
        page = self.table.page if self.table.page is not None else self.document.page_at(cell.start)
        return Quote(
            source=self.document.source,
            sha256=self.document.sha256,
            page=page,
            start=cell.start,
            end=cell.end,
            quote=cell.text,
        )


def placed_cells(documents: Iterable[Document]) -> Iterator[PlacedCell]:
    """All filled cells in the bodies of the documents' tables, in the order of the documents."""
    for document in documents:
        for table in document.tables:
            if table.rows and len(table.rows[0]) >= 2:
                yield from _of_table(document, table)


def _of_table(document: Document, table: Table) -> Iterator[PlacedCell]:
    width = len(table.rows[0])
    first_row = _header_rows(table)
    if not first_row:
        return
    labels = _label_columns(table, first_row)
    heads = _columns_heads(table.rows[:first_row], width)
    groups: tuple[Cell, ...] = ()
    in_groups = fresh_heads = False
    carried: Cell | None = None
    for number in range(first_row, len(table.rows)):
        row = table.rows[number]
        filled = [column for column in range(labels, width) if not _SIGNS.fullmatch(row[column].text)]
        label = tuple(cell for cell in row[:labels] if cell.text.strip())
        if not filled:
            if label and not is_only_unit(label[0].text):
                groups = (*groups, *label) if in_groups else label
                in_groups = True
            continue
        if _is_inner_header(row, labels, filled):
            new = _columns_heads([row], width)
            heads = [
                (*(old if fresh_heads else _without_periods(old)), *one) for old, one in zip(heads, new, strict=True)
            ]
            fresh_heads = True
            continue
        in_groups = fresh_heads = False
        if labels > 1:
            carried = row[0] if row[0].text.strip() else carried
            if carried is not None and carried not in label:
                label = (carried, *label)
        for column in filled:
            cell = row[column]
            if label and cell.start < cell.end:
                yield PlacedCell(
                    document, table, number, column, cell, _number(cell), label, groups, _distinct(heads[column])
                )


def _number(cell: Cell) -> float | None:
    text = cell.text.strip(" $€£¥%")
    return 0.0 if text and set(text) <= _DASHES else cell_number(cell)


def _header_rows(table: Table) -> int:
    """The loader's header rows, and those under them that only hold units, periods or go on above the columns."""
    count = table.header_rows
    while count < len(table.rows) - 1:
        row = table.rows[count]
        rest = [cell.text.strip() for cell in row[1:] if cell.text.strip()]
        if any(_is_figure(cell) for cell in row[1:]):
            break
        only_units = bool(rest) and all(is_only_unit(text) for text in rest)
        unit_line = not rest and is_only_unit(row[0].text)
        above = bool(rest) and (not row[0].text.strip() or all(years_in(text) for text in rest))
        if not (only_units or unit_line or above or (count == 0 and not rest and row[0].text.strip())):
            break
        count += 1
    return count


def _is_figure(cell: Cell) -> bool:
    text = cell.text.strip()
    return not _YEAR_ALONE.fullmatch(text) and _number(cell) is not None and not years_in(text)


def _label_columns(table: Table, first_row: int) -> int:
    """One, or two where the first column alone leaves rows without a name of their own."""
    body = table.rows[first_row:]
    if len(table.rows[0]) < 3:
        return 1
    first = [row[0].text.strip() for row in body if any(cell.text.strip() for cell in row[1:])]
    second = [row[1].text.strip() for row in body if row[1].text.strip()]
    words = sum(not _is_figure(row[1]) and not _SIGNS.fullmatch(row[1].text) for row in body)
    named = len({text for text in first if text})
    return 2 if second and words > 0.8 * len(second) and words > 1 and named < 0.7 * len(first) else 1


def _is_inner_header(row: Sequence[Cell], labels: int, filled: Sequence[int]) -> bool:
    """A line in the body that starts a new block: periods, or words, over the columns and no figure."""
    if any(_is_figure(row[column]) for column in filled):
        return False
    periods = sum(bool(years_in(row[column].text)) for column in filled)
    named = any(cell.text.strip() and not is_only_unit(cell.text) for cell in row[:labels])
    return periods == len(filled) if named else periods > 0 or all(_is_words(row[column]) for column in filled)


def _is_words(cell: Cell) -> bool:
    return _number(cell) is None and any(character.isalpha() for character in cell.text)


def _without_periods(heads: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return tuple(head for head in heads if not years_in(head.text))


def _columns_heads(rows: Sequence[Sequence[Cell]], width: int) -> list[tuple[Cell, ...]]:
    """The headings of each column, top to bottom; one that spans columns counts for all of them."""
    columns: list[list[Cell]] = [[] for _ in range(width)]
    for position, row in enumerate(rows):
        filled = [column for column in range(1, width) if row[column].text.strip()]
        if row[0].text.strip():
            columns[0].append(row[0])
        if not filled:
            continue
        centred = filled[0] > 1 and len(filled) > 1 and any(cell.text.strip() for cell in _below(rows, position)[1:2])
        for column in range(1, width):
            if column in filled:
                source = column
            elif centred or column < filled[0]:
                source = min(filled, key=lambda one: (abs(one - column), one))
            else:
                source = max(one for one in filled if one <= column)
            columns[column].append(row[source])
    return [tuple(column) for column in columns]


def _below(rows: Sequence[Sequence[Cell]], position: int) -> Sequence[Cell]:
    return rows[position + 1] if position + 1 < len(rows) else ()


def _distinct(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """The cells with a text of their own, in order: a heading filled into all its columns stands there once."""
    return tuple({cell.text.strip(): cell for cell in cells if cell.text.strip()}.values())
