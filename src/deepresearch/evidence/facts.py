"""
Facts as statements give them: of what, which attribute, when, how much, and under which conditions.

A fact is read from one quantity (or one dated event) of a statement and the words around it. Two facts may
be compared only when all of this agrees (`conflicts.py`), so everything that narrows a figure is kept
apart: proper names, numbered things (``Unit 2``), and `scope` words such as ``net``, ``forecast``, ``per``,
``women``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepresearch.evidence import words
from deepresearch.evidence.dates import Period, find_dates
from deepresearch.evidence.fact_words import EVENTS, REPORTING, SCOPE, SYNONYMS, canonical_word
from deepresearch.evidence.quantities import Quantity, find_quantities
from deepresearch.evidence.words import Span
from deepresearch.model.base import Value


class Statement(Value):
    """One sentence with where it stands. `id` is the claim's; `context` the headings above it, outermost
    first.

    `origin` is one name for all documents of one origin (`independence.py`); left out, each document is its
    own.
    """

    id: str
    text: str
    sha256: str
    source: str = ""
    title: str = ""
    context: tuple[str, ...] = ()
    date: datetime.date | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """
    A value with everything that says what it is the value of. Exactly one of `quantity` and `when` is
    set.

    `names` are stems of proper names, `terms` stems of the other content words near the value, `scope`
    marks that must agree, `known` all stems of the statement's surroundings (title, headings), `period` the
    time the value is for.
    """

    statement: Statement
    quantity: Quantity | None
    when: Period | None
    event: str
    names: frozenset[str]
    terms: frozenset[str]
    scope: frozenset[str]
    known: frozenset[str]
    period: Period | None
    said: str
    modified: frozenset[tuple[str, str]]


_CHANGE_BEFORE = re.compile(
    r"\b(?:(?:rose|risen|rises?|rising|fell|fallen|falls?|falling|increas\w+|decreas\w+|grew|"
    r"grown|grows?|growing|dropp\w+|drops?|climb\w+|declin\w+|improv\w+|cut|reduc\w+|shrank|"
    r"gain\w*|lost|los[st]\w*|added|expand\w+|widen\w+|narrow\w+|up|down|growth|saving|stieg|sank|"
    r"wuchs)(?:\s+(?:\w+\s+){0,4}?(?:by|of|um))?|"
    "(?:growth|change|rise|increase|decrease|drop|decline|gain|reduction|savings?|improvement|"
    r"difference|anstieg|rückgang)\s+(?:\w+\s+){0,6}?(?:of|by|was|came to|amounted to|um|von))\s*"
    "(?:(?:about|around|roughly|nearly|almost|some|a|an|another|over|more than|less than|"
    r"approximately|only|just|approx\.?|rund|etwa)\s+)*(?:[$€£]\s?)?$",
    re.IGNORECASE,
)
_CHANGE_AFTER = re.compile(
    r"^\s*(?:\w+\s+){0,3}?(?:more|less|fewer|higher|lower|increase|decrease|rise|drop|decline|"
    "growth|reduction|gain|fall|cut|jump|up|down|above|below|saving|better|worse|mehr|weniger|"
    r"year-on-year|yoy|compared (?:with|to)|than)\b",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:from|von|up from|down from|compared (?:with|to)|against|after|versus|vs\.?|instead of|"
    r"not|rather than|previously)\s+(?:\w+\s+){0,3}?(?:[$€£]\s?)?$",
    re.IGNORECASE,
)
_OF_WHOLE = re.compile(r"\bout of (?:a total of )?(?:\w+\s)?$|\bof (?:the |all |its )?$", re.IGNORECASE)
_CLAUSE = re.compile(
    r";|\s[–—]\s|,?\s+(?:while|whereas|but|although|though|with|und|aber|während|as)\s+|"
    r",\s+(?:and|of which|including|compared|up|down|which|against)\s+|\s+and\s+|\.\s|,\s"
)
# Marks that narrow every figure of a sentence, wherever they stand in it.
_WHOLE_SENTENCE = frozenset(("forecast", "hypothetical", "negated"))
# A condition or a denial gives no value: nothing in it can disagree with anything.
_NOT_MEANT = re.compile(
    r"^\W*(?:had|were|should|if|unless|suppose|imagine)\b[^.]*,|\b(?:would have|is not|was not|were not|never|wrongly|"
    r"incorrectly|erroneously|hypothetical\w*|instead of)\b",
    re.IGNORECASE,
)
_COMPOUND = re.compile(r"[^\W\d_]+-[^\W\d_]+")
_INTRODUCED = re.compile(r"\b(?:in|on|im|am|en|le|el|during|since)\s+(?:the\s+)?$", re.IGNORECASE)


def find_facts(statements: Iterable[Statement]) -> list[Fact]:
    """The facts of all statements, in their order.

    Which capitalised first words are names is learnt from the statements themselves: a word that stands in
    lower case somewhere is none.
    """
    listed = list(statements)
    capitals = _Capitals(listed)
    return [fact for statement in listed for fact in _facts_of(statement, capitals)]


class _Capitals:
    """Which words stand in lower case somewhere, and which are capitalised in the middle of a sentence."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.small: set[str] = set()
        self.inner: set[str] = set()
        for statement in statements:
            for index, span in enumerate(words.word_spans(statement.text)):
                if span.text.islower():
                    self.small.add(span.text)
                elif index and span.text[:1].isupper() and not _begins_sentence(statement.text, span):
                    self.inner.add(span.text.lower())

    def is_name(self, text: str, span: Span, language: str) -> bool:
        """Whether a word is (part of) a proper name. German writes all nouns with a capital letter."""
        if not span.text[:1].isupper():
            return False
        lower = span.text.lower().replace("’", "'").removesuffix("'s")
        if lower in SYNONYMS:
            return False
        if span.text.isupper() and len(span.text) > 1:
            return True
        if language == "german":
            return lower not in self.small
        if not _begins_sentence(text, span):
            return True
        followed = bool(re.match(r"[ \u00a0]+[A-ZÄÖÜÉ][^\W\d_]", text[span.end : span.end + 3]))
        return lower not in self.small and (followed or lower in self.inner)


