"""Numbers as a spreadsheet shows them: the number format codes of ECMA-376 part 1, section 18.8.31."""

from __future__ import annotations

import datetime
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??",
    14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
QUOTED = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
BRACKETS = re.compile(r"\[(\$[^\]]*|[^\]]*)\]")
DATE_TOKEN = re.compile(
    r"yyyy|yy|y|mmmmm|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|\.0+|am/pm|a/p|\[h+\]|\[m+\]|\[s+\]|e",
    re.IGNORECASE,
)
NUMBER_TOKEN = re.compile(r"[#0?][#0?,]*(?:\.[#0?]*)?(?:[eE][+-][#0?]+)?|\.[#0?]+")
LITERAL_MARK = "\ue000"
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MAX_SERIAL = 2_958_465  # 9999-12-31


@lru_cache(maxsize=512)
def is_date_format(code: str) -> bool:
    """Whether a format code shows a date or a time."""
    first = _sections(code)[0]
    bare = re.sub(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", "", QUOTED.sub("", first), flags=re.IGNORECASE)
    if "general" in bare.lower():
        return False
    return re.search(r"[ymdhs]", bare, re.IGNORECASE) is not None and not re.search(
        r"[#?]|0(?!\d*\s*$)", re.sub(r"\.0+", "", bare)
    )


def show_number(value: float, code: str, *, date_1904: bool = False) -> str:
    """`value` in the format `code`; a code that cannot be followed shows the number in general form."""
    try:
        if is_date_format(code):
            return _show_date(value, _sections(code)[0], date_1904)
        return _show_number(value, code)
    except (ValueError, OverflowError, ArithmeticError, IndexError):
        return general(value)


def general(value: float) -> str:
    """A number with at most ten significant digits after rounding errors, without trailing zeros."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    shown = f"{value:.10g}"
    return shown if "e" not in shown else shown.replace("e", "E")


def serial_date(value: float, *, date_1904: bool = False) -> datetime.datetime:
    """The moment a day count stands for, with the 29 February 1900 that never was.

    Raises `ValueError` for a count outside of what a spreadsheet can show.
    """
    if not 0 <= value <= MAX_SERIAL + 1:
        raise ValueError("no date")
    if date_1904:
        epoch = datetime.datetime(1904, 1, 1)
    else:
        epoch = datetime.datetime(1899, 12, 31) if value < 60 else datetime.datetime(1899, 12, 30)
    return epoch + datetime.timedelta(milliseconds=round(value * 86_400_000))


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[str, ...]:
    parts: list[str] = [""]
    quoted = escaped = False
    for character in code:
        if character == ";" and not quoted and not escaped:
            parts.append("")
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
        parts[-1] += character
    return tuple(parts)


def _show_number(value: float, code: str) -> str:
    sections = _sections(code)
    numeric = [section for section in sections[:3] if "@" not in section]
    if not numeric or numeric[0].strip().lower() in ("", "general"):
        return general(value)
    section, sign = numeric[0], "-" if value < 0 else ""
    if value < 0 and len(numeric) > 1:
        section, sign = numeric[1], ""
    elif value == 0 and len(numeric) > 2:
        section = numeric[2]
    elif any(mark in numeric[0] for mark in ("[<", "[>", "[=")):
        return general(value)
    section = BRACKETS.sub(_currency, section)
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        if match[1] is None and match[2] is None:
            return ""
        literals.append(match[1] if match[1] is not None else match[2])
        return LITERAL_MARK

    section = QUOTED.sub(keep, section)
    if "general" in section.lower():
        shown = sign + re.sub("general", general(abs(value)), section, flags=re.IGNORECASE)
    elif "/" in section and "?" in section:
        return general(value)
    else:
        shown = _digits(abs(value), section, sign)
    for literal in literals:
        shown = shown.replace(LITERAL_MARK, literal, 1)
    return " ".join(shown.split())


def _digits(value: float, section: str, sign: str) -> str:
    match = NUMBER_TOKEN.search(section)
    if match is None:
        return section  # only literals: "n/a" for zero
    pattern = match[0]
    number = Decimal(repr(value)) * (100 ** min(section.count("%"), 2))
    if "e" in pattern.lower():
        decimals = len(re.sub(r"[^0#?]", "", re.split("[eE]", pattern)[0].partition(".")[2]))
        return section[: match.start()] + sign + f"{number:.{decimals}E}" + section[match.end() :]
    whole, _, fraction = pattern.partition(".")
    scaled = len(whole) - len(whole.rstrip(","))
    if not fraction and not scaled:
        # "0.0,," has its scaling commas behind the decimals.
        scaled = 0
    trailing = re.match(r",+", section[match.end() :])
    after = section[match.end() + (len(trailing[0]) if trailing else 0) :]
    scaled += len(trailing[0]) if trailing else 0
    number /= Decimal(1000) ** scaled
    required, optional = fraction.count("0"), len(fraction)
    text = str(number.quantize(Decimal(1).scaleb(-optional), ROUND_HALF_UP))
    integer, _, shown_decimals = text.partition(".")
    while len(shown_decimals) > required and shown_decimals.endswith("0"):
        shown_decimals = shown_decimals[:-1]
    least = whole.count("0")
    integer = integer.lstrip("0").rjust(least, "0")
    if "," in whole.rstrip(","):
        integer = f"{int(integer or 0):,}" if integer else ""
    shown = integer + ("." + shown_decimals if shown_decimals else "")
    if not shown.strip("0.,") and sign and not any(digit in "123456789" for digit in shown):
        sign = ""
    before = re.sub(r"[#0?,]", "", section[: match.start()])
    return sign + before + (shown or "0") + re.sub(r"[#0?]", "", after)


def _currency(match: re.Match[str]) -> str:
    inside = match[1]
    if inside.startswith("$"):
        return '"' + inside[1:].split("-")[0] + '"' if inside[1:].split("-")[0] else ""
    return ""


def _show_date(value: float, section: str, date_1904: bool) -> str:
    moment = serial_date(value, date_1904=date_1904)
    if ".0" not in section:
        # A spreadsheet rounds to the second before it drops the seconds.
        moment = (moment + datetime.timedelta(milliseconds=500)).replace(microsecond=0)
    section = re.sub(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", "", section, flags=re.IGNORECASE)
    literals: list[str] = []

    def keep(match: re.Match[str]) -> str:
        if match[1] is None and match[2] is None:
            return ""
        literals.append(match[1] if match[1] is not None else match[2])
        return LITERAL_MARK

    section = QUOTED.sub(keep, section)
    halves = re.search("am/pm|a/p", section, re.IGNORECASE) is not None
    tokens = list(DATE_TOKEN.finditer(section))
    shown, place = [], 0
    for number, token in enumerate(tokens):
        shown.append(section[place : token.start()])
        place = token.end()
        before = tokens[number - 1][0].lower() if number else ""
        after = tokens[number + 1][0].lower() if number + 1 < len(tokens) else ""
        minutes = before.strip("[]").startswith("h") or after.startswith("s")
        shown.append(_date_token(token[0].lower(), moment, value, halves, minutes))
    shown.append(section[place:])
    text = "".join(shown)
    for literal in literals:
        text = text.replace(LITERAL_MARK, literal, 1)
    return " ".join(text.split())


def _date_token(token: str, moment: datetime.datetime, value: float, halves: bool, minutes: bool) -> str:
    if token.startswith("["):
        unit = {"h": 24, "m": 1440, "s": 86_400}[token[1]]
        return str(int(value * unit + 1e-6)).rjust(len(token) - 2, "0")
    if token.startswith("m") and len(token) <= 2 and minutes:
        return f"{moment.minute:0{len(token)}d}"
    hour = (moment.hour % 12 or 12) if halves else moment.hour
    fixed = {
        "yyyy": f"{moment.year:04d}", "e": f"{moment.year:04d}", "yy": f"{moment.year % 100:02d}",
        "y": f"{moment.year % 100:02d}",
        "mmmmm": MONTHS[moment.month - 1][0], "mmmm": MONTHS[moment.month - 1],
        "mmm": MONTHS[moment.month - 1][:3],
        "mm": f"{moment.month:02d}", "m": str(moment.month), "dddd": DAYS[moment.weekday()],
        "ddd": DAYS[moment.weekday()][:3],
        "dd": f"{moment.day:02d}", "d": str(moment.day), "hh": f"{hour:02d}", "h": str(hour),
        "ss": f"{moment.second:02d}",
        "s": str(moment.second), "am/pm": "AM" if moment.hour < 12 else "PM",
        "a/p": "A" if moment.hour < 12 else "P",
    }  # fmt: skip
    if token in fixed:
        return fixed[token]
    return "." + f"{moment.microsecond:06d}"[: len(token) - 1]
