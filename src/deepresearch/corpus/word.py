"""DOCX: paragraphs, headings, lists, tables in place and footnotes of a Word document."""

from __future__ import annotations

import re
from typing import Any

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.office import OfficeArchive, broken
from deepresearch.corpus.parsed import Grid, GridCell, Parsed, TextBuilder, one_line, storable
from deepresearch.corpus.tables import make_table

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
HEADING_NAME = re.compile(
    r"(?:heading|überschrift|berschrift|titre|título|titolo|kop|rubrik|nagłówek)\s*([1-9])$", re.IGNORECASE
)
TITLE_NAMES = frozenset({"title", "titel", "titre", "título", "titolo"})
CAPTION_NAMES = frozenset({"caption", "beschriftung", "légende", "descripción", "didascalia"})
# Deleted text, field instructions, and the copy kept for old readers are not what a person sees.
UNSEEN = frozenset({W + "del", W + "moveFrom", W + "instrText", W + "delText", W + "pPr", W + "rPr", FALLBACK})


def parse_word(data: bytes, limits: LoadLimits) -> Parsed:
    """The body in order; footnotes and endnotes at the end under their numbers.

    Tracked deletions and hidden text are left out. Word stores no page breaks as laid out, so there are no
    pages.
    """
    archive = OfficeArchive(data, limits)
    root = archive.xml(_main_part(archive))
    body = None if root is None else root.find(W + "body")
    if body is None:
        raise broken()
    reader = _Reader(archive, limits)
    reader.read(body)
    return reader.finish()


def _main_part(archive: OfficeArchive) -> str:
    relations = archive.xml("_rels/.rels")
    if relations is not None:
        for relation in relations.iter(RELATIONS + "Relationship"):
            if (relation.get("Type") or "").endswith("/officeDocument"):
                return (relation.get("Target") or "").lstrip("/")
    return "word/document.xml"