def _begins_sentence(text: str, span: Span) -> bool:
    before = text[: span.start].rstrip()
    return not before.strip(" \"'“‘(*_#>-") or before[-1:] in (".", ":", "!", "?", "|")


def _facts_of(statement: Statement, capitals: _Capitals) -> list[Fact]:
    text = statement.text
    if text.rstrip().endswith("?") or not any(character.isdigit() for character in text):
        return []
    quantities = find_quantities(text)
    periods = find_dates(text)
    taken = [(quantity.start, quantity.end) for quantity in quantities]
    taken += [(period.start, period.end) for period in periods]
    surroundings = " . ".join((statement.title, *statement.context))
    known = frozenset(canonical_word(span.text) for span in words.word_spans(surroundings))
    if _NOT_MEANT.search(text):
        return []
    outer = _outer_period(statement)
    language = words.language_of(text)
    facts: list[Fact] = []
    paired = _paired(text, quantities, periods)
    for index, quantity in enumerate(quantities):
        if _FROM.search(text[max(0, quantity.start - 40) : quantity.start]) or quantity.counted in ("times", "fold"):
            continue
        start, end = _neighbourhood(text, quantities, index)
        near = _wording(text, start, end, taken, capitals, language)
        whole = _wording(text, 0, len(text), taken, capitals, language)
        scope = near.scope | (whole.scope & _WHOLE_SENTENCE)
        if _is_change(text, quantity):
            scope |= {"@change"}
        if index > 0 and _OF_WHOLE.search(text[max(0, quantity.start - 20) : quantity.start]):
            scope |= {"@whole"}
        period = paired[index]
        if period is not None and period.relation in ("until", "before") and "forecast" in scope:
            scope |= {"@by"}
        names = near.names or whole.names
        facts.append(
            Fact(
                statement=statement,
                quantity=quantity,
                when=None,
                event="",
                names=names,
                terms=near.terms,
                scope=scope,
                known=known,
                period=period or outer,
                said=near.said,
                modified=near.modified,
            )
        )
    facts.extend(_events_of(statement, periods, taken, capitals, known, language))
    return facts


def _outer_period(statement: Statement) -> Period | None:
    """The one period that the nearest heading or else the title names."""
    for text in (*reversed(statement.context), statement.title):
        found = [period for period in find_dates(text) if period.grain != "day"]
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


def _neighbourhood(text: str, quantities: Sequence[Quantity], index: int) -> tuple[int, int]:
    """
    The clause of a quantity: the whole sentence when it stands alone, else up to the separators towards its
    neighbours."""
    quantity = quantities[index]
    start, end = 0, len(text)
    if index > 0:
        borders = list(_CLAUSE.finditer(text, quantities[index - 1].end, quantity.start))
        start = borders[0].end() if borders else quantities[index - 1].end
    if index + 1 < len(quantities):
        borders = list(_CLAUSE.finditer(text, quantity.end, quantities[index + 1].start))
        end = borders[-1].start() if borders else quantity.end
    return start, end


@dataclass(frozen=True, slots=True)
class _Wording:
    """A stretch of a statement: names, other content stems, scope marks, words as written, and which word
    stands right before which."""

    names: frozenset[str]
    terms: frozenset[str]
    scope: frozenset[str]
    said: str
    modified: frozenset[tuple[str, str]]


