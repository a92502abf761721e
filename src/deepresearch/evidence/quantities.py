"""Quantities in prose and in cells: value, unit, range, how exactly they are written, and where.

Years and other dates, ordinals, numbered things (``Figure 3``, ``Scope 2``, ``ISO 9001``), list numbers,
references and parts of names (``CO2``) are not quantities.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from deepresearch.evidence import numerals, units
from deepresearch.evidence.dates import date_spans, within

_SPACE = r"[ \u00a0\u202f\u2009]"


class Comparison(StrEnum):
    """How two quantities stand to each other."""

    SAME = "same"
    COMPATIBLE = "compatible"
    DIFFERENT = "different"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its meaning. `text == source[start:end]`.

    `value` is in `unit` with scale words multiplied out (``3 million`` is 3,000,000); in a range it is the
    middle and `low` and `high` are the ends. `precision` is half a unit of the last digit written. `bound`
    is ``exact``, ``about``, ``at_least`` or ``at_most``. `scaled` says that a scale word stood there.
    `counted` is the word that follows a bare number (``people``).
    """

    value: float
    low: float
    high: float
    unit: str
    precision: float
    bound: str
    start: int
    end: int
    text: str
    scaled: bool = False
    counted: str = ""
    digits: str = ""

    @property
    def is_range(self) -> bool:
        """Whether two ends were written."""
        return self.low != self.high


_BOUNDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (bound, re.compile(rf"(?:{pattern})\s*$", re.IGNORECASE))
    for bound, pattern in (
        (
            "at_least",
            r"\b(?:more than|greater than|over|above|at least|no (?:less|fewer) than|not less than|"
            "exceed(?:s|ed|ing)?|upwards of|mehr als|über|mindestens|plus de|au moins|más de|al menos|"
            "più di|meer dan|minst)|[>≥]",
        ),
        (
            "at_most",
            r"\b(?:less than|fewer than|under|below|at most|no more than|not more than|up to|a maximum of|"
            "weniger als|unter|höchstens|bis zu|moins de|au plus|menos de|hasta|minder dan)|[<≤]",
        ),
        (
            "about",
            r"\b(?:about|around|approximately|approx\.?|roughly|nearly|almost|close to|some|circa|ca\.?|"
            r"c\.|an estimated|rund|etwa|ungefähr|fast|knapp|gut|environ|près de|presque|aproximadamente|"
            "cerca de|casi|circa|quasi|ongeveer|bijna|omkring)|[~≈∼]",
        ),
    )
)
_NUMBERED = re.compile(
    r"(?:\b(?:fig(?:ure)?s?\.?|tab(?:le)?s?\.?|sect(?:ion)?s?\.?|sec\.|chapters?|ch\.|appendix|"
    r"annex|pages?|pp?\.|articles?|art\.|abb(?:ildung)?\.?|"
    r"tabelle|kapitel|abschnitt|seite|s\.|nos?\.|nr\.?|number|version|ver\.|rev(?:ision)?\.?|v\.?|"
    "steps?|phases?|types?|class|lines?|block|unit|route|"
    "room|building|item|question|iso|en|din|iec|ieee|rfc|scopes?|tier|level|grade|zone|reactor|"
    "turbine|hall|gate|plot|lot|file|case|"
    r"equation|eq\.|footnote|note|paragraph|para\.|volume|vol\.|issue|edition|part|site|line|"
    "league|group|category|option|round|episode|season|apollo|windows|"
    "boeing|airbus|highway|interstate|world war|covid|form|act|bill|resolution|regulation|"
    r"directive)|[§¶#№])[\s\u00a0]*[-(]?$",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"(?:^|\n)[ \t]*(?:#+[ \t]*)?$")
_ADDRESS = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]{1,64}@[\w-]{1,64}\.\w+|\b\d{1,2}:\d{2}(?::\d{2})?\b|\[\d+(?:\s*[,;–-]\s*\d+)*\]|"
    r"\+\d[\d\s()/-]{7,}\d|\b\d{3}-\d{3}-\d{4}\b|\b(?:doi|isbn|issn)\S*\s*[\d-]+[\dX]",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\b(?:between|zwischen|entre|tra|tussen)\s*(?:\S{1,8}\s*)?$", re.IGNORECASE)
