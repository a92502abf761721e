"""What a format's parser hands over, and the builder for formats whose text has to be put together."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from deepresearch.model.documents import Cell, Heading, Page, Table

# Line and paragraph separators become line breaks; what cannot be stored or seen becomes a space or goes.
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
INVISIBLE = re.compile("[\xad\u200b\u2060\ufeff]")
BREAKS = re.compile("\r\n?|[\x85\u2028\u2029]")


@dataclass
class Parsed:
    """A document before its name, hash and limits are known. Offsets are into `text`."""

    text: str
    media_type: str
    title: str | None = None
    date: datetime.date | None = None
    date_is_said: bool = False  # by the author, as in front matter, not by the program that saved the file
    version: str | None = None
    pages: list[Page] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str | None = None


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell before it has a place. `same_as` is the (row, column) of the merged cell that covers it."""

    text: str = ""
    address: str = ""
    number: float | None = None
    same_as: tuple[int, int] | None = None


Grid = list[list[GridCell]]


def storable(text: str) -> str:
    """`text` without control characters and lone surrogates, with plain line feeds."""
    text = BREAKS.sub("\n", text)
    return UNSTORABLE.sub("", INVISIBLE.sub("", text))


def one_line(text: str) -> str:
    """`text` with every run of white space as one space."""
    return " ".join(storable(text).split())


class TextBuilder:
    """Puts a document's text together block by block and remembers where each block is.

    Blocks are separated by one empty line, the rows of a table by a line feed and its cells by a tab.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.parted = False
        self.pages: list[Page] = []
        self.headings: list[Heading] = []
        self.tables: list[Table] = []
        self.notes: list[str] = []

    @property
    def text(self) -> str:
        """Everything written so far."""
        return "".join(self.parts)

    def write(self, text: str) -> tuple[int, int]:
        """Append `text` as it is; the place it has now."""
        start = self.length
        self.parts.append(text)
        self.length += len(text)
        return start, self.length

    def block(self, text: str, *, tight: bool = False) -> tuple[int, int]:
        """Append a paragraph after an empty line, or on the next line when `tight` (items of a list)."""
        self._part("\n" if tight else "\n\n")
        return self.write(text)

    def _part(self, separator: str) -> None:
        if self.length and not self.parted:
            self.write(separator)
        self.parted = False

    def next_block(self) -> int:
        """Where the next block will begin."""
        return self.length + (2 if self.length and not self.parted else 0)

    def heading(self, level: int, title: str) -> None:
        """Append a heading on its own line."""
        start, end = self.block(title)
        self.headings.append(Heading(level=max(1, level), title=title, start=start, end=end))

    def begin_page(self) -> int:
        """Part what follows from the page before; where the new page begins."""
        self._part("\n\n")
        self.parted = True
        return self.length

    def end_page(self, number: int, start: int, label: str | None = None) -> None:
        """Close the page that began at `start`. The ranges of pages follow each other without a gap."""
        if self.pages and self.pages[-1].end < start:
            self.pages[-1] = self.pages[-1].model_copy(update={"end": start})
        self.pages.append(Page(number=number, start=start, end=self.length, label=label))

    def grid(self, grid: Grid) -> list[list[Cell]]:
        """Append a table's cells, one row a line, padded to one length, and give them their places."""
        width = max((len(row) for row in grid), default=0)
        self._part("\n\n")
        rows: list[list[Cell]] = []
        for number, row in enumerate(grid):
            if number:
                self.write("\n")
            cells: list[Cell] = []
            padded = [
                *row,
                *(GridCell(address=f"r{number + 1}c{column + 1}") for column in range(len(row), width)),
            ]
            for column, cell in enumerate(padded):
                if column:
                    self.write("\t")
                address = cell.address or f"r{number + 1}c{column + 1}"
                origin = self._origin(rows, cells, number, cell.same_as)
                if origin is not None:
                    cells.append(origin.model_copy(update={"address": address, "number": None}))
                    continue
                start, end = self.write(cell.text)
                cells.append(Cell(text=cell.text, start=start, end=end, address=address, number=cell.number))
            rows.append(cells)
        return rows

    @staticmethod
    def _origin(
        rows: Sequence[Sequence[Cell]], current: Sequence[Cell], number: int, place: tuple[int, int] | None
    ) -> Cell | None:
        if place is None:
            return None
        row, column = place
        if row == number and column < len(current):
            return current[column]
        if row < number and column < len(rows[row]):
            return rows[row][column]
        return None
