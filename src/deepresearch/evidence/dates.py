"""Dates, quarters, half-years, fiscal years and spans of years, as intervals with their places in the text.

English, German, French, Spanish, Italian, Dutch and Portuguese month names are known by heart; a day, a
word and a year in another language is put before `dateparser`. An interval is closed: `first` and `last`
both belong to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from deepresearch.evidence.words import language_of, word_set

EARLIEST_YEAR = 1000
LATEST_YEAR = 2199


@dataclass(frozen=True, slots=True)
class Period:
    """A time that a text names. `grain` is ``day``, ``month``, ``quarter``, ``half``, ``year``,
    ``fiscal_year``, ``range`` or ``decade``; `relation` is ``at``, ``since``, ``until``, ``before`` or
    ``after``. `text == source[start:end]`.
    """

    first: date
    last: date
    grain: str
    start: int
    end: int
    text: str
    relation: str = "at"

    def overlaps(self, other: Period) -> bool:
        """Whether the two share a day."""
        return self.first <= other.last and other.first <= self.last

    def same(self, other: Period) -> bool:
        """Whether both name the same time (a fiscal year is not a calendar year)."""
        return (
            self.first == other.first
            and self.last == other.last
            and (self.grain == "fiscal_year") == (other.grain == "fiscal_year")
        )


_MONTH_NAMES: tuple[str, ...] = (
    "january jan januar jänner janvier janv enero ene gennaio gen januari janeiro",
    "february feb februar février févr fevrier febrero febbraio februari fevereiro fev",
    "march mar märz maerz mrz mars marzo maart março marco",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mei maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro",
)
_MONTHS: dict[str, int] = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}
_MONTH = "(?:" + "|".join(sorted((re.escape(name) for name in _MONTHS), key=len, reverse=True)) + r")\b\.?"
_YEAR = r"(?:1[0-9]{3}|20[0-9]{2}|21[0-9]{2})"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_DASH = r"[-‐‑‒–—−]"
_OF = r"(?:\s*,?\s*(?:of|de|del|do|di|d'|in)?\s*)"
_NUMERIC_END = r"(?![\d]|[.,]\d)"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            "iso",
            rf"(?<![\d.,/-])({_YEAR})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|"
            r"3[01])(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d-])",
        ),
        ("slashed", rf"(?<![\d.,/-])({_DAY})/({_DAY})/({_YEAR})(?![\d/])"),
        ("dotted", rf"(?<![\d.,/-])({_DAY})\.\s?(0?[1-9]|1[0-2])\.\s?({_YEAR})(?!\d)"),
        (
            "days_month_year",
            rf"(?<![\d.,])({_DAY})\.?\s*(?:{_DASH}|to|and|bis|und)\s*({_DAY})(?:st|nd|rd|th|"
            rf"\.)?\s+({_MONTH})\s*,?\s*({_YEAR})(?!\d)",
        ),
        (
            "day_month_year",
            rf"(?<![\d.,])({_DAY})(?:st|nd|rd|th|er|\.|º)?\s*(?:of\s+|de\s+)?({_MONTH}){_OF}({_YEAR})(?!\d)",
        ),
        ("month_day_year", rf"\b({_MONTH})\s*({_DAY})(?:st|nd|rd|th)?\s*,?\s+({_YEAR})(?!\d)"),
        ("months_year", rf"\b({_MONTH})\s*(?:{_DASH}|to|through|bis|until|à)\s*({_MONTH}){_OF}({_YEAR})(?!\d)"),
        ("month_year", rf"\b({_MONTH}){_OF}({_YEAR})(?!\d)"),
        ("year_month", rf"(?<![\d.,/-])({_YEAR})-(0[1-9]|1[0-2])(?![\d-])"),
        ("quarter", rf"\bQ\s?([1-4])\s*(?:of\s+|/|{_DASH}|')?\s*(FY\s?)?({_YEAR}|'?\d\d(?!\d))"),
        ("quarter", rf"(?<![\d.,])({_YEAR})\s*(?:/|{_DASH})?\s*Q([1-4])\b"),
        (
            "quarter_words",
            r"\b(first|second|third|fourth|1st|2nd|3rd|4th|erste[sn]?|zweite[sn]?|dritte[sn]?|vierte[sn]?|"
            r"premier|deuxième|troisième|quatrième)\s+(?:quarter|quartal|trimestre)\s+(?:of\s+|de\s+|"
            rf"in\s+)?(?:the\s+)?(fiscal\s+(?:year\s+)?|FY\s?)?({_YEAR})(?!\d)",
        ),
        ("half", rf"\bH([12])\s*(?:of\s+|/|{_DASH})?\s*(?:FY\s?)?({_YEAR}|'?\d\d(?!\d))"),
        ("half_words", rf"\b(first|second)\s+half\s+of\s+(?:FY\s?)?({_YEAR})(?!\d)"),
        (
            "fiscal_pair",
            rf"\b(?:FY|fiscal(?:\s+year)?|financial\s+year|Geschäftsjahr)\s*({_YEAR})\s*(?:/|"
            rf"{_DASH})\s*({_YEAR}|\d\d)(?!\d)",
        ),
        (
            "fiscal",
            rf"\b(?:FY|fiscal(?:\s+year)?|financial\s+year|Geschäftsjahr(?:es)?|exercice)\s*'?({_YEAR}|\d\d)(?!\d)",
        ),
        (
            "years_words",
            rf"\b(?:between|from|von|zwischen|de|entre)\s+({_YEAR})\s+(?:and|to|until|through|bis|und|à|et|"
            rf"a|y)\s+({_YEAR})(?!\d)",
        ),
        (
            "years",
            rf"(?<![\d.,/$€£-])({_YEAR})\s?(?:{_DASH}|/|to|until|through|bis)\s?({_YEAR}|\d\d)(?![\d/%-]|[.,]\d)",
        ),
        ("decade", rf"(?<![\d.,])(?:the\s+)?({_YEAR})(?:['’]?s|er(?:\s+Jahre)?)\b"),
        ("day_month", rf"(?<![\d.,])({_DAY})(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?({_MONTH})(?![\w])"),
        ("month_day", rf"\b({_MONTH})\s+({_DAY})(?:st|nd|rd|th)?(?![\d,.]*\d|\s*%|\w)"),
        ("foreign", rf"(?<![\d.,])({_DAY})\.?\s+([^\W\d_]{{3,}})\s+({_YEAR})(?!\d)"),
        ("year", rf"(?<![\d.,/$€£#_-])(?<![$€£]\s)({_YEAR})(?![\d_/]|[.,:]\d|\s?%|{_DASH}\d)"),
    )
)
_ORDINAL_QUARTERS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_ORDINAL_QUARTERS |= {
    "erst": 1,
    "zwei": 2,
    "drit": 3,
    "vier": 4,
    "premier": 1,
    "deuxième": 2,
    "troisième": 3,
    "quatrième": 4,
}
_RELATIONS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (relation, re.compile(rf"(?:{pattern})\s+(?:the\s+(?:end|start|beginning)\s+of\s+)?$", re.IGNORECASE))
    for relation, pattern in (
        ("since", r"\b(?:since|seit|depuis|desde|dal|as of|from)"),
        ("until", r"\b(?:until|till|by|up to|bis|jusqu'en|hasta|through)"),
        ("before", r"\b(?:before|prior to|vor|avant|antes de)"),
        ("after", r"\b(?:after|nach|après|después de|following)"),
    )
)
# A year that is followed by one of these is a number of things, not a time.
_COUNTED = re.compile(
    r"\s?(?:%|‰|percent|per cent|Prozent|people|persons?|employees|staff|households|homes|units|"
    r"tonnes?|tons?|[kMGT]?Wh?\b|"
    r"kg|km|m[²³]|MW|GWh|hectares|ha\b|euros?|dollars?|EUR|USD|€|patients|participants|"
    "respondents|students|users|customers|"
    "members|items|cases|votes|seats|vehicles|cars|Einwohner|Menschen|Mitarbeiter|Haushalte|Euro|"
    "rpm|calories|kcal|hours|miles|feet|meters|metres)",
    re.IGNORECASE,
)


def find_dates(text: str) -> list[Period]:
    """The times a text names, in order, without overlaps. Days without a year are left out."""
    return [period for period in _scan(text) if period is not None and isinstance(period, Period)]


def date_spans(text: str) -> list[tuple[int, int]]:
    """The places of all times, those without a year (``5 March``) among them: no quantity may be read there."""
    return [(found.start, found.end) if isinstance(found, Period) else found for found in _scan(text)]


_ANY_DIGIT = re.compile(r"\d")
_ANY_MONTH = re.compile(rf"\b{_MONTH}", re.IGNORECASE)
_ANY_YEAR = re.compile(_YEAR)
_ANY_SHORT = re.compile(r"\b(?:[QH]\s?[1-4]|FY|fiscal|financial|Gesch)", re.IGNORECASE)
_NEEDS_MONTH = word_set("days_month_year day_month_year month_day_year months_year month_year day_month month_day")
_MAY_LACK_YEAR = word_set("quarter half fiscal fiscal_pair")


def _worth_trying(text: str) -> set[str]:
    """The patterns that can match at all: most texts name no month and many no year."""
    years, months, short = _ANY_YEAR.search(text), _ANY_MONTH.search(text), _ANY_SHORT.search(text)
    names = {name for name, _ in _PATTERNS}
    if not months:
        names -= _NEEDS_MONTH
    if not years:
        names &= _MAY_LACK_YEAR | {"day_month", "month_day"}
    if not short:
        names -= _MAY_LACK_YEAR
    return names


@lru_cache(maxsize=1024)
def _scan(text: str) -> tuple[Period | tuple[int, int], ...]:
    if not _ANY_DIGIT.search(text):
        return ()
    worth = _worth_trying(text)
    taken = bytearray(len(text))
    found: list[Period | tuple[int, int]] = []
    for name, pattern in _PATTERNS:
        for match in pattern.finditer(text) if name in worth else ():
            start, end = match.span()
            if any(taken[start:end]):
                continue
            value = _read(name, match, text)
            if value is None:
                continue
            if isinstance(value, tuple) and len(value) == 3:
                first, last, grain = value
                found.append(Period(first, last, grain, start, end, match.group(), _relation(text, start)))
            else:
                found.append((start, end))
            taken[start:end] = b"\1" * (end - start)
    return tuple(sorted(found, key=lambda item: item.start if isinstance(item, Period) else item[0]))


def _relation(text: str, start: int) -> str:
    before = text[max(0, start - 30) : start]
    for relation, pattern in _RELATIONS:
        if pattern.search(before):
            return relation
    return "at"


_Interval = tuple[date, date, str]


def _read(name: str, match: re.Match[str], text: str) -> _Interval | tuple[()] | None:
    """The interval of a match, an empty tuple for a time without a year, None when it is no time at all."""
    groups = [group or "" for group in match.groups()]
    if name in ("day_month", "month_day"):
        month = groups[1] if name == "day_month" else groups[0]
        return () if month[:1].isupper() else None
    try:
        return _INTERVALS[name](groups, match, text)
    except (ValueError, KeyError):
        return None


@lru_cache(maxsize=12)
def month_names(month: int) -> tuple[str, ...]:
    """The names of a month in all languages known by heart, the long ones first."""
    return tuple(
        sorted((re.escape(name) for name, number in _MONTHS.items() if number == month), key=len, reverse=True)
    )


def _month_number(name: str) -> int:
    return _MONTHS[name.lower().rstrip(".")]


def _year_number(digits: str, near: int | None = None) -> int:
    digits = digits.lstrip("'’")
    if len(digits) == 4:
        return int(digits)
    if near is not None:
        return near // 100 * 100 + int(digits)
    return (2000 if int(digits) < 70 else 1900) + int(digits)


def month_interval(year: int, month: int, months: int = 1) -> tuple[date, date]:
    """First and last day of `months` months from this one."""
    after = year * 12 + month - 1 + months
    return date(year, month, 1), date(after // 12, after % 12 + 1, 1) - timedelta(days=1)


def _day(day: str, month: int, year: str) -> _Interval:
    value = date(int(year), month, int(day))
    return value, value, "day"


def _slashed(groups: list[str]) -> _Interval:
    first, second, year = (int(group) for group in groups)
    if first > 12 or first == second:
        return _day(str(first), second, str(year))
    if second > 12:
        return _day(str(second), first, str(year))
    # Day first or month first: nobody can tell, so only the year is said.
    return date(year, 1, 1), date(year, 12, 31), "year"


def _quarter(groups: list[str]) -> _Interval:
    number, year = (groups[0], groups[2]) if len(groups) == 3 else (groups[1], groups[0])
    return (*month_interval(_year_number(year), int(number) * 3 - 2, 3), "quarter")


def _quarter_words(groups: list[str]) -> _Interval:
    word = groups[0].lower()
    number = _ORDINAL_QUARTERS.get(word) or _ORDINAL_QUARTERS[word[:4]]
    return (*month_interval(int(groups[2]), number * 3 - 2, 3), "quarter")


def _half(groups: list[str]) -> _Interval:
    number = {"first": 1, "second": 2}.get(groups[0].lower()) or int(groups[0])
    return (*month_interval(_year_number(groups[1]), number * 6 - 5, 6), "half")


def _years(first: int, last: int, grain: str = "range") -> _Interval:
    if last < first or last - first > 500:
        raise ValueError(first, last)
    return date(first, 1, 1), date(last, 12, 31), grain


def _year_pair(groups: list[str], match: re.Match[str], text: str) -> _Interval:
    first = int(groups[0])
    if text[match.end() : match.end() + 1] == "%":
        raise ValueError(text)
    last = _year_number(groups[1], first)
    if len(groups[1]) == 2 and not first < last <= first + 60:
        raise ValueError(groups)
    return _years(first, last, "fiscal_year" if "/" in match.group() and last == first + 1 else "range")


def _single_year(groups: list[str], match: re.Match[str], text: str) -> _Interval | None:
    if _COUNTED.match(text, match.end()) and not re.search(
        r"\b(?:in|since|by|during|of|until|im|seit|en)\s$", text[: match.start()]
    ):
        return None
    year = int(groups[0])
    before = text[max(0, match.start() - 1) : match.start()]
    if before and (before.isalnum() or before in "@#"):
        return None
    if year < 1500 and not re.search(
        r"\b(?:in|since|year|around|about|circa|c\.|ca\.|late|early|mid|by|of|from|until|im|Jahr|anno|en)\s$",
        text[: match.start()],
    ):
        return None
    return _years(year, year, "year")


@lru_cache(maxsize=512)
def _foreign_month(word: str) -> int | None:
    """The month that a word of some language names, asked of `dateparser`."""
    import dateparser  # half a second; only for a date in a language not known by heart

    parsed = dateparser.parse(f"2 {word} 2003", settings={"REQUIRE_PARTS": ["day", "month", "year"]})
    return parsed.month if parsed is not None and (parsed.day, parsed.year) == (2, 2003) else None


def _foreign(groups: list[str], match: re.Match[str], text: str) -> _Interval | None:
    if groups[1].isascii() and language_of(text) == "english":
        return None
    month = _foreign_month(groups[1])
    return None if month is None else _day(groups[0], month, groups[2])


def _days(groups: list[str]) -> _Interval:
    month, year = _month_number(groups[2]), int(groups[3])
    return date(year, month, int(groups[0])), date(year, month, int(groups[1])), "range"


def _months(groups: list[str]) -> _Interval:
    first, last, year = _month_number(groups[0]), _month_number(groups[1]), int(groups[2])
    if last < first:
        raise ValueError(groups)
    return (*month_interval(year, first, last - first + 1), "range")


def _decade(groups: list[str]) -> _Interval:
    year = int(groups[0])
    return _years(year, year + (99 if year % 100 == 0 and year < 1900 else 9), "decade")


_INTERVALS = {
    "iso": lambda g, m, t: _day(g[2], int(g[1]), g[0]),
    "slashed": lambda g, m, t: _slashed(g),
    "dotted": lambda g, m, t: _day(g[0], int(g[1]), g[2]),
    "days_month_year": lambda g, m, t: _days(g),
    "day_month_year": lambda g, m, t: _day(g[0], _month_number(g[1]), g[2]),
    "month_day_year": lambda g, m, t: _day(g[1], _month_number(g[0]), g[2]),
    "months_year": lambda g, m, t: _months(g),
    "month_year": lambda g, m, t: (*month_interval(int(g[1]), _month_number(g[0])), "month"),
    "year_month": lambda g, m, t: (*month_interval(int(g[0]), int(g[1])), "month"),
    "quarter": lambda g, m, t: _quarter(g),
    "quarter_words": lambda g, m, t: _quarter_words(g),
    "half": lambda g, m, t: _half(g),
    "half_words": lambda g, m, t: _half(g),
    "fiscal_pair": lambda g, m, t: _years(int(g[0]), _year_number(g[1], int(g[0])), "fiscal_year"),
    "fiscal": lambda g, m, t: _years(_year_number(g[0]), _year_number(g[0]), "fiscal_year"),
    "years_words": lambda g, m, t: _years(int(g[0]), int(g[1])),
    "years": _year_pair,
    "decade": lambda g, m, t: _decade(g),
    "foreign": _foreign,
    "year": _single_year,
}


def within(spans: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether a stretch touches one of the spans."""
    return any(start < right and left < end for left, right in spans)


def distinct(periods: list[Period]) -> Iterator[Period]:
    """The periods without those that name the same time again."""
    seen: list[Period] = []
    for period in periods:
        if not any(period.same(other) for other in seen):
            seen.append(period)
            yield period
