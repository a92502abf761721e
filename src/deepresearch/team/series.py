"""Series in the tables of documents: one thing's values over periods or over categories, each with its cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepresearch.model.documents import Cell, Document, Table
from deepresearch.model.evidence import Quote
from deepresearch.model.mathematics import DataPoint, Series
from deepresearch.team.periods import Period, parse_period

_UNIT_IN_NAME = re.compile(r"^(?P<name>.*?)[\s,]*[(\[](?P<unit>[^()\[\]]{1,24})[)\]]\s*$")
_NUMBER = re.compile(
    r"^[^\d\-+(−–.]{0,6}\s*(?P<sign>[-+−–(]?)\s*[^\d.,]{0,3}(?P<digits>\d[\d.,'’\s\u00a0\u202f]*|\.\d+)\s*(?P<tail>.*)$"
)
_MIN_POINTS = 3


@dataclass(frozen=True)
class Candidate:
    """A series with the words around it that tell what it is about, and where it stands."""

    series: Series
    context: str
    document: str
    table: str
    periods: tuple[Period, ...]


def cell_number(cell: Cell) -> float | None:
    """The number a cell shows: the stored one where the format keeps it, else read from the text.

    A cell that holds more than a number with its unit (a remark, two numbers) is None.
    """
    if cell.number is not None:
        return cell.number
    match = _NUMBER.match(cell.text.strip())
    if match is None or re.search(r"\d", match["tail"]) or len(match["tail"]) > 12:
        return None
    value = _digits(match["digits"].strip())
    if value is None:
        return None
    negative = match["sign"] in ("-", "−", "–") or (match["sign"] == "(" and match["tail"].endswith(")"))
    return -value if negative else value


def _digits(text: str) -> float | None:
    text = re.sub(r"[\s\u00a0\u202f'’]", "", text).rstrip(".,")
    if "," in text and "." in text:
        decimal = max(text.rfind(","), text.rfind("."))
        whole = re.sub(r"[.,]", "", text[:decimal])
        text = f"{whole}.{text[decimal + 1 :]}"
    elif text.count(",") == 1 and not re.fullmatch(r"\d{1,3},\d{3}", text):
        text = text.replace(",", ".")
    elif text.count(".") > 1:
        text = text.replace(".", "")
    else:
        text = text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        return None


def find_series(documents: Sequence[Document]) -> list[Candidate]:
    """All series of three points or more in the documents' tables, in the order of the documents."""
    return [
        candidate for document in documents for table in document.tables for candidate in _of_table(document, table)
    ]


def _of_table(document: Document, table: Table) -> Iterator[Candidate]:
    if not table.rows or len(table.rows[0]) < 2 or table.header_rows < 1:
        return
    header = [_column_name(table, column) for column in range(len(table.rows[0]))]
    body = table.rows[table.header_rows :]
    last_header = table.rows[table.header_rows - 1]
    across = [(column, period) for column, cell in enumerate(last_header) if (period := parse_period(cell.text))]
    if len(across) >= _MIN_POINTS:
        yield from _rows_over_periods(document, table, across, body)
        return
    for column in range(len(header)):
        periods = [parse_period(row[column].text) for row in body]
        if sum(period is not None for period in periods) >= max(_MIN_POINTS, 0.6 * len(body)):
            yield from _columns_over_periods(document, table, header, column, body, periods)
            return
    yield from _columns_over_categories(document, table, header, body)


def _rows_over_periods(
    document: Document, table: Table, across: list[tuple[int, Period]], body: Sequence[tuple[Cell, ...]]
) -> Iterator[Candidate]:
    first = across[0][0]
    group = ""
    for row in body:
        label = " ".join(cell.text.strip() for cell in row[:first] if cell.text.strip())
        points = [
            (period, row[column], number)
            for column, period in across
            if (number := cell_number(row[column])) is not None
        ]
        if label and not points:
            group = label
        if label and len(points) >= _MIN_POINTS:
            yield _candidate(document, table, label, points, extra=group)


