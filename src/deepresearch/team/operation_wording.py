"""The sentence that states an operation: what was done, with which cells of which periods, and the result."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.model.mathematics import DataPoint, Series
from deepresearch.team.operations import Operation
from deepresearch.team.protocol import DraftClaim, MathOutcome

_SCALES = ("thousand", "million", "billion", "trillion")


def operation_claim(outcome: MathOutcome, sub_question: str) -> DraftClaim | None:
    """The claim for a run that computed an operation; None for any other run."""
    values = outcome.result.values
    name, result = values.get("operation"), values.get("result")
    if not isinstance(name, str) or not isinstance(result, float):
        return None
    pairs = [(series, point) for series in outcome.request.series for point in series.points]
    operands = [f"{series.name} ({point.label}: {_amount(series, point)})" for series, point in pairs]
    points = [point for _, point in pairs]
    operation = Operation(name)
    shown = f"{_number(operation, result, points)}{_after(str(values.get('unit', '')))}"
    return DraftClaim(
        text=_sentence(operation, operands, shown),
        sub_question=sub_question,
        citations=tuple(dict.fromkeys(point.quote for point in points)),
        run_id=outcome.result.run_id,
    )


def _sentence(operation: Operation, operands: Sequence[str], shown: str) -> str:
    together = f"{', '.join(operands[:-1])} and {operands[-1]}"
    match operation:
        case Operation.SUM:
            return f"The sum of {together} is {shown}."
        case Operation.AVERAGE:
            return f"The average of {together} is {shown}."
        case Operation.DIFFERENCE:
            return f"{operands[0]} less {operands[1]} is a difference of {shown}."
        case Operation.RATIO:
            return f"The ratio of {operands[0]} to {operands[1]} is {shown}."
        case Operation.SHARE:
            return f"{operands[0]} is {shown} of {operands[1]}."
        case Operation.PERCENTAGE_CHANGE:
            return f"From {operands[0]} to {operands[1]} is a percentage change of {shown}."


def _amount(series: Series, point: DataPoint) -> str:
    """The value as its cell writes it, with what the cell leaves out of its unit."""
    text = " ".join(point.quote.quote.split())
    if any(character in "%€$£¥" for character in text):
        scale = next((word for word in series.unit.split() if word in _SCALES), "")
        return text if "%" in text else f"{text}{_after(scale)}"
    return f"{text}{_after(series.unit)}"


def _after(unit: str) -> str:
    return f" {unit}" if unit else ""


def _number(operation: Operation, value: float, points: Sequence[DataPoint]) -> str:
    """As many decimals as the cells have; two more for an average, two for percentages, four for a small ratio."""
    most = max(len(f"{abs(point.value):.10g}".partition(".")[2]) for point in points)
    places = min(most, 4)
    if operation is Operation.AVERAGE:
        places += 2
    elif operation is not Operation.SUM and operation is not Operation.DIFFERENCE:
        places = 2 if abs(value) >= 0.1 else 4
    text = f"{abs(value):,.{places}f}"
    if operation is Operation.AVERAGE and "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{'−' if value < 0 and float(text.replace(',', '')) else ''}{text}"
