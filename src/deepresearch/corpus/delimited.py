"""CSV and TSV: the decoded file unchanged, with its cells by exact place."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Parsed
from deepresearch.corpus.tables import make_table
from deepresearch.model.documents import Cell

DELIMITERS = ",;\t|"
SAMPLE_CHARACTERS = 20_000
LONGEST_FIELD = 1_000_000
MOST_FIELDS = 20_000


@dataclass(frozen=True)
class _Field:
    start: int
    end: int


def parse_delimited(text: str, limits: LoadLimits, delimiter: str | None = None) -> Parsed:
    """The text as it is, and its rows as one table (several where empty lines part them).

    The delimiter is the one of comma, semicolon, tab and pipe that cuts most rows into the same number of
    fields. Lines before the first row that has a delimiter are the caption. A quoted field may hold line
    breaks; its cell is the text between the quotes as it stands in the file.
    """
    parsed = Parsed(text=text, media_type="text/csv")
    delimiter = delimiter or sniff_delimiter(text[:SAMPLE_CHARACTERS])
    if delimiter is None:
        delimiter = ","
    if delimiter == "\t":
        parsed.media_type = "text/tab-separated-values"
    caption: str | None = None
    block: list[list[_Field]] = []
    line_numbers: list[int] = []
    taken = 0
    skipped = 0

    def close() -> None:
        nonlocal caption, block, line_numbers
        if not block:
            return
        width = max(len(row) for row in block)
        if width == 1 and len(block) <= 3 and len(parsed.tables) == 0:
            caption = " ".join(text[row[0].start : row[0].end] for row in block)[:300].strip() or None
        else:
            _add(parsed, block, line_numbers, width=width, caption=caption)
            caption = None
        block, line_numbers = [], []

    place = 1 if text.startswith("\ufeff") else 0
    if text.startswith("sep=", place) and "\n" in text[place : place + 8]:
        delimiter = text[place + 4]
        place = text.index("\n", place) + 1
    number = 0
    while place < len(text):
        number += 1
        fields, place = _row(text, place, delimiter)
        blank = all(field.start == field.end or not text[field.start : field.end].strip() for field in fields)
        if blank:
            close()
            continue
        if not block and not parsed.tables and len(fields) == 1 and caption is None:
            peek, _ = _row(text, place, delimiter) if place < len(text) else ([], place)
            if len(peek) > 1:
                caption = text[fields[0].start : fields[0].end].strip()[:300]
                continue
        if len(block) >= limits.table_rows or taken + len(fields) > limits.cells:
            # Going on would only count: the text holds the rest as it is.
            skipped = 1 + text.count("\n", place) + (not text.endswith("\n") and place < len(text))
            break
        fields = fields[: limits.table_columns]
        taken += len(fields)
        block.append(fields)
        line_numbers.append(number)
    close()
    if skipped:
        parsed.notes.append(f"About {skipped:,} rows beyond the limit are in the text but were not taken as cells.")
    return parsed


def sniff_delimiter(sample: str) -> str | None:
    """The delimiter that gives the most rows the same number (over one) of fields, or None."""
    best: tuple[float, int] = (0.0, 0)
    chosen: str | None = None
    for delimiter in DELIMITERS:
        if delimiter not in sample:
            continue
        place = 0
        widths: list[int] = []
        while place < len(sample) and len(widths) < 200:
            fields, place = _row(sample, place, delimiter)
            if len(fields) > 1 or (fields and fields[0].end > fields[0].start):
                widths.append(len(fields))
        # The sample's last row may be cut off.
        widths = widths[:-1] if len(widths) > 1 and len(sample) == SAMPLE_CHARACTERS else widths
        counts = Counter(width for width in widths if width > 1)
        if not counts:
            continue
        width, rows = max(counts.items(), key=lambda item: (item[1], item[0]))
        score = (rows / len(widths), width)
        if score > best:
            best, chosen = score, delimiter
    return chosen


def _row(text: str, place: int, delimiter: str) -> tuple[list[_Field], int]:
    """The fields of the row that begins at `place` and the place after its line break."""
    line_end = text.find("\n", place)
    line_end = len(text) if line_end < 0 else line_end
    if text.find('"', place, line_end) < 0:
        stop = line_end - 1 if line_end > place and text[line_end - 1] == "\r" else line_end
        fields: list[_Field] = []
        start = place
        while (end := text.find(delimiter, start, stop)) >= 0 and len(fields) < MOST_FIELDS:
            fields.append(_trimmed(text, start, end))
            start = end + 1
        fields.append(_trimmed(text, start, stop))
        return fields, line_end + 1
    return _quoted_row(text, place, delimiter)


def _quoted_row(text: str, place: int, delimiter: str) -> tuple[list[_Field], int]:
    fields: list[_Field] = []
    size = len(text)
    while True:
        begin = place
        while begin < size and text[begin] == " " and delimiter != " ":
            begin += 1
        closing = _closing_quote(text, begin, delimiter) if begin < size and text[begin] == '"' else -1
        if closing >= 0:
            fields.append(_Field(begin + 1, closing))
            place = closing + 1
            while place < size and text[place] in " \r":
                place += 1
        else:
            match = re.compile(rf"[{re.escape(delimiter)}\n]").search(text, place)
            end = match.start() if match else size
            stop = end - 1 if end > place and text[end - 1] == "\r" else end
            fields.append(_trimmed(text, place, stop))
            place = end
        if place >= size or text[place] == "\n":
            return fields, place + 1
        place += 1


def _closing_quote(text: str, begin: int, delimiter: str) -> int:
    """Where the field's closing quote is, or -1 when none is followed by a delimiter or a line end."""
    place = begin + 1
    while True:
        place = text.find('"', place, begin + LONGEST_FIELD)
        if place < 0:
            return -1
        if text.startswith('""', place):
            place += 2
            continue
        after = place + 1
        while after < len(text) and text[after] in " \r":
            after += 1
        if after >= len(text) or text[after] == delimiter or text[after] == "\n":
            return place
        return -1


def _trimmed(text: str, start: int, end: int) -> _Field:
    part = text[start:end]
    left = len(part) - len(part.lstrip())
    if left == len(part):
        return _Field(start, start)
    return _Field(start + left, end - (len(part) - len(part.rstrip())))


def _add(
    parsed: Parsed,
    block: list[list[_Field]],
    numbers: list[int],
    *,
    width: int,
    caption: str | None,
) -> None:
    text = parsed.text
    rows: list[list[Cell]] = []
    for fields, number in zip(block, numbers, strict=True):
        padded = [*fields, *[_Field(fields[-1].end, fields[-1].end)] * (width - len(fields))]
        rows.append(
            [
                Cell(
                    text=text[field.start : field.end],
                    start=field.start,
                    end=field.end,
                    address=f"r{number}c{column}",
                    number=None,
                )
                for column, field in enumerate(padded, start=1)
            ]
        )
    start = block[0][0].start
    parsed.tables.append(make_table(len(parsed.tables) + 1, rows, start=start, end=block[-1][-1].end, caption=caption))
