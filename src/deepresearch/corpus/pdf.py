"""PDF: the text of every page in reading order, with paragraphs, headings and tables."""

from __future__ import annotations

import ctypes
import datetime
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Parsed, TextBuilder, one_line
from deepresearch.corpus.pdf_lines import HYPHEN, NAMED, Line, blocks, body_size, heading_levels, plain_line
from deepresearch.corpus.pdf_tables import (
    MIN_RULES,
    PlacedTable,
    RuledTables,
    count_rules,
    find_open_tables,
    may_hold_open_table,
    read_segments,
)
from deepresearch.corpus.sniffing import NotReadableError
from deepresearch.corpus.tables import make_table

# PDFium keeps global state: one thread at a time, in the whole process.
PDFIUM = threading.Lock()
ERROR_PASSWORD = 4
ERROR_SECURITY = 5
LINE_BREAK = re.compile(r"\r\n|\r|\n")
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
CREATION_DATE = re.compile(r"(?:D:)?((?:19|20)\d\d)(\d\d)(\d\d)")
BOLD = re.compile(rb"bold|black|heavy|semibold|-bd\b", re.IGNORECASE)
FILE_NAME_TITLE = re.compile(
    r"(?:microsoft \w+ - )?.*\.(?:docx?|pptx?|xlsx?|indd|tex|dvi|pdf|qxd|html?|rtf)$"
    r"|untitled|\(anonymous\)|document\d*|title",
    re.IGNORECASE,
)
SCANNED_PAGE_CHARACTERS = 3


def parse_pdf(data: bytes, limits: LoadLimits) -> Parsed:
    """Text by PDFium (`pypdfium2`); ranges of pages are exact and cover the text without a gap.

    Raises `NotReadableError`: ``encrypted``, ``broken``, ``no_text`` (pictures of pages), ``too_large``.
    """
    with PDFIUM:
        import pypdfium2

        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) in (ERROR_PASSWORD, ERROR_SECURITY):
                raise NotReadableError("encrypted", "it is protected by a password; save it without one") from error
            raise NotReadableError("broken", "the PDF is damaged or cut off; open and save it again") from error
        with closing(document):
            pages, notes = _all_pages(document, data, limits)
            metadata = document.get_metadata_dict(skip_empty=True)
    characters = sum(len(line.text) for page in pages for line in page.lines)
    if not pages:
        raise NotReadableError("broken", "the PDF has no pages that can be read")
    if characters <= SCANNED_PAGE_CHARACTERS * len(pages) and characters < 100:
        what = "page" if len(pages) == 1 else f"{len(pages):,} pages"
        raise NotReadableError(
            "no_text", f"its {what} hold pictures but no text (a scan); run text recognition (OCR) first"
        )
    return _assembled(pages, notes, metadata, limits)


@dataclass
class _Page:
    lines: list[Line] = field(default_factory=list)
    tables: list[PlacedTable] = field(default_factory=list)


def _all_pages(document: Any, data: bytes, limits: LoadLimits) -> tuple[list[_Page], list[str]]:
    import pypdfium2

    pages: list[_Page] = []
    unread: list[int] = []
    characters = 0
    ruled = RuledTables(data, limits)
    with closing(ruled):
        for number in range(1, len(document) + 1):
            content = _Page()
            try:
                page = document[number - 1]
                with closing(page), closing(page.get_textpage()) as text_page:
                    content.lines = list(_page_lines(text_page))
                    content.tables = _page_tables(page, text_page, content.lines, number, ruled)
            except (pypdfium2.PdfiumError, UnicodeDecodeError, ValueError):
                unread.append(number)
            characters += sum(len(line.text) for line in content.lines)
            if characters > limits.text_characters:
                raise NotReadableError(
                    "too_large", f"its text has over {limits.text_characters:,} characters; split it"
                )
            pages.append(content)
    notes: list[str] = []
    if unread:
        notes.append(f"Pages that could not be read: {_listed(unread)}.")
    if ruled.given_up:
        notes.append(
            f"Ruled tables were no longer looked for on {len(ruled.given_up):,} pages, to keep the time bounded."
        )
    return pages, notes


def _page_tables(
    page: Any, text_page: Any, lines: Sequence[Line], number: int, ruled: RuledTables
) -> list[PlacedTable]:
    tables: list[PlacedTable] = []
    if lines and count_rules(page) >= MIN_RULES:
        tables = ruled.on_page(number, page.get_height())
    if may_hold_open_table(lines):
        taken = [table.box for table in tables]
        tables = tables + find_open_tables(read_segments(text_page), taken)
    if tables and number in ruled.given_up:
        ruled.given_up.remove(number)
    return tables


