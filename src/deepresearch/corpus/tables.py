"""Tables from grids of cells: which rows are headers, and what a cell holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepresearch.corpus.table_units import table_unit
from deepresearch.model.documents import Cell, Table

MAX_HEADER_ROWS = 4

FIGURE = re.compile(
    r"""[(\[]?\s*[-+−–±~<>≈]?\s*                       # sign, or a bracket that means minus
    (?:[$€£¥₹]|[A-Z]{3}\s|US\$|CHF)?\s*[-−]?
    \d(?:[\d.,'’\u00a0\u202f ]*\d)?                    # digits with any grouping
    (?:[eE][-+]?\d+)?
    \s*(?:%|‰|pp|°C|°F|[$€£¥]|[A-Za-zµ]{1,5}[²³]?|[A-Z]{3})?\s*[)\]]?[*†‡]*""",
    re.VERBOSE,
)
PERIOD = re.compile(
    r"""(?:(?:FY|CY|H[12]|Q[1-4]|[1-4]Q|T[1-4]|S[12]|1H|2H)[\s'/-]*)?'?(?:1[89]|20|21)\d\d
    (?:\s*[/–-]\s*(?:\d\d|(?:19|20|21)\d\d|Q[1-4]|H[12]|M?\d\d(?:-\d\d)?))?\s*[aefpbAEFPB]?\*?
    |(?:FY|CY)\s?'?\d\d|(?:H[12]|Q[1-4]|[1-4]Q)(?:[\s'/-]*\d\d)?""",
    re.VERBOSE,
)
MONTH_PERIOD = re.compile(
    r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[a-zé]*\.?[\s'-]*(?:\d{2,4})?",
    re.IGNORECASE,
)
BLANKS = frozenset({"", "-", "–", "—", "n/a", "n.a.", "na", "n.d.", "nil", "..", "...", "…", ".", "•", "*", "x"})


def is_figure(text: str) -> bool:
    """Whether a cell holds a number with at most a sign, a currency, a unit around it."""
    return len(text) <= 40 and FIGURE.fullmatch(text.strip()) is not None


def is_period(text: str) -> bool:
    """Whether a cell names a year, a quarter, a half year or a month."""
    text = text.strip()
    return len(text) <= 24 and (PERIOD.fullmatch(text) is not None or MONTH_PERIOD.fullmatch(text) is not None)


def is_blank(text: str) -> bool:
    """Whether a cell is empty or says that there is no figure."""
    return text.strip().casefold() in BLANKS


def count_header_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many rows at the top are headers: labels or years across, over a body that holds figures.

    A first row whose first cell is a period and whose others are figures is data (years going down, no
    header). A table without any figure has one header row when its first row is filled, short and without
    repetition.
    """
    if not rows:
        return 0
    kinds = [[_kind(cell) for cell in row] for row in rows[:40]]
    if not any("figure" in kind for kind in kinds):
        # Years alone can be figures too: a list of names and founding years.
        if any("period" in kind[1:] for kind in kinds[1:]) and "period" not in kinds[0]:
            return 1
        first = [cell.strip() for cell in rows[0]]
        complete = all(first) and len(set(first)) == len(first) and all(len(cell) <= 60 for cell in first)
        return 1 if complete and len(rows) > 1 and len(first) > 1 else 0
    count = 0
    for number, kind in enumerate(kinds[:MAX_HEADER_ROWS]):
        if "figure" in kind or all(one == "blank" for one in kind):
            break
        filled = [one for one in kind if one != "blank"]
        # "2021 | 2020" over figures is a header; "2021 | n/a" under one is a row without a figure.
        if count and (len(filled) == 1 and kind[0] != "blank"):
            break
        if count and kind[0] == "period":
            break
        if count and kind[0] == "label" and _looks_like_body(rows, number):
            break
        count += 1
    return min(count, len(rows) - 1)


def _looks_like_body(rows: Sequence[Sequence[str]], number: int) -> bool:
    """A row of words under a complete header (no gaps, nothing spanning) belongs to the body."""
    above = [cell.strip() for cell in rows[number - 1]]
    return all(above[1:]) and len(set(above)) == len(above)


def _kind(cell: str) -> str:
    if is_blank(cell):
        return "blank"
    if is_period(cell):
        return "period"
    return "figure" if is_figure(cell) else "label"


def make_table(
    number: int,
    rows: Sequence[Sequence[Cell]],
    *,
    start: int,
    end: int,
    header_rows: int | None = None,
    caption: str | None = None,
    page: int | None = None,
    sheet: str | None = None,
) -> Table:
    """A table from placed cells. Headers are counted unless given; `number` counts from 1 in a document."""
    texts = [[cell.text for cell in row] for row in rows[:60]]
    headers = count_header_rows(texts) if header_rows is None else min(header_rows, len(rows))
    return Table(
        id=f"t{number}",
        caption=caption,
        unit=table_unit(caption, texts[:headers]),
        page=page,
        sheet=sheet,
        start=start,
        end=end,
        header_rows=headers,
        rows=tuple(tuple(row) for row in rows),
    )