_CHANGE_FROM = re.compile(r"\bfrom\s*(?:\S{1,6}\s*)?$|\bvon\s*(?:\S{1,6}\s*)?$|\b(?:de|da|van)\s*$", re.IGNORECASE)
_SPREAD = re.compile(r"\b(?:rang|vary|varie|between|spann|lie)\w*\s+(?:\w+\s+)?(?:from|von)\s*$", re.IGNORECASE)
_RANGE_JOIN = re.compile(r"\s*(?:[-‐‑‒–—−]|\.\.\.?|to|bis|à|till)\s*")
_AND_JOIN = re.compile(r"\s*(?:and|und|et|y|e|en)\s*")
_COUNTED = re.compile(rf"{_SPACE}+([^\W\d_]{{3,}})")


def find_quantities(text: str, *, decimal_comma: bool | None = None) -> list[Quantity]:
    """The quantities of a text in order, without overlaps.

    `decimal_comma` says how ``1.234`` and ``1,234`` are meant; left out, the text itself is asked (its
    language and its unmistakable numbers), and the English way is taken when it does not tell.
    """
    if not text or not (numerals.MAY_HOLD_NUMBER.search(text)):
        return []
    return list(_find(text, decimal_comma))


@lru_cache(maxsize=2048)
def _find(text: str, decimal_comma: bool | None) -> tuple[Quantity, ...]:
    comma = numerals.uses_decimal_comma(text) if decimal_comma is None else decimal_comma
    excluded = date_spans(text) + [match.span() for match in _ADDRESS.finditer(text)]
    single = [
        quantity
        for numeral in numerals.find_numerals(text, comma)
        if not within(excluded, numeral.start, numeral.end) and (quantity := _with_unit(text, numeral)) is not None
    ]
    return tuple(_joined(text, single))


def parse_unit(text: str) -> tuple[float, str]:
    """Scale and unit of a column head or a caption: ``in EUR million`` gives (1000000.0, "EUR"); (1.0, "") for none."""
    scale = 1.0
    for match in numerals.SCALE_WORD.finditer(text):
        scale = numerals.scale_of(match.group())
        text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
        break
    for match in units.UNIT.finditer(text):
        before = text[match.start() - 1 : match.start()]
        if not before.isalnum() and (unit := units.canonical(match.group())):
            return scale, unit
    code = re.search(rf"(?-i:{units.CURRENCY})", text)
    return (scale, units.currency(code.group())) if code else (scale, "")


def _with_unit(text: str, numeral: numerals.Numeral) -> Quantity | None:
    start, end = numeral.start, numeral.end
    before = text[:start]
    if _NUMBERED.search(before[-24:]) and not _currency_before(before):
        return None
    bracketed = before.endswith("(") and text[end : end + 1] == ")"
    prefix = _currency_before(before[:-1] if bracketed else before)
    unit = ""
    if prefix is not None:
        unit = units.currency(re.sub(r"[-−–\s]+$", "", prefix.group()))
        start = prefix.start()
    scale, scaled, end = _scale(text, end, money=bool(unit), spelt=numeral.spelt)
    gap = re.match(rf"{_SPACE}?[-‑]?", text[end:])
    place = end + (gap.end() if gap else 0)
    if not unit:
        written = units.UNIT.match(text, place)
        if written is not None and (found := units.canonical(written.group())):
            if found == "lb" and scaled:
                found = "GBP"  # nobody weighs in millions of pounds
            unit, end = found, written.end()
    else:
        rate = re.compile(r"(?:\s?/\s?|\s+(?:per|pro|je|par|a|an)\s+)").match(text, end)
        if rate is not None:
            by = re.match(r"[^\W\d_]+[²³]?", text[rate.end() :])
            if by is not None and (found := units.canonical(f"{unit}/{by.group()}")):
                unit, end = found, rate.end() + by.end()
    if not unit and not numeral.spelt and not scaled and _is_no_quantity(text, numeral):
        return None
    if numeral.spelt and numeral.weak and not unit and not scaled:
        return None  # "one", "a": an article or a pronoun more often than a number
    sign = -1.0 if numeral.negative else 1.0
    if _minus_before_currency(text, start, prefix is not None):
        sign, start = -1.0, start - 1
    if prefix is not None and bracketed:
        sign, end = -1.0, end + 1  # $(1,200): accounts write a loss in brackets
    elif _is_bracketed_cell(text, start, end):
        sign, start, end = -1.0, start - 1, end + 1
    value = sign * numeral.value * scale
    if numeral.negative:
        start = min(start, numeral.start)
    counted = _COUNTED.match(text, end)
    return Quantity(
        value=value,
        low=value,
        high=value,
        unit=unit,
        precision=numeral.precision * scale,
        bound=_bound(text[:start]),
        start=start,
        end=end,
        text=text[start:end],
        scaled=scaled,
        counted=counted.group(1).lower() if counted and not unit else "",
        digits=numeral.text,
    )


