"""The mathematician: scripts over cited cells. The numbers a script reads are the cells' own, never the model's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from deepresearch.model.documents import Document, Table
from deepresearch.model.mathematics import DataPoint, MathRequest, Series
from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.team.computing import requests_for
from deepresearch.team.model.address import Role
from deepresearch.team.model.desk import Desk
from deepresearch.team.model.material import shown_text
from deepresearch.team.model.outputs import ChosenSeries, Computation, ComputeAnswer, ScriptAnswer
from deepresearch.team.model.wording import plain_sentence
from deepresearch.team.placed_cells import PlacedCell, placed_cells
from deepresearch.team.protocol import Reading
from deepresearch.team.stemming import stems

DATA_FILE = "data.json"
FIGURE_FILE = "figure.svg"
_MOST_TABLES = 4
_MOST_ROWS = 80
_MOST_CHARACTERS = 14_000
_MOST_EACH = 2
_AXES = frozenset({"year", "quarter", "month"})

Cells = dict[str, PlacedCell]


async def requests(
    plan: Plan, documents: Sequence[Document], readings: Sequence[Reading], desk: Desk
) -> list[MathRequest]:
    """The scripts for each part of the question that wants a number; those of the cast without a model where the
    model gives none."""
    plain = {one.id.removeprefix("M-"): one for one in requests_for(plan, documents)}
    by_sub = {reading.sub_question: reading for reading in readings}
    chosen: list[MathRequest] = []
    for sub in plan.sub_questions:
        reading = by_sub.get(sub.id)
        own: list[MathRequest] = []
        if plan.wants_computation and reading is not None:
            own = await _of(sub, documents, reading, desk)
        if not own and sub.id in plain:
            own = [plain[sub.id]]
        chosen.extend(own)
    return chosen


async def _of(sub: SubQuestion, documents: Sequence[Document], reading: Reading, desk: Desk) -> list[MathRequest]:
    tables, cells = shown_tables(documents, reading)
    if not cells:
        return []
    step = f"compute:{sub.id}"
    answer = await desk.ask_shorter(
        Role.MATHEMATICIAN,
        "compute",
        step,
        tables,
        lambda some: {"sub_question": sub.text, "tables": some},
        lambda some: some[: len(some) // 2] or None,
        ComputeAnswer,
        "computations were chosen without it",
    )
    if answer is None:
        return []
    made: list[MathRequest] = []
    for computation in answer.computations[:_MOST_EACH]:
        number = len(made) + 1
        request = request_of(f"M{number if number > 1 else ''}-{sub.id}", computation, cells)
        if request is not None:
            made.append(request)
    told = {"computations": [one.title for one in made], "given": len(answer.computations)}
    desk.decided(step, Role.MATHEMATICIAN, "computations", told)
    return made


async def mended(request: MathRequest, attempt: int, error: str, desk: Desk) -> MathRequest | None:
    """The request with the script the model gives after an error, None when it gives none."""
    step = f"compute:{request.id}"
    material = {
        "title": request.title,
        "script": request.script,
        "data": json.loads(request.files[DATA_FILE]),
        "error": shown_text(error)[-3000:],
        "attempt": attempt,
    }
    answer = await desk.ask(
        Role.MATHEMATICIAN, "mend_script", f"{step}/mend{attempt}", material, ScriptAnswer, "the number was left out"
    )
    if answer is None:
        return None
    desk.decided(step, Role.MATHEMATICIAN, "script mended", {"attempt": attempt, "error": error.strip()[-300:]})
    return request.model_copy(update={"script": answer.script, "expects": _expected(answer.script)})


def shown_tables(documents: Sequence[Document], reading: Reading) -> tuple[list[dict[str, Any]], Cells]:
    """The tables that the reader was shown, row by row, and the cells with values by the ids they are shown under."""
    shown: list[dict[str, Any]] = []
    cells: Cells = {}
    room = _MOST_CHARACTERS
    for document in documents:
        spans = [(one.start, one.end) for one in reading.shown if one.sha256 == document.sha256]
        if document.sha256 in reading.apart or not spans:
            continue
        placed = {(one.table.id, one.row, one.column): one for one in placed_cells([document])}
        for table in document.tables:
            if len(shown) == _MOST_TABLES or not any(start < table.end and table.start < end for start, end in spans):
                continue
            name = f"T{len(shown) + 1}"
            rows, found = _rows(name, table, placed)
            size = len(json.dumps(rows, ensure_ascii=False))
            if not found or (size > room and shown):
                continue
            room -= size
            cells.update(found)
            caption = table.caption or table.sheet or ""
            shown.append(
                {
                    "id": name,
                    "document": shown_text(document.title),
                    "caption": shown_text(caption),
                    "unit": table.unit or "",
                    "rows": rows,
                }
            )
    return shown, cells


def _rows(
    name: str, table: Table, placed: Mapping[tuple[str, int, int], PlacedCell]
) -> tuple[list[list[dict[str, str]]], Cells]:
    rows: list[list[dict[str, str]]] = []
    found: Cells = {}
    for number, row in enumerate(table.rows[:_MOST_ROWS]):
        shown: list[dict[str, str]] = []
        for column, cell in enumerate(row):
            entry = {"text": shown_text(cell.text)}
            one = placed.get((table.id, number, column))
            if one is not None and one.number is not None:
                entry["cell"] = f"{name}.r{number + 1}c{column + 1}"
                found[entry["cell"]] = one
            shown.append(entry)
        rows.append(shown)
    return rows, found


def request_of(request_id: str, computation: Computation, cells: Cells) -> MathRequest | None:
    """The request for a computation over cells that exist; None when it names others."""
    title = plain_sentence(computation.title)
    if title is None:
        return None
    series = [one for chosen in computation.data[:6] if (one := _series(chosen, cells)) is not None]
    if len(series) != len(computation.data):
        return None
    return MathRequest(
        id=request_id,
        title=title.rstrip("."),
        script=computation.script,
        files={DATA_FILE: data_of(series)},
        expects=_expected(computation.script),
        series=tuple(series),
        by_model=True,
    )


def data_of(series: Sequence[Series]) -> str:
    """The input file of a script: the series with the values that the cited cells hold."""
    values = [
        {
            "name": one.name,
            "unit": one.unit,
            "axis": one.axis,
            "points": [{"label": point.label, "value": point.value} for point in one.points],
        }
        for one in series
    ]
    return json.dumps({"series": values}, ensure_ascii=False, indent=1)


def _series(chosen: ChosenSeries, cells: Cells) -> Series | None:
    placed = [cells.get(point.cell.strip()) for point in chosen.points[:200]]
    if any(one is None for one in placed):
        return None
    found = [one for one in placed if one is not None]
    points = tuple(
        DataPoint(label=_label(point.label, one), value=one.number or 0.0, quote=one.quote())
        for point, one in zip(chosen.points, found, strict=False)
    )
    if len({point.label for point in points}) < len(points):
        return None
    axis = chosen.axis if chosen.axis in _AXES else "category"
    return Series(name=_name(chosen.name, found), unit=_unit(chosen.unit, found), axis=axis, points=points)


def _label(given: str, cell: PlacedCell) -> str:
    """The label as given where the cell's row or headings say it, else what they say."""
    line = " ".join(given.split())
    own = f"{cell.name} {' '.join(head.text for head in cell.heads)} {' '.join(str(year) for year in cell.years)}"
    if line and set(stems(line)) <= set(stems(own)):
        return line
    return cell.name or (cell.heads[-1].text.strip() if cell.heads else cell.cell.address)


def _name(given: str, cells: Sequence[PlacedCell]) -> str:
    """The name as given where the table's words carry it, else the headings or the row that all values share."""
    first = cells[0]
    around = [first.table.caption or "", first.table.sheet or "", first.document.title]
    names = [cell.text for one in cells for cell in (*one.heads, *one.label, *one.groups)]
    line = plain_sentence(given)
    if line is not None:
        wanted = {stem for stem in stems(line) if len(stem) > 2}
        if wanted and len(wanted & set(stems(" ".join([*around, *names])))) / len(wanted) >= 0.6:
            return line
    shared = [head.text.strip() for head in first.heads if all(head in one.heads for one in cells)]
    return ", ".join(shared) or first.name or "value"


def _unit(given: str, cells: Sequence[PlacedCell]) -> str:
    """The table's unit; the given one only where the table's own words hold it."""
    first = cells[0]
    if first.table.unit:
        return first.table.unit
    heads = " ".join(cell.text for cell in (*first.heads, *first.label))
    return given.strip() if given.strip() and given.strip().casefold() in heads.casefold() else ""


def _expected(script: str) -> tuple[str, ...]:
    return (FIGURE_FILE,) if FIGURE_FILE in script else ()
