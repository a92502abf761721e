"""Which cells of a table a question names: by row, by the groups and headings above, and by period.

A cell's score is the weighted share of the question's words that its names and surroundings say, times a share that
falls with every word of its row's name that the question leaves out. Rare words of the tables weigh more.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from deepresearch.team.cell_units import is_only_unit
from deepresearch.team.periods import MONTH_NAMES, years_in
from deepresearch.team.placed_cells import PlacedCell
from deepresearch.team.questions import content_terms, words
from deepresearch.team.stemming import stem, stems
from deepresearch.team.word_lists import CELL_WORDS, FUNCTION_WORDS, TREND_WORDS

_NOTE = re.compile(
    r"\((?:note|refer|see|in |as |\d|[a-z]\))[^()]*\)|\(\d+\)|[*†‡]+$|(?<=[a-z]{3})\d{1,2}$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W_]+")
#: Characters before a table whose words say what it is about.
_REACH = 400
#: Words that tell more about what is done with a value than which value it is: they help where a row has them.
_SOFT = frozenset(stem(word) for word in TREND_WORDS | CELL_WORDS)
_STOP = frozenset(stem(word) for word in FUNCTION_WORDS)
_MONTHS = frozenset(stem(name) for name in MONTH_NAMES)


@dataclass(frozen=True)
class Asked:
    """The words and periods of a question about cells. `hard` words have to be met, `soft` words may be."""

    hard: frozenset[str]
    soft: frozenset[str]
    years: tuple[int, ...]
    spoken: str


@dataclass(frozen=True)
class Scored:
    """A cell with how well the question names it (about 0 to 1.3) and what of the question it meets.

    `whole` says that the question speaks the row's whole name; `context` are the words around the table.
    """

    score: float
    coverage: float
    named: float
    placed: PlacedCell
    met: frozenset[str]
    whole: bool
    context: frozenset[str]


def asked_of(text: str) -> Asked:
    """A question's words for choosing cells."""
    years = years_in(text)
    stemmed = {stem(part) for term in content_terms(text) for part in (term, *_parts(term))}
    stemmed = {one for one in stemmed if not (one.isdigit() and int(one) in years) and one not in _STOP}
    stemmed -= {one for one in stemmed if years_in(one)}
    every = {stem(part) for word in words(text.replace("%", " percent ")) for part in (word, *_parts(word))}
    if "percentag" in every:
        every |= {"percent"}
    hard = {one for one in stemmed - _SOFT if len(one) > 1 or one.isdigit()}
    if _MONTHS & every:
        hard -= {one for one in hard if one.isdigit() and int(one) <= 31}
    return Asked(frozenset(hard), frozenset(every - hard - _STOP), years, plain(text))


def _parts(term: str) -> list[str]:
    return re.split(r"[-'’./]", term) if re.search(r"[-'’./]", term) else []


def plain(text: str) -> str:
    """A text as its words in lower case with single spaces, as whole names are compared."""
    return " ".join(match.casefold() for match in _WORD.findall(text))


@lru_cache(maxsize=65536)
def _stem_set(text: str) -> frozenset[str]:
    found = stems(_NOTE.sub(" ", text).replace("%", " percent "))
    return frozenset("percent" if one == "percentag" else one for one in found if len(one) > 1 or one.isdigit())


def named_stems(texts: Iterable[str]) -> frozenset[str]:
    """The stems of headings, without notes and bare units."""
    return frozenset().union(*(_stem_set(text) for text in texts if not is_only_unit(text)))


class CellWeights:
    """How telling a word is among rows: the fewer rows of the tables it stands in, the heavier."""

    def __init__(self, cells: Sequence[PlacedCell]) -> None:
        rows: dict[tuple[str, str, int], frozenset[str]] = {}
        for one in cells:
            place = (one.document.sha256, one.table.id, one.row)
            if place not in rows:
                rows[place] = named_stems(cell.text for cell in one.label)
        self._seen = Counter(stemmed for row in rows.values() for stemmed in row)
        self._total = len(rows)

    def __getitem__(self, stemmed: str) -> float:
        return math.log(1.5 + self._total / (1 + self._seen[stemmed]))