def _currency_before(before: str) -> re.Match[str] | None:
    return units.PREFIX_CURRENCY.search(before, max(0, len(before) - 8))


def _minus_before_currency(text: str, start: int, money: bool) -> bool:
    return (
        money
        and text[max(0, start - 1) : start] in "-−"
        and start > 0
        and not text[max(0, start - 2) : start - 1].isalnum()
    )


def _scale(text: str, end: int, *, money: bool, spelt: bool) -> tuple[float, bool, int]:
    """Factor of the scale word after a number, whether there was one, and the end after it."""
    match = numerals.scale_after(text, end, money=money)
    if match is None or (spelt and match.group().strip().lower() in ("k", "m")):
        return 1.0, False, end
    return numerals.scale_of(match.group(), money=money), True, match.end()


def _bound(before: str) -> str:
    tail = before[-30:]
    for bound, pattern in _BOUNDS:
        if pattern.search(tail):
            return bound
    return "exact"


def _is_bracketed_cell(text: str, start: int, end: int) -> bool:
    """Accounts write a loss in brackets: a cell that holds nothing else."""
    if start == 0 or text[start - 1] != "(" or text[end : end + 1] != ")":
        return False
    return text[: start - 1].strip() == "" and text[end + 1 :].strip(" %") == ""


def _is_no_quantity(text: str, numeral: numerals.Numeral) -> bool:
    """Whether a bare number is part of a list, a name, an ordinal or a chain such as 1.2.3."""
    start, end = numeral.start, numeral.end
    after = text[end : end + 12]
    if re.match(r"(?:st|nd|rd|th|er|ère|e|º|ª|\.º)\b", after):
        return True
    if re.match(r"[^\W\d_]", after) or (
        re.match(r"-[^\W\d_]", after)
        and not re.match(r"-(?:year|month|day|hour|fold|point|member|person|page|story|bed)", after)
    ):
        return True
    if _LIST_NUMBER.search(text[max(0, start - 40) : start]) and re.match(r"[.)]\s|[.)]$|(?:\.\d+)+\s", after):
        return True
    at_line_start = _LIST_NUMBER.search(text[max(0, start - 40) : start]) is not None
    heading = text[max(0, start - 8) : start].lstrip().startswith("#")
    return at_line_start and (heading or "." in numeral.text) and bool(re.match(r"\.?\s+[A-ZÄÖÜ]", after)) and start > 0


def _joined(text: str, single: list[Quantity]) -> list[Quantity]:
    """Neighbours that are the two ends of one range, made one."""
    result: list[Quantity] = []
    for quantity in single:
        if result and (merged := _as_range(text, result[-1], quantity)) is not None:
            result[-1] = merged
        else:
            result.append(quantity)
    return result


