"""PPTX: each slide a page, with its title, texts, tables and speaker's notes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.office import OfficeArchive, broken
from deepresearch.corpus.parsed import Grid, GridCell, Parsed, TextBuilder, one_line, storable
from deepresearch.corpus.tables import make_table

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
TITLES = frozenset({"title", "ctrTitle"})
FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr"})


def parse_slides(data: bytes, limits: LoadLimits) -> Parsed:
    """Slides in the order of the show; shapes from top to bottom where they have a place of their own."""
    archive = OfficeArchive(data, limits)
    show = archive.xml("ppt/presentation.xml")
    if show is None:
        raise broken()
    builder = TextBuilder()
    relations = _relations(archive, "ppt/presentation.xml")
    hidden: list[int] = []
    number = 0
    for entry in show.iter(P + "sldId"):
        path = relations.get(entry.get(R + "id") or "", "")
        slide = archive.xml(path)
        if slide is None:
            continue
        number += 1
        if slide.get("show") in ("0", "false"):
            hidden.append(number)
        start = builder.begin_page()
        title = _Slide(builder, limits, number).read(slide)
        _write_notes(archive, path, builder)
        builder.end_page(number, start, label=title)
    if hidden:
        builder.notes.append(f"Slides hidden in the show were read: {', '.join(map(str, hidden[:20]))}.")
    parsed = Parsed(
        text=builder.text,
        media_type="application/vnd.openxmlformats-officedocument.presentationml.presentation",
        pages=builder.pages,
        headings=builder.headings,
        tables=builder.tables,
        notes=builder.notes,
    )
    archive.properties(parsed)
    if parsed.title is None and parsed.headings:
        parsed.title = parsed.headings[0].title
    return parsed


class _Slide:
    def __init__(self, builder: TextBuilder, limits: LoadLimits, number: int) -> None:
        self.builder = builder
        self.limits = limits
        self.number = number
        self.title: str | None = None

    def read(self, slide: Any) -> str | None:
        shapes = sorted(self._shapes(slide), key=lambda shape: shape[0])
        for (order, *_), shape in shapes:
            if order == 0:
                self._write_title(shape)
        for (order, *_), shape in shapes:
            if order == 0:
                continue
            tables = list(shape.iter(A + "tbl"))
            if tables:
                self._table(tables[0])
            else:
                self._paragraphs(shape)
        return self.title

    def _shapes(self, slide: Any) -> Iterator[tuple[tuple[int, int, int, int], Any]]:
        """Shapes and frames with their order: title first, then by height on the slide, then as stored."""
        for stored, shape in enumerate(slide.iter(P + "sp", P + "graphicFrame")):
            placeholder = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
            kind = placeholder.get("type") if placeholder is not None else None
            if kind in FURNITURE:
                continue
            if kind in TITLES:
                yield (0, 0, 0, stored), shape
                continue
            place = next(shape.iter(A + "off", P + "xfrm"), None)
            if place is not None and place.tag == P + "xfrm":
                place = place.find(A + "off")
            if place is None or placeholder is not None:
                yield (1, 0, 0, stored), shape
            else:
                yield (1, _integer(place.get("y")) // 100_000 + 1, _integer(place.get("x")), stored), shape

    def _write_title(self, shape: Any) -> None:
        title = one_line(" ".join(text for text, _, _ in _paragraphs(shape)))
        if title:
            self.builder.heading(1 if self.title is None else 2, title)
            self.title = self.title or title

    def _paragraphs(self, shape: Any) -> None:
        before = False
        for text, level, bulleted in _paragraphs(shape):
            item = bulleted or level > 0
            self.builder.block(("  " * level + "- " if item else "") + text, tight=before and item)
            before = True

    def _table(self, table: Any) -> None:
        grid: Grid = []
        for row in table.iter(A + "tr"):
            cells: list[GridCell] = []
            for cell in row.iter(A + "tc"):
                place = (len(grid), len(cells))
                address = f"r{place[0] + 1}c{place[1] + 1}"
                if cell.get("hMerge") in ("1", "true") and cells:
                    origin = cells[-1].same_as or (place[0], place[1] - 1)
                    cells.append(GridCell(address=address, same_as=origin))
                elif cell.get("vMerge") in ("1", "true") and grid and place[1] < len(grid[-1]):
                    origin = grid[-1][place[1]].same_as or (place[0] - 1, place[1])
                    cells.append(GridCell(address=address, same_as=origin))
                else:
                    cells.append(GridCell(one_line(" ".join(text for text, _, _ in _paragraphs(cell))), address))
            grid.append(cells[: self.limits.table_columns])
        if not any(cell.text for row in grid for cell in row):
            return
        grid = grid[: self.limits.table_rows]
        start = self.builder.next_block()
        rows = self.builder.grid(grid)
        first_row = table.find(A + "tblPr")
        stated = first_row is not None and first_row.get("firstRow") in ("1", "true")
        self.builder.tables.append(
            make_table(
                len(self.builder.tables) + 1,
                rows,
                start=start,
                end=self.builder.length,
                header_rows=None if not stated or len(rows) < 2 else max(1, _counted(rows)),
                caption=self.title,
                page=self.number,
            )
        )


def _counted(rows: Any) -> int:
    from deepresearch.corpus.tables import count_header_rows

    return count_header_rows([[cell.text for cell in row] for row in rows[:60]])


def _paragraphs(shape: Any) -> Iterator[tuple[str, int, bool]]:
    """Each paragraph's text, its level of indent, and whether it says that it has a bullet."""
    for paragraph in shape.iter(A + "p"):
        parts: list[str] = []
        for element in paragraph.iter(A + "t", A + "br"):
            parts.append(" " if element.tag == A + "br" else element.text or "")
        text = one_line(storable("".join(parts)))
        if not text:
            continue
        properties = paragraph.find(A + "pPr")
        level = _integer(properties.get("lvl")) if properties is not None else 0
        bulleted = properties is not None and (
            properties.find(A + "buChar") is not None or properties.find(A + "buAutoNum") is not None
        )
        yield text, min(level, 8), bulleted


def _write_notes(archive: OfficeArchive, path: str, builder: TextBuilder) -> None:
    for target in _relations(archive, path).values():
        if "notesSlide" not in target or (root := archive.xml(target)) is None:
            continue
        for shape in root.iter(P + "sp"):
            placeholder = shape.find(f"{P}nvSpPr/{P}nvPr/{P}ph")
            if placeholder is None or placeholder.get("type") != "body":
                continue
            for text, _, _ in _paragraphs(shape):
                builder.block(text)


def _relations(archive: OfficeArchive, path: str) -> dict[str, str]:
    folder, name = posixpath.split(path)
    root = archive.xml(f"{folder}/_rels/{name}.rels")
    found: dict[str, str] = {}
    for relation in root if root is not None else ():
        target = relation.get("Target") or ""
        if relation.get("TargetMode") != "External":
            target = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            )
            found[relation.get("Id") or ""] = target
    return found


def _integer(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0
