"""Dates and versions a document states: in metadata, its first lines, its file name. Nothing is guessed."""

from __future__ import annotations

import datetime
import re

FIRST_LINES = 15
FIRST_CHARACTERS = 3_000
LINES_FOR_DATE_ALONE = 5
WORDS_OF_A_DATE = 3
# Statements that share a line: "Sound Ferries. Adopted on 3 May 2020", "Version 2 | Revised 2023-05-01".
PARTS = re.compile(r"(?<=[a-zà-ÿ)])\.\s+(?=[A-ZÄÖÜ])|\s[|·•–—]\s|;\s+|(?<=\d),\s+(?=[a-zA-Z])")

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar janvier enero gennaio januari janeiro styczeń jan stycznia",
            "february februar février febrero febbraio februari fevereiro feb févr lutego",
            "march märz mars marzo maart março mar mär marca",
            "april avril abril aprile apr avr kwietnia",
            "may mai mayo maggio mei maio maj maja",
            "june juni juin junio giugno junho jun czerwca",
            "july juli juillet julio luglio julho jul juil lipca",
            "august août agosto augustus aug sierpnia augusti",
            "september septembre septiembre settembre setembro sep sept września",
            "october oktober octobre octubre ottobre outubro oct okt października",
            "november novembre noviembre novembro nov listopada",
            "december dezember décembre diciembre dicembre dezembro dec dez déc grudnia",
        ),
        start=1,
    )
    for name in names.split()
}
MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
MONTH = rf"(?P<month>{MONTH_NAMES})"
YEAR = r"(?P<year>(?:19|20)\d\d)"
DATE_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<!\d){YEAR}-(?P<m>\d\d?)-(?P<d>\d\d?)(?!\d)",
        rf"(?<!\d){YEAR}[/.](?P<m>\d\d?)[/.](?P<d>\d\d?)(?!\d)",
        rf"(?<!\d){YEAR}\s?年\s?(?P<m>\d\d?)\s?月(?:\s?(?P<d>\d\d?)\s?日)?",
        rf"(?<![\d.])(?P<d>\d\d?)\.\s?(?P<m>\d\d?)\.\s?{YEAR}(?!\d|\.\d)",
        rf"(?<![\d/])(?P<a>\d\d?)/(?P<b>\d\d?)/{YEAR}(?!\d)",
        rf"(?<!\d)(?P<d>\d\d?)(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?{MONTH}\.?,?\s+(?:de\s+)?{YEAR}(?!\d)",
        rf"\b{MONTH}\.?\s+(?P<d>\d\d?)(?:st|nd|rd|th)?,?\s+{YEAR}(?!\d)",
        rf"\b{MONTH}\.?,?\s+(?:de\s+)?{YEAR}(?!\d)",
    )
)

# Words before a date that say what it is the date of.
DATE_WORDS = (
    r"dated?(?:\s+of\s+\w+)?", "updated?", "revised", "revision", "reviewed", "modified", "changed",
    r"publication(?:\s+date)?",
    "published", "adopted", "signed", "submitted", r"in\s+force(?:\s+(?:since|from))?", r"release\s+date",
    "released?", "issued?", r"effective(?:\s+(?:date|from))?",
    r"valid\s+from", r"as\s+(?:of|at)", "approved",
    "prepared", "created", r"version\s+date", "posted", "stand", "datum", "veröffentlicht", "aktualisiert",
    "erstellt", "geändert",
    r"gültig\s+ab", r"fassung\s+vom", "publié", r"mis\s+à\s+jour", "fecha", "actualizado", "publicado",
    "pubblicato", "aggiornato",
    "gepubliceerd", "bijgewerkt", "data",
)  # fmt: skip
LABEL = re.compile(
    r"^[\W_]*(?:this\s+(?:document|version|page|policy)\s+(?:was|is)\s+)?(?:last\s+|first\s+)?"
    rf"(?:{'|'.join(DATE_WORDS)})"
    r"(?:\s+(?:on|at|am|vom|le|el|il|in|op|by\s+\w+(?:\s\w+)?\s+on))?\b\s*[:\-–—|*_]*\s*",
    re.IGNORECASE,
)
VERSION_WORDS = (
    "version", r"ver\.?", r"v\.?", "revision", r"rev\.?", "draft", "edition", "release", r"issue\s+no\.?",
    "fassung", "entwurf",
    "versión", "versione", "versie", "révision", "ausgabe",
)  # fmt: skip
WORD_VERSION = "|".join(VERSION_WORDS)
NUMBER = r"(?P<number>\d{1,4}(?:\.\d{1,4}){0,3}(?:[a-z]\b)?(?:[-\s]?(?:alpha|beta|rc)\d?)?)"
VERSION = re.compile(
    rf"(?:^|[(\[,;|·–—:]\s*|\s)(?P<word>{WORD_VERSION})\s*(?:no\.?|nr\.?|[:#])?\s*{NUMBER}(?![\w.]*\d)",
    re.IGNORECASE,
)
VERSION_LINE = re.compile(
    rf"^[\W_]*(?:document\s+|dokument\s*)?(?P<word>{WORD_VERSION})\s*[:#]?\s*{NUMBER}(?!\w|\.\d)",
    re.IGNORECASE,
)
BARE_STATE = re.compile(
    r"^[\W_]*(?:status\s*:\s*)?(?P<state>final(?:\s+(?:version|draft))?|draft|entwurf|endfassung|preliminary|superseded)[\W_]*$",
    re.IGNORECASE,
)

