"""The sheets of an XLSX workbook as sparse cells, read as a stream within bounds.

The parts are read here rather than with a spreadsheet library because a person's view of a cell (number
format, merged range, cached value of a formula) and a bound on memory are both needed at once.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.number_format import BUILT_IN, general, is_date_format, show_number
from deepresearch.corpus.office import OfficeArchive, broken
from deepresearch.corpus.parsed import one_line
from deepresearch.corpus.sniffing import NotReadableError

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
STRICT_RELATION_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})$")
MAX_STRINGS_CHARACTERS = 100_000_000


@dataclass(slots=True)
class SheetCell:
    """What a person sees in a cell, and the number stored behind it."""

    text: str
    number: float | None = None
    is_date: bool = False


@dataclass
class Sheet:
    """One sheet: cells by (row, column) from 1; merged ranges as (row, column, last row, last column)."""

    name: str
    hidden: bool = False
    cells: dict[tuple[int, int], SheetCell] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    formulas_without_value: int = 0
    rows_left_out: int = 0
    columns_left_out: int = 0


def column_number(letters: str) -> int:
    """``A`` is 1, ``AA`` is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 is ``A``, 27 is ``AA``."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@lru_cache(maxsize=1024)
def _column_of(letters: str) -> int:
    return column_number(letters) if letters.isalpha() and letters.isascii() and letters.isupper() else 0


def _column(reference: str) -> int:
    """The column of ``B7`` (2), or 0 when this is no reference."""
    return _column_of(reference.rstrip("0123456789").replace("$", "")) if len(reference) <= 12 else 0


