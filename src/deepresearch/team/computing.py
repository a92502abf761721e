"""From sub-questions to scripts: which series, over which periods, under which title."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepresearch.model.documents import Document
from deepresearch.model.mathematics import MathRequest, Series
from deepresearch.model.plan import Plan, QuestionType, SubQuestion
from deepresearch.team.operands import find_operands
from deepresearch.team.operation_scripts import operation_request
from deepresearch.team.operations import asked_operation
from deepresearch.team.periods import parse_period
from deepresearch.team.prose_series import find_prose_series
from deepresearch.team.questions import years
from deepresearch.team.scripts import math_request
from deepresearch.team.series import Candidate, find_series
from deepresearch.team.series_choice import choose_series

_AGGREGATE = re.compile(r"\b(?:total|average|mean|sum|altogether|overall|per year on average)\b", re.IGNORECASE)
#: "How did it change": a development, told by a series with its figure and not by one number.
_DEVELOPMENT = re.compile(
    r"^\W*(?:how|why|wie|warum)\b(?! (?:much|many|large|big))|\b(?:which|highest|lowest)\b", re.IGNORECASE
)
_NUMERIC = frozenset({QuestionType.TREND, QuestionType.COMPARISON, QuestionType.QUANTITY})


def requests_for(plan: Plan, documents: Sequence[Document]) -> list[MathRequest]:
    """One request for each numeric sub-question whose series are found; its id is ``M-`` and the sub-question's."""
    if not plan.wants_computation and not any(asked_operation(sub.text) for sub in plan.sub_questions):
        return []
    candidates = find_series(documents)
    requests = []
    for sub in plan.sub_questions:
        if (request := _operation(sub, documents)) is not None:
            requests.append(request)
            continue
        if sub.type not in _NUMERIC and len(years(sub.text)) < 2:
            continue
        chosen = choose_series(sub.text, candidates) or choose_series(sub.text, find_prose_series(sub.text, documents))
        series = [clipped for one in chosen if (clipped := _clip(one, sub)) is not None]
        if not series or not _wanted(sub):
            continue
        over_periods = bool(chosen[0].periods)
        named = years(sub.text)
        requests.append(
            math_request(
                f"M-{sub.id}",
                _title(series),
                series if over_periods else series[:1],
                over_periods=over_periods,
                compare_at=str(named[-1]) if named else None,
            )
        )
    return requests


def _operation(sub: SubQuestion, documents: Sequence[Document]) -> MathRequest | None:
    """The operation the sub-question names by its words; none for a question after a development."""
    if _DEVELOPMENT.search(sub.text):
        return None
    operands = find_operands(sub.text, documents)
    return operation_request(f"M-{sub.id}", operands) if operands is not None else None


def _wanted(sub: SubQuestion) -> bool:
    """A question for one amount wants a script only when it asks over several years or for a total or a mean."""
    if sub.type is not QuestionType.QUANTITY:
        return True
    return len(years(sub.text)) >= 2 or bool(_AGGREGATE.search(sub.text))


def _clip(candidate: Candidate, sub: SubQuestion) -> Series | None:
    """The series over the span of the years that the question names; None when fewer than two points are left."""
    wanted = years(sub.text)
    series = candidate.series
    if not candidate.periods or not wanted or (len(wanted) == 1 and "since" not in sub.text.casefold()):
        return series
    first, last = wanted[0], wanted[-1] if len(wanted) > 1 else 9999
    points = tuple(
        point
        for point in series.points
        if (period := parse_period(point.label)) is not None and first <= period.year <= last
    )
    return series.model_copy(update={"points": points}) if len(points) >= 2 else None


def _title(series: Sequence[Series]) -> str:
    names = " and ".join(dict.fromkeys(one.name for one in series))
    names = names if len(names) <= 90 else names[:89] + "…"
    unit = f" ({series[0].unit})" if series[0].unit and len(series[0].unit) <= 24 else ""
    first, last = series[0].points[0].label, series[0].points[-1].label
    span = f", {first} to {last}" if series[0].axis in ("year", "quarter", "month") else ""
    return f"{names[:1].upper()}{names[1:]}{unit}{span}"
