"""What a figure counts in: the unit of its cell, its row, its column, its table or the words before the table."""

from __future__ import annotations

import re
from collections.abc import Iterable

from deepresearch.evidence import parse_unit
from deepresearch.model.documents import Document, Table

_SCALE_WORDS = {
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
}
_SCALE = re.compile(
    r"\b(thousand|million|billion|trillion)s?\b|(['’‘`]000)s?\b|(?<=[$€£(\s])(000)s?\b|"
    r"(?:\b|(?<=[$€£]))(mn|bn|mio|mrd)\b|"
    r"(?:[$€£¥]|\b(?:USD|EUR|GBP|CHF|AUD|CAD|HK\$?|RMB))\s?([mkb])\b",
    re.IGNORECASE,
)
_SHORT = {"mn": 1e6, "bn": 1e9, "mio": 1e6, "mrd": 1e9, "m": 1e6, "k": 1e3, "b": 1e9}
_NAMES = {1e3: "thousand", 1e6: "million", 1e9: "billion", 1e12: "trillion"}
_CURRENCY = re.compile(
    r"US\$|HK\$|A\$|C\$|[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY|CNY|RMB|INR|AUD|CAD|SEK|NOK|DKK)(?=[mkb]?\b)|"
    r"\b(?:U\.?S\.? )?dollars?\b|\beuros?\b",
    re.IGNORECASE,
)
#: "5.125% notes" names a thing and counts nothing in percent.
_PERCENT = re.compile(r"(?<![\d.])(?<!\d )%|\bper\s?cent\b|\bpercent(?:age)?s?\b", re.IGNORECASE)
_PER_ONE = re.compile(
    r"\bper\b(?!\s?cent)|\b(?:ratio|rate|price|term|multiple)s?\s*(?:\([^()]*\))?$|\bin (?:years|days|months)\b",
    re.IGNORECASE,
)
#: Words that come with a unit where a cell says nothing else: "(Dollars in thousands, except per share data)".
_UNIT_LINE = re.compile(
    r"(?:in|of|the|all|amounts?|figures?|values?|dollars?|euros?|usd|eur|gbp|chf|aud|cad|rmb|hk|us|u\.s\.|audited|"
    r"unaudited|expressed|stated|thousands?|millions?|billions?|mn|bn|m|k|000s?|except|for|per|share|shares|data|"
    r"information|percentages?|and|or|amounts|otherwise|noted|unless|as|number|no\.?|note|notes|%|[\s$€£¥'’(),.:/;-])+",
    re.IGNORECASE,
)
#: How running text says it: "(in thousands)", "amounts in millions of euros", "expressed in thousands".
_SAID = re.compile(
    r"\bin (?:[A-Z$€£.’]{1,4} ?|U\.?S\.? |Canadian |Australian )?(?:dollars? |euros? |pounds? )?(?:in )?"
    r"(?:thousands|millions|billions|[’'‘]000s?)\b(?: of (?:[A-Z]\w+ |U\.S\. )?\w+)?|"
    r"\b(?:in )?(?:[A-Z]{0,3}[$€£]|USD|EUR|GBP|CHF|RMB) ?(?:thousand|million|billion)s?\b(?<!\d)|"
    r"\([$€£A-Z]{0,4} ?(?:thousand|million|billion)s?\)",
    re.IGNORECASE,
)
#: Characters before and after a table in which running text may say it.
_REACH = 3000


def is_only_unit(text: str) -> bool:
    """Whether a cell says what figures count in and names nothing: ``(in thousands)``, ``€m``, ``$``, ``%``."""
    text = text.strip()
    return bool(text) and len(text) <= 100 and _UNIT_LINE.fullmatch(text) is not None


def scale_in(text: str) -> float | None:
    """The factor that a heading's scale word stands for, or None: ``(In millions)`` and ``€m`` are 1,000,000."""
    match = _SCALE.search(text)
    if match is None:
        return None
    word = next(group for group in match.groups() if group).casefold()
    return _SHORT[word] if word in _SHORT else _SCALE_WORDS.get(word, 1e3)


def unit_of(
    shown: str, row: Iterable[str], column: Iterable[str], table: Table, document: Document
) -> tuple[float, str]:
    """Scale and unit of a figure: ``(1000000.0, "million USD")``; ``(1.0, "%")``; ``(1.0, "")`` where nothing is said.

    The nearest word wins: the cell's own, then the innermost heading's. Ratios and prices have no scale.
    """
    labels, heads = list(row), list(column)
    if "%" in shown:
        return 1.0, "%"
    own = " ".join(labels)
    money = bool(_CURRENCY.search(shown))
    if not money and _PERCENT.search(own) and not scale_in(own):
        return 1.0, "%"
    for head in reversed(heads):
        if not money and _PERCENT.search(head) and not scale_in(head):
            return 1.0, "%"
        if scale_in(head):
            break
    around = [own, *reversed(heads), *_table_words(table, document)]
    per_one = bool(_PER_ONE.search(own)) and scale_in(own) is None
    scale = next((found for text in around if (found := scale_in(text))), 1.0) if not per_one else 1.0
    currency = next((match[0] for text in (shown, *around) if (match := _CURRENCY.search(text))), "")
    if not currency and scale == 1.0 and not per_one:
        return 1.0, table.unit or ""
    return scale, " ".join(filter(None, (_NAMES.get(scale, ""), parse_unit(currency)[1] or currency.strip())))


def _table_words(table: Table, document: Document) -> list[str]:
    """Texts that speak of the whole table, the nearest first: corner, unit lines, caption, text before and after."""
    top = [row[0].text for row in table.rows[: table.header_rows + 2] if row[0].text.strip()]
    top += [cell.text for row in table.rows[: table.header_rows + 4] for cell in row if is_only_unit(cell.text)]
    before = document.text[max(0, table.start - _REACH) : table.start]
    after = document.text[table.end : table.end + _REACH]
    said = [match[0] for match in _SAID.finditer(before)][::-1] + [match[0] for match in _SAID.finditer(after)]
    return [*top, table.unit or "", table.caption or "", *said]
