"""Tables on PDF pages: ruled ones by `pdfplumber`, open ones by figures that stand in columns."""

from __future__ import annotations

import ctypes
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Grid, GridCell, one_line
from deepresearch.corpus.pdf_lines import HYPHEN, Line
from deepresearch.corpus.tables import is_blank, is_figure, is_period

# A gap of this part of the font size parts two cells; between words it is about a quarter.
CELL_GAP = 0.85
MAX_CHARACTERS = 20_000
MAX_OBJECTS = 5_000
MIN_RULES = 4
MAX_HEADER_ROWS = 3
LONGEST_CELL = 60


@dataclass(frozen=True)
class Box:
    """A rectangle in points from the lower left of the page."""

    left: float
    right: float
    bottom: float
    top: float

    def holds(self, line: Line) -> bool:
        """Whether the line's middle lies within."""
        middle = (line.left + line.right) / 2
        return self.bottom - 1 <= line.middle <= self.top + 1 and self.left - 3 <= middle <= self.right + 3

    def overlaps(self, other: Box) -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


@dataclass(frozen=True)
class PlacedTable:
    """A grid and where it stands on the page."""

    grid: Grid
    box: Box


@dataclass
class Segment:
    """Characters of one line without a gap as wide as between cells."""

    text: str
    left: float
    right: float
    base: float
    size: float


@dataclass
class _Row:
    segments: list[Segment]
    base: float
    size: float

    @property
    def figures(self) -> int:
        return sum(is_figure(segment.text) or is_period(segment.text) for segment in self.segments)


@dataclass
class RuledTables:
    """Finds ruled tables page by page until its time or its pages are used up."""

    data: bytes
    limits: LoadLimits
    document: Any = None
    pages: int = 0
    seconds: float = 0.0
    given_up: list[int] = field(default_factory=list)

    def on_page(self, number: int, height: float) -> list[PlacedTable]:
        """The ruled tables of page `number` (from 1). A page that pdfplumber cannot read has none."""
        if self.pages >= self.limits.table_pages or self.seconds >= self.limits.table_seconds:
            self.given_up.append(number)
            return []
        self.pages += 1
        began = time.monotonic()
        try:
            return list(self._found(number, height))
        except Exception:
            # pdfminer raises whatever a damaged page makes of it; the text of the page is there without it.
            return []
        finally:
            self.seconds += time.monotonic() - began

    def _found(self, number: int, height: float) -> Iterator[PlacedTable]:
        import pdfplumber

        if self.document is None:
            self.document = pdfplumber.open(io.BytesIO(self.data))
        page = self.document.pages[number - 1]
        for table in page.find_tables():
            rows = [[one_line(cell or "") for cell in row] for row in table.extract()]
            rows = [row for row in rows if any(row)]
            columns = [column for column in zip(*rows, strict=False) if any(column)]
            if len(rows) < 2 or len(columns) < 2 or sum(bool(cell) for row in rows for cell in row) < 4:
                continue
            left, top, right, bottom = table.bbox
            grid = [[GridCell(cell) for cell in row] for row in zip(*columns, strict=True)]
            yield PlacedTable(grid, Box(left, right, height - bottom, height - top))
        page.close()

    def close(self) -> None:
        """Let go of the document."""
        if self.document is not None:
            self.document.close()


def may_hold_open_table(lines: Sequence[Line]) -> bool:
    """A quick look: at least two lines with several figures, or four that are a figure alone."""
    several = alone = 0
    for line in lines:
        words = line.text.split()
        figures = sum(is_figure(word) for word in words)
        if len(words) == 1 and figures:
            alone += 1
        elif figures >= 1 and len(words) <= 30 and figures * 4 >= len(words):
            several += 1
    return several >= 2 or alone >= 4 or (several >= 1 and alone >= 2)


def count_rules(page: Any) -> int:
    """How many drawn paths a page has; -1 for a page with more objects than are worth looking at."""
    from pypdfium2 import raw

    objects = raw.FPDFPage_CountObjects(page)
    if objects > MAX_OBJECTS:
        return -1
    return sum(
        raw.FPDFPageObj_GetType(raw.FPDFPage_GetObject(page, number)) == raw.FPDF_PAGEOBJ_PATH
        for number in range(objects)
    )


def read_segments(text_page: Any) -> list[Segment]:
    """The page's text cut where gaps are as wide as between cells."""
    from pypdfium2 import raw

    count = text_page.count_chars()
    if count > MAX_CHARACTERS:
        return []
    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    segments: list[Segment] = []
    space = True
    for place in range(count):
        code = raw.FPDFText_GetUnicode(text_page, place)
        character = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
        if not character or character.isspace() or code in (2, 0xFFFE):
            if code in (2, 0xFFFE) and segments:
                segments[-1].text += "-"
            space = True
            continue
        raw.FPDFText_GetCharBox(text_page, place, left, right, bottom, top)
        raw.FPDFText_GetCharOrigin(text_page, place, x, y)
        last = segments[-1] if segments else None
        if last is not None and abs(last.base - y.value) <= 0.35 * last.size:
            gap = left.value - last.right
            if -0.5 * last.size <= gap <= CELL_GAP * last.size:
                last.text += (" " if space else "") + character
                last.right = max(last.right, right.value)
                space = False
                continue
        size = raw.FPDFText_GetFontSize(text_page, place)
        size = size if 3 <= size <= 200 else max((top.value - bottom.value) * 1.4, 4.0)
        segments.append(Segment(character, left.value, right.value, y.value, size))
        space = False
    return [segment for segment in segments if segment.text.replace(HYPHEN, "").strip()]


