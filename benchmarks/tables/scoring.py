"""Whether cells, values and scales are the gold ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.tables.asking import Asked
from benchmarks.tables.questions import SCALES, Page, Question
from deepresearch.evidence import parse_unit


@dataclass(frozen=True)
class Score:
    """One question's marks. `value` and `scaled` are of computed answers: the number, and the number with its scale."""

    page: Page
    question: Question
    asked: Asked
    cells: bool
    value: bool
    scaled: bool
    miss: str
    result: float | None = None


def score(page: Page, question: Question, asked: Asked, values: Mapping[str, float | str] | None) -> Score:
    """Compare with gold. `values` is what the script printed, None where there was no script or it failed."""
    cells = _same_cells(question, asked)
    if question.kind == "lookup":
        miss = "" if cells else "no cell" if not asked.cells else "another cell"
        return Score(page, question, asked, cells, cells, cells, miss)
    if asked.request is None:
        return Score(page, question, asked, False, False, False, "nothing computed")
    if values is None:
        return Score(page, question, asked, cells, False, False, "the script failed")
    result = values.get("result")
    if not isinstance(result, float):
        return Score(page, question, asked, cells, False, False, "a series instead of an operation")
    unit = str(values.get("unit", ""))
    percent = unit == "%"
    right = _near(result, question.answer, 0.0051) or (
        question.kind == "ratio" and percent != (question.scale == "percent") and _as_share(result, percent, question)
    )
    scale = parse_unit(unit)[0] if unit and not percent else 1.0
    same_scale = scale == SCALES[question.scale] and (
        percent == (question.scale == "percent") or question.kind == "ratio"
    )
    turned = _near(-result, question.answer, 0.0051)
    miss = (
        ""
        if right and same_scale
        else "scale"
        if right
        else "other cells"
        if not cells
        else "the other sign"
        if turned
        else "another operation"
    )
    return Score(page, question, asked, cells, right, right and same_scale, miss, result)


def _as_share(result: float, percent: bool, question: Question) -> bool:
    """A share as a percentage or as a fraction is the same number."""
    return _near(result / 100, question.answer, 0.0051) if percent else _near(result * 100, question.answer, 0.0051)


def _near(value: float, gold: float, tolerance: float) -> bool:
    return abs(value - gold) <= max(tolerance, 1e-6 * abs(gold))


def _same_cells(question: Question, asked: Asked) -> bool:
    left = list(asked.cells)
    for places in question.operands:
        match = next((cell for cell in left if any((place.row, place.column) == cell for place in places)), None)
        if match is None:
            return False
        left.remove(match)
    return not left