def _page_lines(text_page: Any) -> Iterator[Line]:
    from pypdfium2 import raw

    text = text_page.get_text_range()
    # PDFium counts UTF-16 units: beyond the basic plane one character is two of them.
    units: Sequence[int] | None = None
    if any(character > "\uffff" for character in text):
        places = [0]
        for character in text:
            places.append(places[-1] + (2 if character > "\uffff" else 1))
        units = places
    in_step = (units[-1] if units else len(text)) == text_page.count_chars()
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()

    def box(place: int) -> tuple[float, float, float, float]:
        raw.FPDFText_GetCharBox(text_page, place, left, right, bottom, top)
        return left.value, right.value, bottom.value, top.value

    start = 0
    while start < len(text):
        match = LINE_BREAK.search(text, start)
        end = match.start() if match else len(text)
        following = match.end() if match else len(text)
        # A hyphen at a line's end hides the line break: part the line there.
        hyphen = text.find(HYPHEN, start, end)
        if 0 <= hyphen < end - 1:
            end = following = hyphen + 1
        line = plain_line(text[start:end])
        if line and line != HYPHEN:
            first, last = start, end - 1
            while text[first].isspace():
                first += 1
            while text[last].isspace() or (text[last] == HYPHEN and last > first):
                last -= 1
            if in_step:
                unit, unit_last = (units[first], units[last]) if units else (first, last)
                x, _, low, high = box(unit)
                _, x_end, low_end, high_end = box(unit_last)
                raw.FPDFText_GetFontInfo(text_page, unit, name, 128, flags)
                size = raw.FPDFText_GetFontSize(text_page, unit)
                height = max(high, high_end) - min(low, low_end)
                # Some writers set every font at size 1 and scale it by the matrix.
                size = size if 3 <= size <= 200 else max(height * 1.2, 1.0)
                raw.FPDFText_GetCharOrigin(text_page, unit, left, bottom)
                baseline = bottom.value
                yield Line(
                    line,
                    x,
                    max(x_end, x),
                    baseline + size * 0.7,
                    baseline,
                    size,
                    bool(BOLD.search(name.value)),
                )
            else:
                yield Line(line, 0, len(line), -start, -start, 10.0, False)
        start = following


def _assembled(pages: list[_Page], notes: list[str], metadata: dict[str, str], limits: LoadLimits) -> Parsed:
    every_line = [page.lines for page in pages]
    body = body_size(every_line)
    levels = heading_levels(every_line, body)
    words: set[str] = set()
    for lines in every_line:
        for line in lines:
            words.update(word.lower() for word in WORD.findall(line.text)[:-1])
    builder = TextBuilder()
    room = limits.cells
    for number, page in enumerate(pages, start=1):
        start = builder.begin_page()
        for part in _in_order(page):
            if isinstance(part, PlacedTable):
                room -= sum(len(row) for row in part.grid)
                _write_table(builder, part, number, as_cells=room > 0)
                continue
            for block in blocks(part, body, levels, words.__contains__):
                if block.level is not None:
                    builder.heading(block.level, one_line(block.text))
                else:
                    builder.block(block.text)
        builder.end_page(number, start)
    parsed = Parsed(
        text=builder.text,
        media_type="application/pdf",
        pages=builder.pages,
        headings=builder.headings,
        tables=builder.tables,
        notes=notes,
    )
    empty = [number for number, page in enumerate(pages, start=1) if not page.lines]
    if empty:
        parsed.notes.append(f"Pages without text (blank or pictures): {_listed(empty)}.")
    title = one_line(metadata.get("Title", ""))
    if title and not FILE_NAME_TITLE.fullmatch(title):
        parsed.title = title
    elif parsed.headings and parsed.pages and parsed.headings[0].start < parsed.pages[0].end:
        top = min(heading.level for heading in parsed.headings if heading.start < parsed.pages[0].end)
        parsed.title = next(heading.title for heading in parsed.headings if heading.level == top)
    parsed.date = _metadata_date(metadata)
    return parsed


def _in_order(page: _Page) -> list[list[Line] | PlacedTable]:
    """Lines and tables as they follow each other; each table stands where its first line stood."""
    parts: list[list[Line] | PlacedTable] = []
    written: set[int] = set()
    for line in page.lines:
        holder = next((number for number, table in enumerate(page.tables) if table.box.holds(line)), None)
        if holder is not None:
            if holder not in written:
                written.add(holder)
                parts.append(page.tables[holder])
        elif parts and isinstance(parts[-1], list):
            parts[-1].append(line)
        else:
            parts.append([line])
    return parts


def _write_table(builder: TextBuilder, table: PlacedTable, page: int, *, as_cells: bool) -> None:
    caption = _caption(builder)
    start = builder.next_block()
    rows = builder.grid(table.grid)
    if as_cells:
        builder.tables.append(
            make_table(len(builder.tables) + 1, rows, start=start, end=builder.length, caption=caption, page=page)
        )


def _caption(builder: TextBuilder) -> str | None:
    """The block above when it names the table, else the heading."""
    last = builder.parts[-1].strip() if builder.parts else ""
    line = last.rsplit("\n", 1)[-1]
    if line and "\t" not in line and len(line) <= 200 and (NAMED.match(line) or not line.endswith(".")):
        return line.rstrip(":")
    return builder.headings[-1].title if builder.headings else None


def _metadata_date(metadata: dict[str, str]) -> datetime.date | None:
    for key in ("CreationDate", "ModDate"):
        if match := CREATION_DATE.match(metadata.get(key, "")):
            try:
                return datetime.date(int(match[1]), int(match[2]), int(match[3]))
            except ValueError:
                continue
    return None


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:20])
    return shown + (f" and {len(numbers) - 20:,} more" if len(numbers) > 20 else "")