def _wording(
    text: str, start: int, end: int, taken: Sequence[tuple[int, int]], capitals: _Capitals, language: str
) -> _Wording:
    names: set[str] = set()
    terms: set[str] = set()
    scope: set[str] = set()
    said: list[str] = []
    modified: set[tuple[str, str]] = set()
    ignored = words.stop_words(language)
    for match in _COMPOUND.finditer(text, start, end):
        if (mark := SCOPE.get(match.group().lower())) is not None:
            scope.add(mark)
    previous: tuple[int, str] | None = None
    for span in words.word_spans(text):
        if not start <= span.start < end or any(left <= span.start < right for left, right in taken):
            continue
        lower = span.text.lower()
        mark = SCOPE.get(lower)
        if mark is not None:
            scope.add(mark)
        if span.text[:1].isdigit() or (len(span.text) == 1 and span.text.isupper() and span.text not in "AI"):
            names.add(f"#{span.text}")
            continue
        if lower in ignored or lower in REPORTING or (mark is not None and mark != "capacity"):
            continue
        stem = canonical_word(span.text)
        if capitals.is_name(text, span, language):
            names.add(stem)
        elif len(lower) > 1:
            terms.add(stem)
            if previous is not None and previous[0] + 1 == span.start:
                modified.add((previous[1], stem))
            previous = (span.end, stem)
        said.append(span.text)
    return _Wording(frozenset(names), frozenset(terms), frozenset(scope), " ".join(said), frozenset(modified))


def _is_change(text: str, quantity: Quantity) -> bool:
    before, after = text[max(0, quantity.start - 70) : quantity.start], text[quantity.end : quantity.end + 30]
    if re.search(r"\b(?:to|auf|at|reaching|reached)\s+(?:\w+\s+){0,2}$", before):
        return False
    return bool(_CHANGE_BEFORE.search(before) or _CHANGE_AFTER.search(after))


def values_and_periods(text: str) -> list[tuple[Quantity, Period | None]]:
    """The values of a sentence in order, each with the time it is for."""
    quantities = find_quantities(text)
    return list(zip(quantities, _paired(text, quantities, find_dates(text)), strict=True))


def _paired(text: str, quantities: Sequence[Quantity], periods: Sequence[Period]) -> list[Period | None]:
    """
    The period of each quantity: the only one there is, one after the other where there are as many as quantities, or
    the nearest, a following one before a preceding one."""
    usable = [
        period
        for period in periods
        if not re.search(
            r"\b(?:since|published|dated|updated|founded|opened|built|established|issued)\s+(?:in\s+)?$",
            text[max(0, period.start - 20) : period.start],
            re.IGNORECASE,
        )
    ]
    if len(usable) == 1:
        return [usable[0]] * len(quantities)
    if len(usable) == len(quantities):
        return list(usable)
    result: list[Period | None] = []
    for quantity in quantities:
        best: tuple[float, Period] | None = None
        for period in usable:
            after = period.start >= quantity.end
            gap = period.start - quantity.end if after else quantity.start - period.end
            between = text[quantity.end : period.start] if after else text[period.end : quantity.start]
            crossed = sum(
                1
                for other in quantities
                if other is not quantity
                and min(period.start, quantity.start) < other.start < max(period.start, quantity.start)
            )
            cost = gap + 200 * crossed + 25 * len(_CLAUSE.findall(between)) - (15 if after else 0)
            if best is None or cost < best[0]:
                best = cost, period
        result.append(best[1] if best else None)
    return result


def _events_of(
    statement: Statement,
    periods: Sequence[Period],
    taken: Sequence[tuple[int, int]],
    capitals: _Capitals,
    known: frozenset[str],
    language: str,
) -> list[Fact]:
    text = statement.text
    facts: list[Fact] = []
    for place, period in enumerate(periods):
        if period.relation != "at" or period.grain not in ("day", "month", "quarter", "year"):
            continue
        reach = periods[place - 1].end if place else 0
        before = words.word_spans(text[max(reach, period.start - 60) : period.start])[-5:]
        if not _INTRODUCED.search(text[max(0, period.start - 16) : period.start]):
            continue  # "closed 2022 with a profit": the year is the object
        event = next((found for span in reversed(before) if (found := EVENTS.get(span.text.lower()))), None)
        if event is None:
            continue
        whole = _wording(text, 0, len(text), taken, capitals, language)
        same_event = {canonical_word(other) for other, group in EVENTS.items() if group == event}
        facts.append(
            Fact(
                statement=statement,
                quantity=None,
                when=period,
                event=event,
                names=whole.names,
                terms=whole.terms - same_event,
                scope=whole.scope,
                known=known,
                period=None,
                said=whole.said,
                modified=whole.modified,
            )
        )
    return facts