def _columns_over_periods(
    document: Document,
    table: Table,
    header: list[str],
    period_column: int,
    body: Sequence[tuple[Cell, ...]],
    periods: Sequence[Period | None],
) -> Iterator[Candidate]:
    dated = [(row, period) for row, period in zip(body, periods, strict=True) if period is not None]
    numeric = [
        column
        for column in range(len(header))
        if column != period_column and sum(cell_number(row[column]) is not None for row, _ in dated) * 2 > len(dated)
    ]
    grouping = [column for column in range(len(header)) if column != period_column and column not in numeric]
    repeated = len({period for _, period in dated}) < len(dated)
    groups: dict[str, list[tuple[tuple[Cell, ...], Period]]] = {}
    for row, period in dated:
        key = " ".join(row[column].text.strip() for column in grouping) if repeated else ""
        groups.setdefault(key, []).append((row, period))
    for key, rows in groups.items():
        if len({period for _, period in rows}) < len(rows):
            continue
        for column in numeric:
            points = [
                (period, row[column], number)
                for row, period in rows
                if (number := cell_number(row[column])) is not None
            ]
            if len(points) >= _MIN_POINTS:
                yield _candidate(document, table, " ".join(filter(None, (key, header[column]))), points)


def _columns_over_categories(
    document: Document, table: Table, header: list[str], body: Sequence[tuple[Cell, ...]]
) -> Iterator[Candidate]:
    for column in range(1, len(header)):
        points = [
            (row[0], row[column], number)
            for row in body
            if row[0].text.strip() and cell_number(row[0]) is None and (number := cell_number(row[column])) is not None
        ]
        if len(points) >= _MIN_POINTS:
            name, unit = _name_and_unit(header[column], table)
            yield Candidate(
                series=Series(
                    name=name,
                    unit=unit,
                    axis=header[0] or "category",
                    points=tuple(
                        DataPoint(label=label.text.strip(), value=number, quote=_quote(document, table, cell))
                        for label, cell, number in points
                    ),
                ),
                context=_context(document, table),
                document=document.sha256,
                table=table.id,
                periods=(),
            )


def _candidate(
    document: Document, table: Table, label: str, points: list[tuple[Period, Cell, float]], extra: str = ""
) -> Candidate:
    points = sorted(points, key=lambda point: point[0])
    name, unit = _name_and_unit(label, table)
    return Candidate(
        series=Series(
            name=name,
            unit=unit,
            axis=points[0][0].grain,
            points=tuple(
                DataPoint(label=_label(period), value=number, quote=_quote(document, table, cell))
                for period, cell, number in points
            ),
        ),
        context=f"{extra} {_context(document, table)}",
        document=document.sha256,
        table=table.id,
        periods=tuple(period for period, _, _ in points),
    )


def _label(period: Period) -> str:
    if period.grain == "quarter":
        return f"{period.year} Q{period.part}"
    return f"{period.year}-{period.part:02d}" if period.grain == "month" else str(period.year)


def _column_name(table: Table, column: int) -> str:
    parts: list[str] = []
    for row in table.rows[: table.header_rows]:
        text = row[column].text.strip()
        if text and text not in parts:
            parts.append(text)
    return " ".join(parts)


def _name_and_unit(label: str, table: Table) -> tuple[str, str]:
    label = " ".join(label.replace("_", " ").split())
    if match := _UNIT_IN_NAME.match(label):
        return match["name"].strip() or label, match["unit"].strip()
    return label, table.unit or ""


def _context(document: Document, table: Table) -> str:
    inside = [heading.title for heading in document.headings if heading.start <= table.start][-1:]
    return " ".join(filter(None, (table.caption, table.sheet, *inside, document.title)))


def _quote(document: Document, table: Table, cell: Cell) -> Quote:
    return Quote(
        source=document.source,
        sha256=document.sha256,
        page=table.page if table.page is not None else document.page_at(cell.start),
        start=cell.start,
        end=cell.end,
        quote=cell.text,
    )
