"""Markdown: the decoded file unchanged, with its headings, pipe tables and front matter by exact place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from deepresearch.corpus.dating import read_date, version_of
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Parsed
from deepresearch.corpus.tables import make_table
from deepresearch.model.documents import Cell, Heading, Table

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)")
ATX_CLOSING = re.compile(r"[ \t]+#+[ \t]*$")
SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
DELIMITER_ROW = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
NO_PARAGRAPH = re.compile(r" {0,3}(?:[-*+][ \t]|\d{1,9}[.)][ \t]|>|#{1,6}[ \t]|\||<!--)| {4}|\t")
FRONT_KEY = re.compile(r"^([A-Za-z][\w .-]{0,40}?)\s*[:=]\s*(.*?)\s*$")
PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")
MARKS = re.compile(r"(\*\*|__|\*|`)(?=\S)(.+?)(?<=\S)\1")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")

LONGEST_TITLE = 500
MAX_HEADINGS = 20_000

DATE_KEYS = (
    "date",
    "updated",
    "lastmod",
    "last_updated",
    "last-updated",
    "modified",
    "published",
    "revised",
    "datum",
    "stand",
)
VERSION_KEYS = ("version", "revision", "rev", "edition", "status")


@dataclass(frozen=True)
class _Line:
    start: int
    text: str  # without its line break

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def parse_markdown(text: str, limits: LoadLimits) -> Parsed:
    """The text as it is, with ATX and Setext headings, pipe tables and front matter outside code fences."""
    parsed = Parsed(text=text, media_type="text/markdown")
    lines = list(_lines(text))
    begin = _front_matter(lines, parsed)
    fence: str | None = None
    cells = 0
    number = begin
    while number < len(lines):
        line = lines[number]
        if (match := FENCE.match(line.text)) is not None:
            if fence is None:
                fence = match[1]
            elif match[1][0] == fence[0] and len(match[1]) >= len(fence) and not line.text.strip().strip(fence[0]):
                fence = None
            number += 1
            continue
        if fence is not None:
            number += 1
            continue
        if match := ATX.match(line.text):
            _add_heading(parsed, len(match[1]), line, match.end())
        elif (
            number > begin
            and (match := SETEXT.match(line.text))
            and lines[number - 1].text.strip()
            and not NO_PARAGRAPH.match(lines[number - 1].text)
            and (number < begin + 2 or not lines[number - 2].text.strip() or SETEXT.match(lines[number - 2].text))
        ):
            _add_heading(parsed, 1 if match[1][0] == "=" else 2, lines[number - 1], 0)
        elif "|" in line.text and number + 1 < len(lines) and _begins_table(line.text, lines[number + 1].text):
            body = number + 2
            while body < len(lines) and lines[body].text.strip() and ("|" in lines[body].text):
                body += 1
            table = _table(
                parsed,
                lines,
                number,
                body,
                most_rows=limits.table_rows,
                most_columns=limits.table_columns,
                room=limits.cells - cells,
            )
            if table is not None:
                parsed.tables.append(table)
                cells += sum(len(row) for row in table.rows)
            number = body
            continue
        number += 1
    if parsed.title is None:
        top = next((heading for heading in parsed.headings if heading.level == 1), None)
        parsed.title = (top or parsed.headings[0]).title if parsed.headings else None
    return parsed


def _lines(text: str) -> Iterator[_Line]:
    place = 1 if text.startswith("\ufeff") else 0
    while place < len(text):
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        yield _Line(place, text[place:end].rstrip("\r"))
        place = end + 1


def plain(text: str) -> str:
    """Markdown inline marks taken off: ``**Net** [sales](x)`` reads ``Net sales``."""
    return " ".join(MARKS.sub(r"\2", LINK.sub(r"\1", text)).replace("\\|", "|").split())


def _add_heading(parsed: Parsed, level: int, line: _Line, offset: int) -> None:
    # The patterns for inline marks look far ahead: keep what they see short.
    title = plain(ATX_CLOSING.sub("", line.text[offset : offset + LONGEST_TITLE]))
    if title and len(parsed.headings) < MAX_HEADINGS:
        parsed.headings.append(
            Heading(level=level, title=title, start=line.start, end=line.start + len(line.text.rstrip()))
        )


def _front_matter(lines: list[_Line], parsed: Parsed) -> int:
    """Read title, date and version between a leading pair of ``---`` or ``+++``; where the body begins."""
    if not lines or lines[0].text.strip() not in {"---", "+++"}:
        return 0
    mark = lines[0].text.strip()
    close = next((n for n in range(1, min(len(lines), 200)) if lines[n].text.strip() in {mark, "..."}), None)
    if close is None:
        return 0
    values: dict[str, str] = {}
    for line in lines[1:close]:
        if match := FRONT_KEY.match(line.text):
            values.setdefault(match[1].lower(), match[2].strip("\"'"))
    if not values:
        return 0
    parsed.title = values.get("title") or values.get("titel") or None
    parsed.date = next((found for key in DATE_KEYS if (found := read_date(values.get(key, "")))), None)
    parsed.date_is_said = parsed.date is not None
    parsed.version = next((version_of(values[key]) for key in VERSION_KEYS if values.get(key)), None)
    return close + 1


def _begins_table(line: str, below: str) -> bool:
    if DELIMITER_ROW.match(below) is None or "-" not in below:
        return False
    columns = len(_cell_spans(line))
    return columns == len(_cell_spans(below)) and ("|" in below or columns == 1)


def _cell_spans(line: str) -> list[tuple[int, int]]:
    """The (start, end) of each cell in one row, white space and outer pipes left out."""
    pipes = [match.end() - 1 for match in PIPE.finditer(line)]
    edges = [-1, *pipes, len(line)]
    spans = list(zip([edge + 1 for edge in edges[:-1]], edges[1:], strict=True))
    if len(spans) > 1 and not line[spans[0][0] : spans[0][1]].strip():
        spans = spans[1:]
    if len(spans) > 1 and not line[spans[-1][0] : spans[-1][1]].strip():
        spans = spans[:-1]
    return [_trimmed(line, start, end) for start, end in spans]


def _trimmed(line: str, start: int, end: int) -> tuple[int, int]:
    inner = line[start:end]
    left = len(inner) - len(inner.lstrip())
    if left == len(inner):
        return start, start
    return start + left, end - (len(inner) - len(inner.rstrip()))


def _table(
    parsed: Parsed,
    lines: list[_Line],
    first: int,
    stop: int,
    *,
    most_rows: int,
    most_columns: int,
    room: int,
) -> Table | None:
    width = min(len(_cell_spans(lines[first].text)), most_columns)
    numbers = [first, *range(first + 2, stop)]
    most = min(most_rows, room // max(1, width))
    if len(numbers) > most:
        parsed.notes.append(f"Of a table with {len(numbers):,} rows only the first {most:,} were taken as cells.")
        numbers = numbers[:most]
    if not numbers:
        return None
    rows: list[list[Cell]] = []
    for row_number, number in enumerate(numbers, start=1):
        line = lines[number]
        spans = _cell_spans(line.text)[:width]
        spans.extend([(len(line.text), len(line.text))] * (width - len(spans)))
        rows.append(
            [
                Cell(
                    text=line.text[start:end],
                    start=line.start + start,
                    end=line.start + end,
                    address=f"r{row_number}c{column}",
                )
                for column, (start, end) in enumerate(spans, start=1)
            ]
        )
    return make_table(
        len(parsed.tables) + 1,
        rows,
        start=lines[first].start,
        end=lines[stop - 1].end,
        header_rows=1,
        caption=_caption(parsed, lines, first),
    )


def _caption(parsed: Parsed, lines: list[_Line], first: int) -> str | None:
    """The line directly above, or one empty line above, when it names the table; otherwise the heading."""
    for number in range(first - 1, max(-1, first - 3), -1):
        line = lines[number].text.strip()
        if not line:
            continue
        if ATX.match(line) or SETEXT.match(line):
            break
        named = re.match(r"[*_]*(?:table|tabelle|tableau|tabla|tabella|exhibit)\b", line, re.IGNORECASE)
        if named or (
            len(line) <= 160 and (number == first - 1 or line.endswith((":", "*", "_")) or not line.endswith("."))
        ):
            return plain(line[:LONGEST_TITLE]).strip("*_").rstrip(":").strip()
        break
    return parsed.headings[-1].title if parsed.headings else None
