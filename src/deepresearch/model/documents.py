"""Documents as text with exact places in it.

All offsets count Unicode code points in `Document.text`, half-open: `text[start:end]`.
"""

from __future__ import annotations

import datetime

from pydantic import Field

from deepresearch.model.base import Value


class Page(Value):
    """One page (PDF), slide (PPTX) or sheet (XLSX) and the range of text it covers. Numbers begin at 1."""

    number: int
    start: int
    end: int
    label: str | None = None


class Heading(Value):
    """A heading and its place. `level` is 1 for the topmost."""

    level: int
    title: str
    start: int
    end: int


class Cell(Value):
    """One cell of a table.

    `text` is what a person sees; `start` and `end` give its place in the document's text (equal when the
    cell is empty). `address` names it as its format does: ``B7`` in a spreadsheet, ``r3c2`` elsewhere
    (rows and columns from 1). `number` is the stored value where the format keeps one (a spreadsheet).
    """

    text: str
    start: int
    end: int
    address: str
    number: float | None = None


class Table(Value):
    """A table as rows of cells, header rows first.

    `rows[:header_rows]` are headings. All rows have the same length. `caption` is the line or heading that
    names it; `unit` what caption or header say about all figures (``million EUR``, ``%``).
    """

    id: str
    caption: str | None = None
    unit: str | None = None
    page: int | None = None
    sheet: str | None = None
    start: int
    end: int
    header_rows: int
    rows: tuple[tuple[Cell, ...], ...]


class Document(Value):
    """One source, read once and stored by the SHA-256 of its bytes.

    `source` is the absolute path or the address it came from. `text` is the stored text that every
    citation points into; for `.txt` and `.md` it is the decoded file, unchanged. `date` and `version` are
    given only where the document itself, its metadata or its file name say so.
    """

    sha256: str
    source: str
    media_type: str
    title: str
    text: str
    date: datetime.date | None = None
    version: str | None = None
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="What the loader could not take over, in words.")

    def page_at(self, offset: int) -> int | None:
        """The number of the page that holds this offset, or None for a format without pages."""
        for page in self.pages:
            if page.start <= offset < page.end:
                return page.number
        return None


class Passage(Value):
    """A run of whole sentences, or one table (part), of one document: the unit of retrieval.

    `text == document.text[start:end]`. `kind` is ``prose`` or ``table``.
    """

    id: str
    sha256: str
    start: int
    end: int
    text: str
    kind: str = "prose"
    page: int | None = None
    heading_path: tuple[str, ...] = ()


class RefusedSource(Value):
    """A file that could not be read, with the reason in words."""

    source: str
    kind: str
    reason: str