def find_open_tables(segments: Sequence[Segment], taken: Sequence[Box]) -> list[PlacedTable]:
    """Tables without rules: neighbouring rows whose figures stand above each other. `taken` is left alone."""
    rows = _rows([one for one in segments if not any(_inside(one, box) for box in taken)])
    tables: list[PlacedTable] = []
    place = floor = 0
    while place < len(rows):
        stop = _run_end(rows, place)
        if stop - place >= 2 and sum(row.figures > 0 for row in rows[place:stop]) >= 2:
            table = _table(rows, place, stop, floor)
            if table is not None and not any(table.box.overlaps(box) for box in taken):
                tables.append(table)
                place = floor = stop
                continue
        place += 1
    return tables


def _inside(segment: Segment, box: Box) -> bool:
    return box.left - 2 <= segment.left <= box.right + 2 and box.bottom - 2 <= segment.base <= box.top + 2


def _rows(segments: Sequence[Segment]) -> list[_Row]:
    rows: list[_Row] = []
    for segment in sorted(segments, key=lambda one: (-one.base, one.left)):
        if rows and abs(rows[-1].base - segment.base) <= 0.4 * segment.size:
            rows[-1].segments.append(segment)
        else:
            rows.append(_Row([segment], segment.base, segment.size))
    for row in rows:
        row.segments.sort(key=lambda one: one.left)
    return rows


def _is_data(row: _Row) -> bool:
    """At least two cells, one of them a figure, none of them prose."""
    return (
        len(row.segments) >= 2
        and row.figures >= 1
        and all(len(segment.text) <= LONGEST_CELL for segment in row.segments)
    )


def _run_end(rows: Sequence[_Row], start: int) -> int:
    """Where the data rows that begin at `start` end; a lone label between two of them is taken along."""
    if not _is_data(rows[start]):
        return start
    place = start + 1
    while place < len(rows):
        near = rows[place - 1].base - rows[place].base <= 2.4 * rows[place - 1].size
        if near and _is_data(rows[place]):
            place += 1
            continue
        label = (
            near
            and len(rows[place].segments) == 1
            and len(rows[place].segments[0].text) <= LONGEST_CELL
            and abs(rows[place].segments[0].left - rows[start].segments[0].left) <= 3 * rows[start].size
        )
        follows = (
            place + 1 < len(rows)
            and _is_data(rows[place + 1])
            and rows[place].base - rows[place + 1].base <= 2.4 * rows[place].size
        )
        if not (label and follows):
            break
        place += 2
    return place


def _table(rows: Sequence[_Row], start: int, stop: int, floor: int) -> PlacedTable | None:
    body = [row for row in rows[start:stop] if _is_data(row)]
    columns = _columns(body)
    if len(columns) < 2:
        return None
    first = start
    while first > floor and start - first < MAX_HEADER_ROWS and _is_header(rows[first - 1], rows[first], columns):
        first -= 1
    grid = [_cells(row, number, columns) for number, row in enumerate(rows[first:stop])]
    figures = [
        sum(is_figure(row[column].text) or is_period(row[column].text) for row in grid)
        for column in range(len(columns))
    ]
    filled = [sum(not is_blank(row[column].text) for row in grid) for column in range(len(columns))]
    # Figures must fill at least one column; a page of prose in two columns has none.
    if not any(count >= 2 and count * 10 >= total * 6 for count, total in zip(figures, filled, strict=True)):
        return None
    taken = [segment for row in rows[first:stop] for segment in row.segments]
    size = max(segment.size for segment in taken)
    return PlacedTable(
        grid,
        Box(
            min(segment.left for segment in taken),
            max(segment.right for segment in taken),
            min(segment.base for segment in taken) - 0.3 * size,
            max(segment.base for segment in taken) + 0.9 * size,
        ),
    )


def _columns(body: Sequence[_Row]) -> list[tuple[float, float]]:
    """Ranges of x that cells cover, joined where they overlap."""
    spans = sorted((segment.left, segment.right) for row in body for segment in row.segments)
    columns: list[tuple[float, float]] = []
    for left, right in spans:
        if columns and left < columns[-1][1] - 0.5:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _is_header(row: _Row, below: _Row, columns: Sequence[tuple[float, float]]) -> bool:
    """Labels over the columns: several, or one that stands right of the first column."""
    if row.base - below.base > 2.6 * below.size or any(len(one.text) > LONGEST_CELL for one in row.segments):
        return False
    if row.segments[0].left < columns[0][0] - 2 * row.size or row.segments[-1].right > columns[-1][1] + 6 * row.size:
        return False
    if len(row.segments) >= 2:
        return True
    return row.segments[0].left > columns[0][1] and len(columns) > 2


def _cells(row: _Row, row_number: int, columns: Sequence[tuple[float, float]]) -> list[GridCell]:
    texts = [""] * len(columns)
    spread: dict[int, int] = {}
    for segment in row.segments:
        over = [
            number
            for number, (left, right) in enumerate(columns)
            if segment.left < right + 1 and segment.right > left - 1
        ]
        if not over:
            middle = (segment.left + segment.right) / 2
            over = [min(range(len(columns)), key=lambda number: abs(sum(columns[number]) / 2 - middle))]
        first = over[0]
        texts[first] = f"{texts[first]} {segment.text}".strip()
        for covered in over[1:]:
            if not texts[covered]:
                spread[covered] = first
    return [
        GridCell(one_line(text)) if text or number not in spread else GridCell(same_as=(row_number, spread[number]))
        for number, text in enumerate(texts)
    ]