class _Reader:
    def __init__(self, archive: OfficeArchive, limits: LoadLimits) -> None:
        self.archive = archive
        self.limits = limits
        self.builder = TextBuilder()
        self.levels, self.titles, self.captions = _styles(archive)
        self.in_list = False
        self.caption: str | None = None
        self.notes_used: list[tuple[str, str]] = []
        self.hidden = 0
        self.cells = 0
        self.title: str | None = None

    def read(self, body: Any) -> None:
        stack = list(reversed(body))
        while stack:
            element = stack.pop()
            if element.tag == W + "p":
                self._paragraph(element)
            elif element.tag == W + "tbl":
                self._table(element)
            elif element.tag in (W + "sdt", W + "sdtContent", W + "ins", W + "customXml", W + "moveTo"):
                stack.extend(reversed(element))

    def finish(self) -> Parsed:
        self._write_notes()
        if self.hidden:
            self.builder.notes.append(f"Hidden text was left out ({self.hidden:,} runs).")
        parsed = Parsed(
            text=self.builder.text,
            media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            headings=self.builder.headings,
            tables=self.builder.tables,
            notes=self.builder.notes,
        )
        self.archive.properties(parsed)
        parsed.title = self.title or parsed.title
        if parsed.title is None and parsed.headings:
            parsed.title = parsed.headings[0].title
        return parsed

    def _paragraph(self, paragraph: Any) -> None:
        text = "\n".join(" ".join(line.split()) for line in self._text(paragraph).split("\n")).strip()
        style = _attribute(paragraph.find(f"{W}pPr/{W}pStyle"), "val")
        if not text:
            self.in_list = False
            return
        outline = _attribute(paragraph.find(f"{W}pPr/{W}outlineLvl"), "val")
        level = self.levels.get(style)
        if outline.isdigit() and int(outline) < 9:
            level = int(outline) + 1
        if style in self.titles and len(text) <= 300:
            self.title = self.title or one_line(text)
            level = 1 if level is None else level
        if level is not None and len(text) <= 400:
            self.builder.heading(level, one_line(text))
            self.in_list, self.caption = False, None
            return
        listed = paragraph.find(f"{W}pPr/{W}numPr") is not None or "list" in style.lower()
        if listed:
            self.builder.block("- " + text.replace("\n", " "), tight=self.in_list)
        else:
            self.builder.block(text)
        self.in_list = listed
        short = len(text) <= 160 and "\n" not in text and not listed
        self.caption = one_line(text) if style in self.captions or (short and not text.endswith(".")) else None

    def _text(self, top: Any) -> str:
        parts: list[str] = []
        stack = [top]
        while stack:
            element = stack.pop()
            tag = element.tag
            if tag in UNSEEN:
                continue
            if tag == W + "t":
                parts.append(element.text or "")
            elif tag == W + "tab":
                parts.append(" ")
            elif tag in (W + "br", W + "cr"):
                parts.append("\n")
            elif tag in (W + "noBreakHyphen",):
                parts.append("-")
            elif tag in (W + "footnoteReference", W + "endnoteReference"):
                kind = "footnote" if tag == W + "footnoteReference" else "endnote"
                self.notes_used.append((kind, element.get(W + "id") or ""))
                parts.append(f"[{len(self.notes_used)}]")
            elif tag == W + "r" and _is_on(element.find(f"{W}rPr/{W}vanish")):
                self.hidden += 1
            else:
                if tag == W + "p" and element is not top:
                    parts.append("\n")
                stack.extend(reversed(element))
        return storable("".join(parts))

    def _table(self, table: Any) -> None:
        grid: Grid = []
        above: dict[int, tuple[int, int]] = {}  # column: the cell that a vertical merge continues
        header_rows = 0
        for row in table.iter(W + "tr"):
            if next(row.iterancestors(W + "tbl")) is not table:
                continue  # a table within a cell is read as that cell's text
            number = len(grid)
            cells: list[GridCell] = []
            for cell in row.iter(W + "tc"):
                if next(cell.iterancestors(W + "tr")) is not row:
                    continue
                column = len(cells)
                merge = cell.find(f"{W}tcPr/{W}vMerge")
                across = _attribute(cell.find(f"{W}tcPr/{W}gridSpan"), "val")
                width = min(int(across), self.limits.table_columns) if across.isdigit() else 1
                origin = (number, column)
                if merge is not None and _attribute(merge, "val") != "restart" and column in above:
                    origin = above[column]
                    cells.append(GridCell(address=f"r{number + 1}c{column + 1}", same_as=origin))
                else:
                    cells.append(GridCell(text=one_line(self._text(cell)), address=f"r{number + 1}c{column + 1}"))
                above[column] = origin
                for step in range(1, max(1, width)):
                    cells.append(GridCell(address=f"r{number + 1}c{column + step + 1}", same_as=origin))
                    above[column + step] = origin
            if _is_on(row.find(f"{W}trPr/{W}tblHeader")) and header_rows == number:
                header_rows += 1
            grid.append(cells[: self.limits.table_columns])
        self._add(grid, header_rows)

    def _add(self, grid: Grid, header_rows: int) -> None:
        width = max((len(row) for row in grid), default=0)
        if not any(cell.text for row in grid for cell in row):
            return
        if width == 1:
            # One column is a frame around prose.
            for row in grid:
                self.builder.block(row[0].text if row else "")
            return
        room = min(self.limits.table_rows, (self.limits.cells - self.cells) // width)
        if len(grid) > room:
            self.builder.notes.append(f"Of a table with {len(grid):,} rows only the first {room:,} were taken over.")
            grid = grid[:room]
        if not grid:
            return
        start = self.builder.next_block()
        rows = self.builder.grid(grid)
        self.cells += width * len(rows)
        heading = self.builder.headings[-1].title if self.builder.headings else None
        self.builder.tables.append(
            make_table(
                len(self.builder.tables) + 1,
                rows,
                start=start,
                end=self.builder.length,
                header_rows=header_rows or None,
                caption=self.caption or heading,
            )
        )
        self.in_list, self.caption = False, None

    def _write_notes(self) -> None:
        texts: dict[tuple[str, str], str] = {}
        for kind in sorted({kind for kind, _ in self.notes_used}):
            root = self.archive.xml(f"word/{kind}s.xml")
            for note in root.iter(W + kind) if root is not None else ():
                texts[kind, note.get(W + "id") or ""] = one_line(self._text(note))
        for number, place in enumerate(list(self.notes_used), start=1):
            if text := texts.get(place):
                self.builder.block(f"[{number}] {text}")


def _styles(archive: OfficeArchive) -> tuple[dict[str, int], set[str], set[str]]:
    """Style ids: heading levels, titles, captions. A style without a level has that of its base."""
    levels: dict[str, int] = {}
    based: dict[str, str] = {}
    titles: set[str] = set()
    captions: set[str] = set()
    root = archive.xml("word/styles.xml")
    for style in root.iter(W + "style") if root is not None else ():
        identity = style.get(W + "styleId") or ""
        name = _attribute(style.find(W + "name"), "val").lower()
        based[identity] = _attribute(style.find(W + "basedOn"), "val")
        outline = _attribute(style.find(f"{W}pPr/{W}outlineLvl"), "val")
        if match := HEADING_NAME.search(name):
            levels[identity] = int(match[1])
        elif outline.isdigit() and int(outline) < 9:
            levels[identity] = int(outline) + 1
        if name in TITLE_NAMES:
            titles.add(identity)
        if name in CAPTION_NAMES:
            captions.add(identity)
    for identity, base in based.items():
        steps = 0
        while identity not in levels and base and steps < 10:
            if base in levels:
                levels[identity] = levels[base]
            base, steps = based.get(base, ""), steps + 1
    return levels, titles, captions


def _attribute(element: Any, name: str) -> str:
    return "" if element is None else element.get(W + name) or ""


def _is_on(element: Any) -> bool:
    return element is not None and _attribute(element, "val") not in ("0", "false", "off")
