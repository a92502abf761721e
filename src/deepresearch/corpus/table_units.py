"""The unit that a caption or a header gives for all figures of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

SCALES = (
    "thousands?", "millions?", "billions?", "trillions?", "mn", "bn", r"mio\.?", r"mrd\.?", r"tsd\.?",
    "tausend", "millionen",
    "milliarden", "milliers", "milliards?", "miles", "millones", "000s?", "['’]000s?",
)  # fmt: skip
# Ambiguous alone ("m" is metres too), a scale only beside a currency.
SHORT_SCALES = ("k", "m", "b", "tn", "T", "M", "K")
CURRENCIES = (
    r"US\$", "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "RMB", "INR", "AUD", "CAD", "SEK", "NOK", "DKK",
    "PLN", "CZK", "HUF", "BRL", "MXN",
    "ZAR", "KRW", "SGD", "HKD", "NZD", "[$€£¥₹]", "euros?", "dollars?", "pounds?", "francs?", "yen",
)  # fmt: skip
# Written in exactly this case: "Mt" is not "mt".
SYMBOLS = (
    "%", "‰", "pp", "[kMGTP]?Wh", "[kMG]W", "[kMGTP]?J", r"(?:[kMG]?t ?)?CO[2₂]-?(?:eq\.?|e)?", "[km]?g", "t", "[kMG]t",
    "[kcmµn]?m",
    "[kc]?m[²2]", "[kc]?m[³3]", "ha", "[mh]?l", "hl", "°C", "°F", "[mµn]?s", "min", "h", "[kMGT]i?B",
    "[kMGT]?bit/s", "ppm", "ppb", "[mµ]g",
    "[kMG]?Hz", "[mk]?V", "dB", "bar", "[kMh]?Pa", "bbl", "FTEs?", "VZÄ",
)  # fmt: skip
WORDS = (
    "per ?cent", "percentage points?", "prozent", "tonnes?", "tons?", "tonnen", "hectares?", "litres?",
    "liters?", "barrels?",
    "hours?", "hrs?", "minutes?", "seconds?", "days?", "weeks?", "months?", "years?", "stunden", "tage",
    "wochen", "monate", "jahre", "people",
    "persons?", "personen", "employees", "mitarbeiter(?:innen)?", "households?", "units?", "pieces?",
    "stück", "index points?", "points?",
    "kilometres?", "kilometers?", "metres?", "meters?", "miles", "degrees?", "passengers?", "vehicles?",
)  # fmt: skip

_SCALE = "(?i:" + "|".join(SCALES) + ")"
_CURRENCY = "(?:" + "|".join(CURRENCIES) + "|(?i:euros?|dollars?|pounds?))"
_MEASURE = "(?:" + "|".join(SYMBOLS) + "|(?i:" + "|".join(WORDS) + "))"
_SHORT = "(?:" + "|".join(SHORT_SCALES) + ")"
_PER = r"(?:\s?(?:/|per)\s?[\w²³%€$ ]{1,20})?"
_ANY_SCALE = f"(?:{_SCALE}|{_SHORT})"
_MONEY = rf"(?:{_ANY_SCALE}\s?(?:of\s)?{_CURRENCY}|{_CURRENCY}\s?(?:in\s)?{_ANY_SCALE}|{_CURRENCY})"
_COUNTED = rf"(?:{_SCALE}(?:\s(?:of\s)?{_MEASURE})?|{_MEASURE})"
UNIT = re.compile(rf"(?:{_MONEY}|{_COUNTED}){_PER}")
# A header that is a single word ("Year", "t", "K") names a thing sooner than a unit.
BARE = re.compile(rf"(?:{_MONEY}|%|‰|(?i:per ?cent|in %)|{_SCALE}\s(?:of\s)?{_MEASURE}|[kMGT]Wh|[kM]?t ?CO2e?){_PER}")
BRACKETED = re.compile(r"[(\[]\s*([^()\[\]]{1,60}?)\s*[)\]]")
LEADING_WORDS = re.compile(
    r"(?i:(?:all\s)?(?:figures?|amounts?|values?|numbers?|angaben|werte|unit|einheit)?\s*:?\s*"
    r"(?:are\s)?(?:in|en)?\s+)",
)
SAID_IN = re.compile(rf"\b(?i:in|units?:?|einheit:?|angaben in|en)\s+({UNIT.pattern})(?=$|[\s,.;:)\]])")
AFTER_COMMA = re.compile(r",\s*([^,]{1,40})$")
LONGEST_TEXT = 400


def find_unit(*texts: str | None) -> str | None:
    """The first unit that one of `texts` states: ``million EUR``, ``%``, ``kWh``."""
    for text in texts:
        if not text:
            continue
        text = text[:LONGEST_TEXT]
        for match in BRACKETED.finditer(text):
            inside = match[1]
            for part in (inside, *inside.split(",")):
                bare = LEADING_WORDS.sub("", " " + part.strip(), count=1).strip()
                if UNIT.fullmatch(bare):
                    return bare
        if said := SAID_IN.search(text):
            return said[1].strip()
        if (tail := AFTER_COMMA.search(text)) and UNIT.fullmatch(tail[1].strip()):
            return tail[1].strip()
        if BARE.fullmatch(text.strip()):
            return text.strip()
    return None


def table_unit(caption: str | None, header: Sequence[Sequence[str]]) -> str | None:
    """What caption or header say about all figures; None where the columns differ."""
    if unit := find_unit(caption):
        return unit
    if not header:
        return None
    for row in header:
        if row and (unit := find_unit(row[0])):
            return unit
    columns = zip(*[row[1:] for row in header], strict=False)
    units = {next((unit for cell in column if (unit := find_unit(cell))), None) for column in columns}
    return units.pop() if len(units) == 1 else None
