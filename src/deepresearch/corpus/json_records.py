"""JSON and JSON Lines: the decoded file unchanged; arrays of flat objects also as tables by exact place."""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Parsed
from deepresearch.corpus.tables import make_table
from deepresearch.model.documents import Cell

SPACE = re.compile(r"[ \t\r\n]*")
SCALAR = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null")
MAX_KEYS = 200


class NotFlatError(ValueError):
    """This is no flat object; the text stays, without a table."""


Member = tuple[str, tuple[int, int], tuple[int, int]]


def parse_json(text: str, limits: LoadLimits, *, lines: bool) -> Parsed:
    """The text as it is. A top-level array of flat objects, or lines of them, also becomes a table.

    A cell is a value as it is written (strings without their quotes); `number` is set where the value is a
    JSON number. The header row is the keys as they are written in the first object.
    """
    parsed = Parsed(text=text, media_type="application/x-ndjson" if lines else "application/json")
    start = _skip(text, 1 if text.startswith("\ufeff") else 0)
    objects: list[list[Member]] = []
    complete = True
    place = start
    caption: str | None = None
    try:
        if not lines and text.startswith("{", place):
            # One object that holds the array: {"sales": [ … ]}.
            found = re.compile(r'"([^"\\]{1,80})"\s*:\s*\[\s*\{').search(text, place, place + 20_000)
            if found is None:
                return parsed
            caption, place = found[1], found.end() - 1
            start = place
        elif text.startswith("[", place):
            place = _skip(text, place + 1)
            start = place
        while text.startswith("{", place):
            if len(objects) >= limits.table_rows or len(objects) * len(objects[0] if objects else ()) >= limits.cells:
                complete = False
                break
            members, place = _flat_object(text, place)
            objects.append(members)
            place = _skip(text, place)
            if text.startswith(",", place):
                place = _skip(text, place + 1)
    except NotFlatError:
        if len(objects) < 2:
            return parsed
        complete = False
    _add_table(parsed, objects, start, caption, limits)
    if parsed.tables and not complete:
        parsed.notes.append(f"The first {len(objects):,} records were taken as cells; the rest is in the text only.")
    return parsed


def _skip(text: str, place: int) -> int:
    match = SPACE.match(text, place)
    return match.end() if match else place


def _flat_object(text: str, place: int) -> tuple[list[Member], int]:
    members: list[Member] = []
    place = _skip(text, place + 1)
    while not text.startswith("}", place):
        key, key_span, place = _string(text, place)
        place = _skip(text, place)
        if not text.startswith(":", place) or len(members) >= MAX_KEYS:
            raise NotFlatError
        place = _skip(text, place + 1)
        if text.startswith('"', place):
            _, span, place = _string(text, place)
        elif match := SCALAR.match(text, place):
            span, place = match.span(), match.end()
        else:
            raise NotFlatError
        members.append((key, key_span, span))
        place = _skip(text, place)
        if text.startswith(",", place):
            place = _skip(text, place + 1)
        elif not text.startswith("}", place):
            raise NotFlatError
    return members, place + 1


def _string(text: str, place: int) -> tuple[str, tuple[int, int], int]:
    if not text.startswith('"', place):
        raise NotFlatError
    try:
        value, end = scanstring(text, place + 1, False)
    except ValueError as error:
        raise NotFlatError from error
    return value, (place + 1, end - 1), end


def _add_table(
    parsed: Parsed, objects: list[list[Member]], start: int, caption: str | None, limits: LoadLimits
) -> None:
    if len(objects) < 2:
        return
    keys: dict[str, tuple[int, int]] = {}
    for members in objects:
        for key, span, _ in members:
            keys.setdefault(key, span)
        if len(keys) > min(MAX_KEYS, limits.table_columns):
            return
    if len(keys) < 2:
        return
    text = parsed.text
    rows = [[_cell(text, span, 1, column) for column, span in enumerate(keys.values(), start=1)]]
    end = start
    for number, members in enumerate(objects, start=2):
        values = {key: span for key, _, span in members}
        row = []
        for column, key in enumerate(keys, start=1):
            found = values.get(key)
            empty = members[-1][2][1] if members else start
            row.append(_cell(text, found or (empty, empty), number, column))
            end = max(end, found[1] if found else 0)
        rows.append(row)
    parsed.tables.append(make_table(1, rows, start=start, end=end, header_rows=1, caption=caption))


def _cell(text: str, span: tuple[int, int], row: int, column: int) -> Cell:
    part = text[span[0] : span[1]]
    quoted = span[0] > 0 and text[span[0] - 1] == '"'
    number: float | None = None
    if not quoted and (match := SCALAR.fullmatch(part)) and part[0] not in "tfn":
        number = float(match[0])
    return Cell(text=part, start=span[0], end=span[1], address=f"r{row}c{column}", number=number)
