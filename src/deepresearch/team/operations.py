"""The operation that a question asks for: a sum, a difference, a ratio, a share, a percentage change, an average."""

from __future__ import annotations

import re
from enum import StrEnum

from deepresearch.team.periods import years_in


class Operation(StrEnum):
    """What is done with the values of cells."""

    SUM = "sum"
    DIFFERENCE = "difference"
    RATIO = "ratio"
    SHARE = "share"
    PERCENTAGE_CHANGE = "percentage change"
    AVERAGE = "average"


_MOVE = (
    r"(?:changes?|increases?|decreases?|growth|grow|grew|declines?|reductions?|drops?|falls?|fell|rises?|rose|"
    r"variation|variance|movement)"
)
_PERCENT = r"(?:percent(?:age)?|per\s?cent|%|proportional|relative)"
_PERCENTAGE_CHANGE = re.compile(
    rf"{_PERCENT}\W+(?:\w+\W+)?(?:\(?of\)?\W+)?{_MOVE}\b|"
    rf"\b{_MOVE}\b[^?]*\b(?:in|as a) (?:percent(?:age)?|per\s?cent)\b(?!\W+of\b)|"
    rf"\bgrowth rate\b|\brate of (?:change|growth|increase|decrease)\b|{_PERCENT}\W+(?:difference|increase\W+/)|"
    rf"\bby (?:what|how (?:much|many)) (?:percent(?:age)?|per\s?cent|%)|\b{_MOVE}\s*\(%\)",
    re.IGNORECASE,
)
_AVERAGE = re.compile(r"\b(?:average|mean|on average|averaged)\b", re.IGNORECASE)
_NO_AVERAGE = re.compile(r"\bweighted[\s-]+average\b", re.IGNORECASE)
_SHARE = re.compile(
    r"\bas an? (?:percent(?:age)?|per\s?cent|%|share) of\b|"
    r"\b(?:what|which) (?:percent(?:age)?|per\s?cent|%|share|part) of\b|"
    r"\b(?:percent(?:age)?|per\s?cent)\W+(?:\w+\W+)?"
    r"(?:constitution|contribution|share|portion|composition|proportion|make-?up)\b|"
    r"\bpercent(?:age)? (?:of|that)\b|\b(?:account(?:s|ed)? for|make up|made up|share of)\b",
    re.IGNORECASE,
)
_RATIO = re.compile(
    r"\b(?:ratio|proportion|fraction|quotient|times (?:as|larger|higher|greater|more))\b|\bdivided by\b", re.IGNORECASE
)
_DIFFERENCE = re.compile(
    rf"\b(?:difference|differ|differs|{_MOVE}|gap|spread)\b|"
    r"\bhow much (?:more|less|higher|lower|larger|smaller|greater|fewer)\b|"
    r"\bhow many (?:more|fewer|less)\b|\b(?:minus|net of)\b",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"\b(?:sum|total|combined|altogether|together|in all|aggregate|cumulative|overall|plus)\b", re.IGNORECASE
)


_DECREASE = re.compile(r"\b(?:decreas|declin|reduc|drop|fall|fell)\w*", re.IGNORECASE)
_OTHER_WAY = re.compile(r"\b(?:increas|chang|ris|rose|grow|grew)\w*", re.IGNORECASE)


def asks_how_much_less(question: str) -> bool:
    """Whether a difference is asked for as a decrease, so that the earlier value comes first."""
    return bool(_DECREASE.search(question)) and not _OTHER_WAY.search(question)


def without_average(question: str) -> str:
    """The question without its first "average": that word belongs to the name of the row."""
    return _AVERAGE.sub(" ", question, count=1)


def asked_operation(question: str) -> Operation | None:
    """The operation that the words of a question ask for, or None for a plain question after a value.

    "Total" asks for a sum only beside several periods or things; whoever looks the operands up decides that.
    """
    if _PERCENTAGE_CHANGE.search(question):
        return Operation.PERCENTAGE_CHANGE
    average = _AVERAGE.search(_NO_AVERAGE.sub(" ", question))
    difference = _DIFFERENCE.search(question)
    if average and not (difference and difference.start() < average.start()):
        return Operation.AVERAGE
    if _SHARE.search(question) and not (_DIFFERENCE.search(question) and len(years_in(question)) >= 2):
        return Operation.SHARE
    if _RATIO.search(question) and not (_DIFFERENCE.search(question) and len(years_in(question)) >= 2):
        return Operation.RATIO
    if _DIFFERENCE.search(question):
        return Operation.DIFFERENCE
    return Operation.SUM if _SUM.search(question) else None