def score_cells(asked: Asked, cells: Sequence[PlacedCell], weights: CellWeights | None = None) -> list[Scored]:
    """The cells whose row or column the question names, best first, of its years where it names any."""
    weights = weights or CellWeights(cells)
    contexts: dict[tuple[str, str], frozenset[str]] = {}
    scored: list[Scored] = []
    for one in cells:
        place = (one.document.sha256, one.table.id)
        if place not in contexts:
            contexts[place] = _context(one)
        if (found := _score(asked, one, contexts[place], weights)) is not None:
            scored.append(found)
    scored.sort(key=lambda entry: -entry.score)
    return scored


def _context(one: PlacedCell) -> frozenset[str]:
    table = one.table
    corner = [row[0].text for row in table.rows[: table.header_rows + 1]]
    inside = [heading.title for heading in one.document.headings if heading.start <= table.start][-1:]
    near = one.document.text[max(0, table.start - _REACH) : table.start]
    return named_stems([*filter(None, (table.caption, table.sheet)), *inside, one.document.title, *corner, near])


def _score(asked: Asked, one: PlacedCell, context: frozenset[str], weights: CellWeights) -> Scored | None:
    label = named_stems(cell.text for cell in one.label)
    groups = named_stems(cell.text for cell in one.groups)
    heads = named_stems(cell.text for cell in one.heads)
    if not (label | heads | groups) & asked.hard and not (label | heads) & asked.soft:
        return None
    total = math.fsum(weights[stemmed] for stemmed in asked.hard) or 1.0
    got = 0.0
    for stemmed in asked.hard:
        share = (
            1.0
            if stemmed in label or stemmed in heads
            else 0.85
            if stemmed in groups
            else 0.6
            if stemmed in context
            else 0.0
        )
        got += weights[stemmed] * share
    coverage = got / total if asked.hard else 1.0
    said = asked.hard | asked.soft
    own = {stemmed for stemmed in label if stemmed not in _STOP and not _is_year(stemmed)}
    mass = sum(_mass(stemmed, weights) for stemmed in own)
    named = sum(_mass(stemmed, weights) for stemmed in own & said) / mass if mass else 0.0
    extra_heads = [
        stemmed for stemmed in heads if stemmed not in said and stemmed not in _SOFT and not _is_year(stemmed)
    ]
    score = coverage * (0.5 + 0.5 * named) - 0.02 * min(4, len(extra_heads))
    score += min(0.06, 0.02 * len((heads | groups) & asked.soft))
    is_percent = "%" in one.cell.text or "percent" in heads | label
    score += (0.1 if is_percent else 0.0) if "percent" in asked.soft else (-0.05 if is_percent else 0.0)
    score -= 0.04 * any(stemmed not in said and stemmed in CHANGE_STEMS for stemmed in heads)
    name = plain(_NOTE.sub(" ", one.name))
    whole = bool(name) and f" {name} " in f" {asked.spoken} "
    if whole:
        score += 0.1 + 0.01 * min(10, len(name.split()))
    if asked.years:
        have = one.years
        if not set(have) & set(asked.years):
            if have:
                return None
            score -= 0.15
        elif len(have) > len(asked.years):
            score -= 0.1
    met = frozenset(stemmed for stemmed in said if stemmed in label | heads | groups)
    # Sums over sets differ in the last bits from run to run; rounded, equal cells stay equal.
    return Scored(round(score, 9), round(coverage, 9), round(named, 9), one, met, whole, context)


CHANGE_STEMS = frozenset(stem(word) for word in ("change", "variance", "increase", "decrease", "versus", "vs"))


def _mass(stemmed: str, weights: CellWeights) -> float:
    return weights[stemmed] * (0.6 if stemmed in _SOFT else 1.0)


def _is_year(stemmed: str) -> bool:
    return bool(years_in(stemmed))