class Workbook:
    """An opened XLSX workbook. `sheets` reads one sheet after the other."""

    def __init__(self, data: bytes, limits: LoadLimits) -> None:
        self.limits = limits
        self.archive = OfficeArchive(data, limits)
        self.path = self._main_part()
        root = self.archive.xml(self.path)
        if root is None:
            raise broken()
        relations = self._relations()
        self.entries: list[tuple[str, str, bool]] = []
        self.date_1904 = False
        for element in root.iter():
            tag = _local(element.tag)
            if tag == "sheet":
                target = relations.get(element.get(RELATION_ID) or element.get(STRICT_RELATION_ID) or "", "")
                hidden = (element.get("state") or "visible") != "visible"
                self.entries.append((one_line(element.get("name") or ""), target, hidden))
            elif tag == "workbookPr":
                self.date_1904 = element.get("date1904") in ("1", "true")
        self.formats = self._formats()
        self.strings = self._strings()
        self.room = limits.cells

    def sheets(self) -> Iterator[Sheet]:
        """Every sheet that holds cells (chart sheets hold none), hidden ones too."""
        for name, target, hidden in self.entries:
            if target not in self.archive.names or "worksheets" not in target:
                continue
            yield self._sheet(name, target, hidden)

    def _main_part(self) -> str:
        root = self.archive.xml("_rels/.rels")
        for relation in root if root is not None else ():
            if (relation.get("Type") or "").endswith("/officeDocument"):
                return (relation.get("Target") or "").lstrip("/")
        return "xl/workbook.xml"

    def _relations(self) -> dict[str, str]:
        folder, name = posixpath.split(self.path)
        root = self.archive.xml(f"{folder}/_rels/{name}.rels")
        found: dict[str, str] = {}
        for relation in root if root is not None else ():
            target = relation.get("Target") or ""
            found[relation.get("Id") or ""] = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            )
        return found

    def _formats(self) -> list[str]:
        root = self.archive.xml("xl/styles.xml")
        codes = dict(BUILT_IN)
        formats: list[str] = []
        for element in root.iter() if root is not None else ():
            tag = _local(element.tag)
            identity = element.get("numFmtId") or ""
            if tag == "numFmt" and identity.isdigit():
                codes[int(identity)] = element.get("formatCode") or "General"
            elif tag == "xf" and _local(element.getparent().tag) == "cellXfs":
                formats.append(codes.get(int(identity) if identity.isdigit() else 0, "General"))
        return formats

    def _strings(self) -> list[str]:
        strings: list[str] = []
        characters = 0
        for element in self._stream("xl/sharedStrings.xml", ("si",)):
            text = _string_item(element)
            characters += len(text)
            if characters > MAX_STRINGS_CHARACTERS:
                raise NotReadableError(
                    "too_large", f"its texts have over {MAX_STRINGS_CHARACTERS:,} characters; split it"
                )
            strings.append(text)
        return strings

    def _stream(self, name: str, tags: tuple[str, ...]) -> Iterator[Any]:
        """Elements of one part as they end, each forgotten after its turn."""
        from lxml import etree

        if name not in self.archive.names:
            return
        wanted = [namespace + tag for tag in tags for namespace in (MAIN, STRICT)]
        try:
            with self.archive.archive.open(name) as part:
                if b"<!DOCTYPE" in part.read(2048):
                    raise broken()
            with self.archive.archive.open(name) as part:
                events = etree.iterparse(
                    part,
                    events=("end",),
                    tag=wanted,
                    resolve_entities=False,
                    no_network=True,
                    load_dtd=False,
                    huge_tree=False,
                )
                for _, element in events:
                    yield element
                    element.clear()
                    # iterparse keeps emptied elements with their parent: drop those as well.
                    while element.getprevious() is not None:
                        del element.getparent()[0]
        except NotReadableError:
            raise
        except Exception as error:
            # zlib.error and lxml's syntax errors share no base below Exception.
            raise broken() from error

    def _sheet(self, name: str, target: str, hidden: bool) -> Sheet:
        sheet = Sheet(name, hidden)
        row_number = 0
        full = False
        for element in self._stream(target, ("row", "mergeCell")):
            if _local(element.tag) == "mergeCell":
                if (merged := _range(element.get("ref") or "")) is not None:
                    sheet.merged.append(merged)
                continue
            given = element.get("r") or ""
            row_number = int(given) if given.isdigit() else row_number + 1
            if full or self.room <= 0 or len(element) == 0:
                sheet.rows_left_out += 1 if len(element) else 0
                continue
            self._row(sheet, element, row_number)
            full = row_number >= self.limits.table_rows
            if full:
                # Streaming on costs seconds for a million rows and only the count would be gained.
                sheet.rows_left_out = -1
                break
        return sheet

    def _row(self, sheet: Sheet, row: Any, number: int) -> None:
        column = 0
        for cell in row:
            column = _column(cell.get("r") or "") or column + 1
            if column > self.limits.table_columns:
                sheet.columns_left_out = max(sheet.columns_left_out, column)
                continue
            value = self._value(cell, sheet)
            if value is not None and self.room > 0:
                sheet.cells[number, column] = value
                self.room -= 1

    def _value(self, cell: Any, sheet: Sheet) -> SheetCell | None:
        kind = cell.get("t") or "n"
        stored: str | None = None
        formula = False
        for child in cell:
            tag = child.tag
            if tag.endswith("}v"):
                stored = child.text
            elif tag.endswith("}f"):
                formula = True
            elif tag.endswith("}is"):
                text = _string_item(child)
                return SheetCell(text) if text else None
        if stored is None or stored == "":
            sheet.formulas_without_value += 1 if formula else 0
            return None
        if kind == "s":
            place = int(stored) if stored.isdigit() else -1
            text = self.strings[place] if 0 <= place < len(self.strings) else ""
            return SheetCell(text) if text else None
        if kind == "b":
            return SheetCell("TRUE" if stored == "1" else "FALSE")
        if kind == "d":
            return SheetCell(one_line(stored), is_date=True)
        if kind in ("str", "e"):
            text = one_line(stored)
            return SheetCell(text) if text else None
        try:
            number = float(stored)
        except ValueError:
            return SheetCell(one_line(stored))
        style = cell.get("s") or "0"
        code = self.formats[int(style)] if style.isdigit() and int(style) < len(self.formats) else "General"
        shown = general(number) if code == "General" else show_number(number, code, date_1904=self.date_1904)
        if is_date_format(code):
            # A day count is no figure to compute with.
            return SheetCell(shown, is_date=True)
        return SheetCell(shown, number)


def _string_item(item: Any) -> str:
    """The text of a string, without the phonetic guides of East Asian writing."""
    parts = []
    for element in item.iter():
        if _local(element.tag) == "t" and _local(element.getparent().tag) != "rPh":
            parts.append(element.text or "")
    return one_line("".join(parts))


def _range(reference: str) -> tuple[int, int, int, int] | None:
    first, _, last = reference.partition(":")
    one, two = REFERENCE.match(first), REFERENCE.match(last)
    if one is None or two is None:
        return None
    return int(one[2]), column_number(one[1]), int(two[2]), column_number(two[1])


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
