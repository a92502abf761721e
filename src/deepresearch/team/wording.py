"""Sentences for computed numbers. Each number in them is a cited cell or a value that the run printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepresearch.model.mathematics import DataPoint, MathResult, Series
from deepresearch.model.plan import QuestionType
from deepresearch.team.operation_wording import operation_claim
from deepresearch.team.protocol import DraftClaim, MathOutcome


def computed_claims(outcome: MathOutcome, sub_question: str, kind: QuestionType, question: str) -> list[DraftClaim]:
    """What a finished run says about its series, first the sentence that answers `kind` best."""
    if (operation := operation_claim(outcome, sub_question)) is not None:
        return [operation]
    values = outcome.result.values
    claims: list[DraftClaim] = []
    for number, series in enumerate(outcome.request.series, start=1):
        mine = {
            key.removeprefix(f"s{number}."): value for key, value in values.items() if key.startswith(f"s{number}.")
        }
        if mine:
            claims.extend(_about(series, mine, outcome.result, sub_question, kind, question))
    if len(outcome.request.series) == 2:
        claims.extend(_comparison(outcome, sub_question))
    return claims


def _about(
    series: Series,
    values: Mapping[str, float | str],
    result: MathResult,
    sub_question: str,
    kind: QuestionType,
    question: str,
) -> list[DraftClaim]:
    points = {point.label: point for point in series.points}
    if series.axis in ("year", "quarter", "month"):
        claims = [_change(series, values, result, sub_question)]
        if kind is not QuestionType.CAUSE and _moves(values):
            claims.append(_extremes(series, values, points, result, sub_question))
    else:
        claims = [_extremes(series, values, points, result, sub_question)]
    lowered = question.casefold()
    if "average" in lowered or "mean" in lowered.split():
        claims.insert(0, _aggregate(series, values, result, sub_question, "mean", "On average"))
    if any(word in lowered.split() for word in ("total", "sum", "altogether", "together", "overall")):
        claims.insert(0, _aggregate(series, values, result, sub_question, "sum", "In total"))
    if any(
        word in lowered for word in ("highest", "largest", "most", "peak", "maximum", "lowest", "smallest", "least")
    ):
        claims.sort(key=lambda claim: "highest" not in claim.text)
    return claims


def _change(series: Series, values: Mapping[str, float | str], result: MathResult, sub_question: str) -> DraftClaim:
    first, last = series.points[0], series.points[-1]
    change = float(values["change"])
    verb = "rose" if change > 0 else "fell" if change < 0 else "stayed the same"
    sentence = (
        f"{_subject(series)} {verb} from {_amount(first, series.unit)} in {first.label} "
        f"to {_amount(last, series.unit)} in {last.label}"
    )
    if change:
        size = _number(abs(change), series.points)
        percent = values.get("change_percent")
        share = f" ({_signed(float(percent))} %)" if isinstance(percent, float | int) else ""
        sentence += f", a change of {'+' if change > 0 else '−'}{size}{_unit(series.unit)}{share}"
    return _claim(sentence + ".", sub_question, (first, last), result)


def _extremes(
    series: Series,
    values: Mapping[str, float | str],
    points: Mapping[str, DataPoint],
    result: MathResult,
    sub_question: str,
) -> DraftClaim:
    high, low = points[str(values["maximum_label"])], points[str(values["minimum_label"])]
    where = "in" if series.axis in ("year", "quarter", "month") else "for"
    sentence = (
        f"{_subject(series)} was highest {where} {high.label} ({_amount(high, series.unit)}) "
        f"and lowest {where} {low.label} ({_amount(low, series.unit)})."
    )
    return _claim(sentence, sub_question, (high, low), result)


def _aggregate(
    series: Series, values: Mapping[str, float | str], result: MathResult, sub_question: str, key: str, opening: str
) -> DraftClaim:
    first, last = series.points[0], series.points[-1]
    amount = f"{_number(float(values[key]), series.points, extra=1 if key == 'mean' else 0)}{_unit(series.unit)}"
    sentence = (
        f"{opening}, {_subject(series)} over the {len(series.points)} entries from {first.label} to {last.label} "
        f"was {amount}."
    )
    return _claim(sentence, sub_question, series.points, result)


def _comparison(outcome: MathOutcome, sub_question: str) -> list[DraftClaim]:
    one, two = outcome.request.series
    values = outcome.result.values
    if "shared_label" not in values or one.unit != two.unit:
        return []
    label = str(values["shared_label"])
    first = next(point for point in one.points if point.label == label)
    second = next(point for point in two.points if point.label == label)
    difference = float(values["difference"])
    sentence = f"In {label}, {_subject(one)} was {_amount(first, one.unit)}"
    sentence += f" and {_subject(two)} was {_amount(second, two.unit)}"
    sentence += f", a difference of {_number(abs(difference), [first, second])}{_unit(one.unit)}"
    return [_claim(sentence + ".", sub_question, (first, second), outcome.result)]


def _moves(values: Mapping[str, float | str]) -> bool:
    ends = {values["first_label"], values["last_label"]}
    return not {values["maximum_label"], values["minimum_label"]} <= ends


def _claim(text: str, sub_question: str, points: Sequence[DataPoint], result: MathResult) -> DraftClaim:
    return DraftClaim(
        text=text[0].upper() + text[1:],
        sub_question=sub_question,
        citations=tuple(dict.fromkeys(point.quote for point in points)),
        run_id=result.run_id,
    )


def _subject(series: Series) -> str:
    return series.name


def _amount(point: DataPoint, unit: str) -> str:
    """The value as the document writes it, with its unit unless the cell already has one."""
    text = point.quote.quote.strip()
    return f"{text}{_unit(unit)}" if not any(character.isalpha() or character in "%€$£" for character in text) else text


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def decimals(points: Sequence[DataPoint]) -> int:
    """How many decimals the documents write for these values (at most 4)."""
    most = 0
    for point in points:
        text = f"{point.value:.10g}"
        most = max(most, len(text.partition(".")[2]))
    return min(most, 4)


def _number(value: float, points: Sequence[DataPoint], extra: int = 0) -> str:
    return f"{value:,.{decimals(points) + extra}f}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else '−'}{abs(value):,.1f}"