NAME_VERSION = re.compile(
    rf"(?:^|[\s_.\-(\[])(?P<word>version|ver|v|rev(?:ision)?|draft|r(?=\d))[\s_.\-]?{NUMBER}(?=$|[\s_.\-)\]])",
    re.IGNORECASE,
)
NAME_STATE = re.compile(
    r"(?:^|[\s_.\-(\[])(?P<state>final|draft|entwurf|endfassung|old|alt|superseded|obsolete)(?=$|[\s_.\-)\]])",
    re.IGNORECASE,
)
NAME_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_. ]?(?P<m>0[1-9]|1[0-2])[-_. ]?(?P<d>0[1-9]|[12]\d|3[01])(?!\d)",
        r"(?<!\d)(?P<d>0[1-9]|[12]\d|3[01])[-_. ](?P<m>0[1-9]|1[0-2])[-_. ](?P<year>(?:19|20)\d\d)(?!\d)",
        r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_. ](?P<m>0[1-9]|1[0-2])(?!\d)",
    )
)
NAME_MONTH = re.compile(
    rf"(?:^|[\W_]){MONTH}[\W_]*{YEAR}(?!\d)"
    rf"|(?<!\d)(?P<year2>(?:19|20)\d\d)[\W_]*(?P<month2>{MONTH_NAMES})(?![a-z])",
    re.IGNORECASE,
)


def read_date(text: str) -> datetime.date | None:
    """The first date in `text`; a month without a day is its first, ``05/06/2023`` is none."""
    earliest: tuple[int, datetime.date] | None = None
    for pattern in DATE_PATTERNS:
        match = pattern.search(text)
        if match is None or (earliest is not None and match.start() >= earliest[0]):
            continue
        if (found := _from_match(match)) is not None:
            earliest = (match.start(), found)
    return earliest[1] if earliest else None


def _from_match(match: re.Match[str]) -> datetime.date | None:
    parts = match.groupdict()
    year = int(parts["year"])
    if parts.get("a"):
        first, second = int(parts["a"]), int(parts["b"])
        if first > 12 >= second:
            return _date(year, second, first)
        if second > 12 >= first:
            return _date(year, first, second)
        return _date(year, first, second) if first == second else None
    month = MONTHS[parts["month"].lower()] if parts.get("month") else int(parts["m"])
    return _date(year, month, int(parts.get("d") or 1))


def _date(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


def date_in_first_lines(text: str) -> datetime.date | None:
    """A labelled date ("Stand: 3. März 2024", "Adopted by the board on 3 May 2020"),
    or one nearly alone in its line."""
    alone: datetime.date | None = None
    for number, line in enumerate(_first_lines(text)):
        for part in PARTS.split(line):
            if label := LABEL.match(part):
                found = read_date(part[label.end() : label.end() + 40])
                if found is not None:
                    return found
        if alone is None and number < LINES_FOR_DATE_ALONE and "|" not in line and "\t" not in line:
            beside = len(line.split()) - WORDS_OF_A_DATE
            is_version = VERSION_LINE.match(line) is not None
            if beside <= 2 or (is_version and beside <= 10):
                alone = read_date(line)
    return alone


def version_in_first_lines(text: str) -> str | None:
    """A version that begins one of the first lines or stands in a short one: ``2.1``, ``draft 2``."""
    for line in _first_lines(text):
        match = VERSION_LINE.match(line)
        if match is None and len(line.split()) <= 14 and not line.rstrip().endswith("."):
            match = VERSION.search(line)
        if match is not None and not _is_year_of(match):
            return _version(match["word"], match["number"])
        if state := BARE_STATE.match(line):
            return state["state"].lower()
    return None


def version_of(text: str) -> str | None:
    """A version given as a metadata value: ``2.1``, ``v3``, ``Draft 2``."""
    text = " ".join(text.split())
    if match := VERSION_LINE.match(text):
        return _version(match["word"], match["number"])
    return text[:40] or None


def date_in_name(stem: str) -> tuple[datetime.date | None, bool]:
    """The date a file name states, and whether it is a year only (then the first of January)."""
    for pattern in NAME_DATES:
        for match in pattern.finditer(stem):
            if (found := _from_match(match)) is not None:
                return found, False
    if (named := NAME_MONTH.search(stem)) is not None:
        year = named["year"] or named["year2"]
        month = named["month"] or named["month2"]
        return _date(int(year), MONTHS[month.lower()], 1), False
    years = re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", stem)
    if len(set(years)) == 1:
        return datetime.date(int(years[0]), 1, 1), True
    return None, False


def version_in_name(stem: str) -> str | None:
    """The version a file name states: ``v2`` is ``2``, ``draft 3`` is ``draft 3``, ``final`` is ``final``."""
    if (match := NAME_VERSION.search(stem)) is not None and not _is_year_of(match):
        return _version(match["word"], match["number"])
    if match := NAME_STATE.search(stem):
        return match["state"].lower()
    return None


def _is_year_of(match: re.Match[str]) -> bool:
    """ "Edition 2023" and "revision 2023-05-01" name a time, not a version."""
    return re.fullmatch(r"(?:19|20)\d\d[a-z]?", match["number"]) is not None


def _version(word: str, number: str) -> str:
    word = word.lower().rstrip(".")
    return f"{word} {number}" if word in {"draft", "entwurf"} else number


def _first_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text[:FIRST_CHARACTERS].splitlines()]
    return [line[:300] for line in lines if line][:FIRST_LINES]
