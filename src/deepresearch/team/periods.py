"""Labels of a table that name a period: years, fiscal years, quarters, months."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero",
            "february feb februar février fevrier febrero",
            "march mar märz maerz mars marzo",
            "april apr avril abril",
            "may mai mayo",
            "june jun juni juin junio",
            "july jul juli juillet julio",
            "august aug août aout agosto",
            "september sep sept septembre septiembre",
            "october oct oktober okt octobre octubre",
            "november nov novembre noviembre",
            "december dec dezember dez décembre decembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
#: Names of months in several languages, in lower case.
MONTH_NAMES = frozenset(_MONTHS)
_YEAR = re.compile(
    r"(?:FY|CY|GJ|(?:fiscal )?year|fiscal|jahr)?\s*'?((?:19|20)\d\d)"
    r"(?:\s*/\s*(?:\d\d|\d{4}))?\s*(?:\(?[A-Za-z*†)]{0,12}\)?)?",
    re.I,
)
_SHORT_FISCAL = re.compile(r"FY\s*'?(\d\d)", re.I)
_QUARTER = re.compile(r"(?:Q([1-4])[\s/.-]*((?:19|20)\d\d)|((?:19|20)\d\d)[\s/.-]*Q([1-4]))", re.I)
_NUMERIC_MONTH = re.compile(
    r"(?:((?:19|20)\d\d)[-/.](0?[1-9]|1[0-2])|(0?[1-9]|1[0-2])[-/.]((?:19|20)\d\d))(?:[-/.]\d\d)?"
)
_NAMED_MONTH = re.compile(r"([^\W\d_]{3,10})\.?\s+'?((?:19|20)\d\d)")


_ANY_YEAR = re.compile(
    r"(?<![\d.,$€£])((?:19|20)\d\d)(?:\s?/\s?(?:20)?(\d\d))?(?![\d%]|[.,]\d)|"
    r"\b(?:FY|CY|F|fiscal|year|fiscal year)\s?['’]?(\d\d)\b(?!\s?%)",
    re.IGNORECASE,
)

_DATED = re.compile(
    r"(?:(?:(?:fiscal )?(?:year|quarter|period|(?:\w+ )?months)s? (?:ended|ending)|as (?:of|at)|at|on) )?"
    r"(?:([^\W\d_]{3,10})\.? \d{1,2},? ((?:19|20)\d\d)|\d{1,2}\.? ([^\W\d_]{3,10})\.?,? ((?:19|20)\d\d))",
    re.IGNORECASE,
)


@dataclass(frozen=True, order=True)
class Period:
    """A period by its place in time. `part` is 0 for a year, else the quarter or month; `grain` names which."""

    year: int
    part: int
    grain: str


def parse_period(label: str) -> Period | None:
    """The period a whole label names, or None when it names something else."""
    text = " ".join(label.split()).strip("* ")
    if match := _QUARTER.fullmatch(text):
        quarter, year = (match[1], match[2]) if match[1] else (match[4], match[3])
        return Period(int(year), int(quarter), "quarter")
    if match := _NUMERIC_MONTH.fullmatch(text):
        year, month = (match[1], match[2]) if match[1] else (match[4], match[3])
        return Period(int(year), int(month), "month")
    if (match := _NAMED_MONTH.fullmatch(text)) and match[1].casefold() in _MONTHS:
        return Period(int(match[2]), _MONTHS[match[1].casefold()], "month")
    if match := _DATED.fullmatch(text):
        name, year = (match[1], match[2]) if match[1] else (match[3], match[4])
        return Period(int(year), _MONTHS[name.casefold()], "month") if name.casefold() in _MONTHS else None
    if match := _YEAR.fullmatch(text):
        return Period(int(match[1]), 0, "year")
    if match := _SHORT_FISCAL.fullmatch(text):
        return Period(2000 + int(match[1]), 0, "year")
    return None


def years_in(text: str) -> tuple[int, ...]:
    """The years that a heading or a question names, in order and once each: ``FY19`` and ``Dec 31, 2019`` are 2019.

    Of a year that runs over two (``2018/19``) it is the second, in which it ends.
    """
    return tuple(dict.fromkeys(_year_of(match) for match in _ANY_YEAR.finditer(text)))


def _year_of(match: re.Match[str]) -> int:
    if match[3]:
        return 2000 + int(match[3])
    first = int(match[1])
    return first + 1 if match[2] and int(match[2]) == (first + 1) % 100 else first
