"""Series in running text: the same thing said of several periods, across sentences and documents, becomes one series.

Facts belong together when they are of the same names and unit, under the same conditions, and share most of the words
near their values. A period that two sentences give different values is left out: which is right is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from deepresearch.corpus import sentences
from deepresearch.evidence import Statement
from deepresearch.evidence.facts import Fact, find_facts
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Quote
from deepresearch.model.mathematics import DataPoint, Series
from deepresearch.team.periods import Period
from deepresearch.team.questions import content_terms
from deepresearch.team.series import Candidate
from deepresearch.team.stemming import stem, stems
from deepresearch.team.word_lists import TREND_WORDS

_MIN_POINTS = 3
#: Shared part of the words near two values from which they are of the same thing.
_SAME = 0.5
#: Sentences that are read for one question at most; the first in the order of the documents.
_MOST_SENTENCES = 600
_GRAINS = {"year": "year", "fiscal_year": "year", "quarter": "quarter", "month": "month"}
_YEAR = re.compile(r"(?:19|20)\d\d")
_OUT = frozenset({"@change", "forecast", "hypothetical", "negated", "@whole", "@by"})


@dataclass
class _Group:
    key: tuple[object, ...]
    terms: frozenset[str]
    facts: list[Fact] = field(default_factory=list)


def find_prose_series(question: str, documents: Sequence[Document]) -> list[Candidate]:
    """The series of three periods or more that sentences sharing a word with the question tell."""
    asked = {
        stem(term) for term in content_terms(question) if term.casefold() not in TREND_WORDS and not term.isdigit()
    }
    by_hash = {document.sha256: document for document in documents}
    statements: list[Statement] = []
    for statement in _statements(documents, asked):
        statements.append(statement)
        if len(statements) == _MOST_SENTENCES:
            break
    groups: list[_Group] = []
    for fact in find_facts(statements):
        if _usable(fact):
            _put(groups, fact)
    return [found for group in groups if (found := _candidate(group, by_hash)) is not None]


def _statements(documents: Sequence[Document], asked: set[str]) -> Iterator[Statement]:
    for document in documents:
        tables = [(table.start, table.end) for table in document.tables]
        for block in re.finditer(r"\S(?:.|\n(?!\s*\n))*", document.text):
            if not _YEAR.search(block[0]) or any(start < block.end() and block.start() < end for start, end in tables):
                continue
            for start, end in sentences(block[0]):
                text = block[0][start:end]
                if any(character.isdigit() for character in text) and asked & set(stems(text)):
                    yield Statement(
                        id=str(block.start() + start),
                        text=text,
                        sha256=document.sha256,
                        source=document.source,
                        title=document.title,
                    )


def _usable(fact: Fact) -> bool:
    quantity, period = fact.quantity, fact.period
    return (
        quantity is not None
        and period is not None
        and not quantity.is_range
        and quantity.bound in ("exact", "about")
        and period.relation == "at"
        and period.grain in _GRAINS
        and not fact.scope & _OUT
        and bool(quantity.unit or quantity.counted)
    )


def _put(groups: list[_Group], fact: Fact) -> None:
    """Into the group whose words it shares most, else into a new one."""
    if fact.quantity is None or fact.period is None:
        return
    key = (fact.names, fact.quantity.unit or fact.quantity.counted, fact.scope, _GRAINS[fact.period.grain])
    near = [
        (len(group.terms & fact.terms) / (len(group.terms | fact.terms) or 1), group)
        for group in groups
        if group.key == key
    ]
    best = max(near, key=lambda entry: entry[0], default=None)
    if best is not None and best[0] >= _SAME:
        best[1].facts.append(fact)
    else:
        groups.append(_Group(key, fact.terms, [fact]))


def _candidate(group: _Group, documents: dict[str, Document]) -> Candidate | None:
    by_period: dict[Period, list[Fact]] = {}
    for fact in group.facts:
        if fact.period is not None:
            by_period.setdefault(_period(fact), []).append(fact)
    agreed = {
        period: facts[0]
        for period, facts in sorted(by_period.items())
        if len({fact.quantity.value for fact in facts if fact.quantity is not None}) == 1
    }
    if len(agreed) < _MIN_POINTS:
        return None
    facts = list(agreed.values())
    points = tuple(
        DataPoint(label=_label(period), value=fact.quantity.value, quote=_quote(fact, documents[fact.statement.sha256]))
        for period, fact in agreed.items()
        if fact.quantity is not None
    )
    first = facts[0]
    unit = first.quantity.unit if first.quantity is not None else ""
    return Candidate(
        series=Series(name=_name(facts), unit=unit, axis=next(iter(agreed)).grain, points=points),
        context=" ".join(dict.fromkeys(f"{fact.statement.text} {fact.statement.title}" for fact in facts)),
        document=first.statement.sha256,
        table="",
        periods=tuple(agreed),
    )


def _period(fact: Fact) -> Period:
    period = fact.period
    if period is None:
        raise AssertionError("only facts with a period are grouped")
    grain = _GRAINS[period.grain]
    part = 0 if grain == "year" else period.last.month if grain == "month" else (period.last.month + 2) // 3
    return Period(period.last.year, part, grain)


def _label(period: Period) -> str:
    if period.grain == "quarter":
        return f"{period.year} Q{period.part}"
    return f"{period.year}-{period.part:02d}" if period.grain == "month" else str(period.year)


def _name(facts: Sequence[Fact]) -> str:
    """What is counted, in the first sentence's own words: those that stand in all the sentences.

    The word that is counted comes first: ``passengers (harbour Wick handled)``.
    """
    shared = set.intersection(*(set(stems(fact.statement.text)) for fact in facts))
    words = [term for term in content_terms(facts[0].statement.text) if stem(term) in shared and not term[0].isdigit()]
    counted = facts[0].quantity.counted if facts[0].quantity is not None and not facts[0].quantity.unit else ""
    rest = " ".join(word for word in words if word.casefold() != counted)
    if counted:
        return f"{counted} ({rest})" if rest else counted
    return rest or facts[0].statement.title


def _quote(fact: Fact, document: Document) -> Quote:
    if fact.quantity is None:
        raise AssertionError("only facts with a quantity are grouped")
    start = int(fact.statement.id) + fact.quantity.start
    end = int(fact.statement.id) + fact.quantity.end
    return Quote(
        source=document.source,
        sha256=document.sha256,
        page=document.page_at(start),
        start=start,
        end=end,
        quote=document.text[start:end],
    )