def _as_range(text: str, first: Quantity, second: Quantity) -> Quantity | None:
    between = text[first.end : second.start]
    if len(between) > 12 or first.is_range or second.is_range:
        return None
    joined = _RANGE_JOIN.fullmatch(between) is not None
    before = text[max(0, first.start - 40) : first.start]
    if joined and _CHANGE_FROM.search(before) and not _SPREAD.search(before):
        return None
    if not joined and not (_AND_JOIN.fullmatch(between) and _BETWEEN.search(before)):
        return None
    unit = first.unit or second.unit
    if first.unit and second.unit != first.unit and (second.unit or not units.is_currency(first.unit)):
        return None
    low, precision = first.value, first.precision
    if second.scaled and not first.scaled:
        factor = second.value / (numerals.plain_value(second.digits) or second.value or 1.0)
        low, precision = low * factor, precision * factor
    high = abs(second.value) if re.search(r"[-‐‑‒–—−]$", between.strip()) else second.value
    if low > high:
        return None
    return replace(
        second,
        value=(low + high) / 2,
        low=low,
        high=high,
        unit=unit,
        precision=max(precision, second.precision),
        bound=first.bound,
        start=first.start,
        text=text[first.start : second.end],
        digits=f"{first.digits} {second.digits}",
    )


def compare(a: Quantity, b: Quantity, *, generous: bool = False) -> Comparison:
    """How `a` stands to `b`, after conversion of `b` to the unit of `a`.

    SAME: equal values. COMPATIBLE: `b`, written as roughly as `a`, is `a`; or one is a bound or a range
    that holds the other. DIFFERENT: neither. INCOMPARABLE: other dimensions, other currencies, percent
    beside points. With `generous` the rougher of the two sets the tolerance and trailing zeros of whole
    numbers count as rounding; use it before saying that two sources disagree.
    """
    low, high = units.convert(b.low, b.unit, a.unit), units.convert(b.high, b.unit, a.unit)
    step = units.convert(b.precision, b.unit, a.unit) if not _offset(b.unit) else b.precision
    if low is None or high is None or step is None:
        return Comparison.INCOMPARABLE
    scale = max(abs(a.low), abs(a.high), abs(low), abs(high))
    tiny = 1e-9 * scale
    if abs(a.low - low) <= tiny and abs(a.high - high) <= tiny:
        return Comparison.SAME
    tolerance = _tolerance(a, generous)
    if generous:
        tolerance = max(
            tolerance, _tolerance(replace(b, low=low, high=high, value=(low + high) / 2, precision=step), generous)
        )
    elif b.bound == "about":
        tolerance = max(tolerance, step)
    if a.unit != b.unit:
        tolerance = max(tolerance, step) + 0.001 * scale  # conversion factors are themselves rounded by writers
    left, right = _reach(a.low, a.high, a.bound, 1e12 if generous else 1.5)
    other_left, other_right = _reach(low, high, b.bound if generous else "exact", 1e12)
    if left - tolerance <= other_right + tiny and other_left - tiny <= right + tolerance:
        return Comparison.COMPATIBLE
    return Comparison.DIFFERENT


def _offset(unit: str) -> bool:
    return unit in ("degC", "degF")


def _reach(low: float, high: float, bound: str, factor: float) -> tuple[float, float]:
    """What a bound lets in: without generosity only what is near it, or ``more than 5`` would fit any larger number."""
    if bound == "at_least":
        return low, max(low * factor, low / factor)
    if bound == "at_most":
        return min(high * factor, high / factor), high
    return low, high


def _tolerance(quantity: Quantity, generous: bool) -> float:
    whole = float(quantity.precision)
    zeros = whole == 0.5 and quantity.value == int(quantity.value) and quantity.value != 0
    if not quantity.scaled and zeros and (generous or quantity.bound == "about"):
        whole = 0.5 * numerals.trailing_power(quantity.value, keep=1 if quantity.bound == "about" else 2)
    elif not quantity.scaled and whole == 0.5 and not generous and not quantity.unit and abs(quantity.value) >= 10:
        whole = 0.0  # a bare whole number is a count: 41 is not 42
    if generous and quantity.bound == "about":
        whole = max(whole, 0.05 * abs(quantity.value))
    return whole
