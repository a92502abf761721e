"""Numbers as they are written: digits with separators, fractions, powers of ten, and number words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from deepresearch.evidence.words import language_of

LONGEST = 40
"""A run of more characters than this is a key or noise, not a number."""

_FRACTIONS = {
    "½": 0.5,
    "¼": 0.25,
    "¾": 0.75,
    "⅓": 1 / 3,
    "⅔": 2 / 3,
    "⅛": 0.125,
    "⅜": 0.375,
    "⅝": 0.625,
    "⅞": 0.875,
    "⅕": 0.2,
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_GAP = "\u00a0\u202f\u2009 "
_DIGITS = re.compile(
    rf"""(?<![\w²³])(?<!\d[.,])(?<![^\W\d_]-)(?<![^\W\d_][./])
    (?P<sign>[-−+±](?=[\d.½¼¾]))?
    (?P<body>
        \d{{1,3}}(?:,\d{{2}}){{1,4}},\d{{3}}(?:\.\d+)?(?![\d])
      | \d{{1,3}}(?:(?P<separator>[.,'’{_GAP}])\d{{3}})(?:(?P=separator)\d{{3}})*(?![\d])(?:[.,]\d+)?
      | \d+[.,]\d+
      | \d+[\x20]?[{"".join(_FRACTIONS)}]
      | [{"".join(_FRACTIONS)}]
      | \d+/\d+(?=\s+of\b)
      | \d+
      | (?<![\d\w])\.\d+
    )
    (?P<power>\s?[x×·*]\s?10\s?(?:\^\s?[-−]?\d+|[⁻⁰¹²³⁴-⁹]+)|[eE][+-]?\d{{1,3}}(?!\w))?
    (?![.,]?\d)
    """,
    re.VERBOSE,
)
_WORD_VALUES = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
    "dozen": 12,
    "zwei": 2,
    "drei": 3,
    "vier": 4,
    "fünf": 5,
    "sechs": 6,
    "sieben": 7,
    "acht": 8,
    "neun": 9,
    "zehn": 10,
    "elf": 11,
    "zwölf": 12,
    "zwanzig": 20,
    "dreißig": 30,
    "vierzig": 40,
    "fünfzig": 50,
    "sechzig": 60,
    "siebzig": 70,
    "achtzig": 80,
    "neunzig": 90,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "huit": 8,
    "neuf": 9,
    "dix": 10,
    "douze": 12,
    "vingt": 20,
    "dos": 2,
    "tres": 3,
    "cuatro": 4,
    "cinco": 5,
    "seis": 6,
    "siete": 7,
    "ocho": 8,
    "nueve": 9,
    "diez": 10,
}
_TIMES = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
    "dozen": 12,
}
_SPELT_WORD = "|".join(sorted(_WORD_VALUES, key=len, reverse=True))
_SPELT = re.compile(
    rf"\b(?:(?:{_SPELT_WORD}|hundreds?|a(?=\s+(?:hundred|thousand|dozen)\b))(?:(?:[\s-]+|"
    rf"\s+and\s+)(?:{_SPELT_WORD}|hundred|thousand))*)"
    r"(?:\s+and\s+a\s+half)?(?![-\w])|\bhalf\s+a(?=\s+(?:million|billion|dozen)\b)|"
    r"\ba(?=\s+(?:million|billion|trillion)\b)|\ban?\s+half(?=\s+(?:million|billion)\b)",
    re.IGNORECASE,
)
MAY_HOLD_NUMBER = re.compile(
    rf"\d|[{''.join(_FRACTIONS)}]|\b(?:{_SPELT_WORD}|hundred|half a|a million|a billion|a trillion)\b", re.IGNORECASE
)

_SCALES: dict[str, float] = {}
for _factor, _names in {
    1e3: "thousand thousands tsd tsd. tausend mille mil k",
    1e6: "million millions millionen mio mio. mn mln mln. m mm millones millón milhões milioni miljoen",
    1e9: "billion billions bn bn. b mrd mrd. milliarde milliarden milliard milliards miliardi miljard",
    1e12: "trillion trillions tn tn. billionen bio. trn",
    1e5: "lakh lakhs",
    1e7: "crore crores",
}.items():
    _SCALES.update(dict.fromkeys(_names.split(), _factor))
_LONG = "|".join(
    re.escape(name)
    for name in sorted((name for name in _SCALES if len(name) > 1 and name != "mm"), key=len, reverse=True)
)
SCALE_WORD = re.compile(rf"\b(?:{_LONG})(?!\w)", re.IGNORECASE)
_SCALE_AFTER = re.compile(
    rf"[{_GAP}]?[-‑]?(?:(?:{_LONG})(?!\w)(?:\s+(?:of|de|d['’])\s+(?=\w))?)|(?:(?-i:[kKMB])(?![\w²³/]))", re.IGNORECASE
)
_MONEY_SCALE_AFTER = re.compile(rf"[{_GAP}]?[-‑]?(?:(?:{_LONG})(?!\w))|[{_GAP}]?(?:mm|[kmbt])(?!\w)", re.IGNORECASE)
_COMMA_LANGUAGES = frozenset(("german", "french", "spanish", "italian", "dutch", "portuguese", "swedish"))


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as written. `precision` is half a unit of its last digit; `weak` marks ``one`` and ``a``."""

    value: float
    precision: float
    start: int
    end: int
    text: str
    negative: bool = False
    spelt: bool = False
    weak: bool = False


def find_numerals(text: str, decimal_comma: bool) -> list[Numeral]:
    """All numbers of a text, spelt or in digits, in order."""
    found: list[Numeral] = []
    for match in _DIGITS.finditer(text):
        if len(match["body"]) > LONGEST:
            continue
        value, precision = _value(match["body"], decimal_comma)
        if match["power"]:
            factor = 10.0 ** _power(match["power"])
            value, precision = value * factor, precision * factor
        negative = match["sign"] in ("-", "−") and not _is_dash(text, match.start())
        start = match.start() if negative else match.start("body")
        found.append(Numeral(value, precision, start, match.end(), match["body"], negative))
    if re.search(r"[^\W\d_]", text):
        found.extend(_spelt(text))
    return sorted(found, key=lambda numeral: numeral.start)


def _is_dash(text: str, place: int) -> bool:
    """Whether a minus sign stands between two things rather than before a number."""
    return place > 0 and (
        text[place - 1].isalnum()
        or text[place - 1] in "%)€$£°"
        or bool(re.search(r"[\d%€$£]\s$", text[max(0, place - 2) : place]))
    )


def _power(written: str) -> int:
    if written[0] in "eE":
        return max(-100, min(100, int(written[1:])))
    digits = re.sub(r".*10\s?\^?\s?", "", written).translate(_SUPERSCRIPTS).replace("−", "-")
    return max(-100, min(100, int(digits)))


def _value(body: str, decimal_comma: bool) -> tuple[float, float]:
    if body[-1] in _FRACTIONS:
        return float(body[:-1].strip() or 0) + _FRACTIONS[body[-1]], 0.005
    if "/" in body:
        above, below = body.split("/")
        return (float(above) / float(below), 0.005) if float(below) else (float(above), 0.5)
    plain = _plain(body, decimal_comma)
    decimals = len(plain.partition(".")[2])
    return float(plain), 0.5 * 10.0**-decimals


def _plain(body: str, decimal_comma: bool) -> str:
    """The digits with a point for decimals and no other separator."""
    for gap in _GAP + "'’":
        body = body.replace(gap, "")
    points, commas = body.count("."), body.count(",")
    if points and commas:
        last = max(body.rfind("."), body.rfind(","))
        return body[:last].replace(".", "").replace(",", "") + "." + body[last + 1 :]
    sign = "." if points else ","
    if points + commas > 1:
        return body.replace(sign, "")
    if not points + commas:
        return body
    before, after = body.split(sign)
    looks_grouped = len(after) == 3 and 1 <= len(before) <= 3 and before != "0"
    grouping = "." if decimal_comma else ","
    if looks_grouped and sign == grouping:
        return before + after
    if looks_grouped and sign == "," and not decimal_comma:
        return before + after
    return f"{before or '0'}.{after}"


def plain_value(body: str) -> float | None:
    """The value of a written number without its scale word, the English way; None for number words."""
    try:
        return float(_plain(body.rsplit(maxsplit=1)[-1] if body.split() else body, decimal_comma=False))
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def uses_decimal_comma(text: str) -> bool:
    """Whether the text writes ``1,5`` for one and a half: by its unmistakable numbers first, then by its language."""
    comma = len(
        re.findall(
            r"(?<![\d.,])\d+,(?:\d{1,2}|\d{4,})(?![\d,])|\d\.\d{3},\d|"
            r"(?<![\d.,])\d{1,3}(?:\.\d{3}){2,}(?![\d.])",
            text,
        )
    )
    point = len(
        re.findall(
            r"(?<![\d.,])\d+\.(?:\d{1,2}|\d{4,})(?![\d.])|\d,\d{3}\.\d|"
            r"(?<![\d.,])\d{1,3}(?:,\d{3}){2,}(?![\d,])",
            text,
        )
    )
    if comma != point:
        return comma > point
    return language_of(text) in _COMMA_LANGUAGES


def _spelt(text: str) -> list[Numeral]:
    found: list[Numeral] = []
    for match in _SPELT.finditer(text):
        tokens = re.findall(r"[^\W\d_]+", match.group().lower())
        value = _spelt_value(tokens)
        if value is not None:
            weak = tokens in (["one"], ["a"], ["elf"], ["acht"], ["dix"], ["sept"], ["six"]) and tokens != ["six"]
            precision = 0.5 if value >= 1 else 0.005
            found.append(Numeral(value, precision, match.start(), match.end(), match.group(), spelt=True, weak=weak))
    return found


def _spelt_value(tokens: list[str]) -> float | None:
    if tokens[-3:] == ["and", "a", "half"]:
        whole = _spelt_value(tokens[:-3])
        return None if whole is None else whole + 0.5
    if "half" in tokens:
        return 0.5
    total, current = 0.0, 0.0
    for word in tokens:
        if word in ("and",):
            continue
        if word == "a":
            current = 1.0
        elif word in ("hundred", "hundreds"):
            if word == "hundreds":
                return None  # "hundreds of": no number at all
            current = (current or 1.0) * 100
        elif word == "thousand":
            total, current = total + (current or 1.0) * 1000, 0.0
        elif word == "dozen":
            current = (current or 1.0) * 12
        else:
            current += _WORD_VALUES[word]
    return total + current


@lru_cache(maxsize=1024)
def spelt_as(value: float) -> tuple[str, ...]:
    """Number words that a text which spells this value must hold one of; empty for values that are seldom spelt."""
    whole = int(abs(value))
    return (
        tuple(word for word, number in _WORD_VALUES.items() if number in (whole, whole // 10 * 10))
        if whole < 100
        else ()
    )


def scale_after(text: str, place: int, *, money: bool) -> re.Match[str] | None:
    """The scale word that follows a number, if one does; single letters mean more after a currency sign."""
    return (_MONEY_SCALE_AFTER if money else _SCALE_AFTER).match(text, place)


def scale_of(written: str, *, money: bool = False) -> float:
    """The factor of a scale word."""
    name = re.sub(r"\s+(?:of|de|d['’])\s*$", "", written.strip(" \u00a0\u202f\u2009-‑").lower())
    if money and name == "t":
        return 1e12
    return _SCALES[name.strip()]


def trailing_power(value: float, keep: int) -> float:
    """The power of ten of the last digit that is not a trailing zero, leaving `keep` digits at least."""
    digits = str(int(abs(value)))
    zeros = len(digits) - len(digits.rstrip("0"))
    return float(10 ** max(0, min(zeros, len(digits) - keep)))
