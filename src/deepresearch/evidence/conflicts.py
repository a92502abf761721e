"""Statements of different documents that cannot all be right, because they give one thing different values.

Precision comes before recall: two values conflict only when names, attribute, scope, unit and time agree,
and the values differ after conversion by more than rounding, bounds and ``about`` allow. A figure for
another year, site or part, a forecast beside an outcome, percent beside percentage points, or a bound that
holds the other value is no conflict.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from deepresearch.evidence import units
from deepresearch.evidence.fact_words import canonical_word
from deepresearch.evidence.facts import Fact, Statement, find_facts
from deepresearch.evidence.quantities import Comparison, compare
from deepresearch.model.evidence import Conflict

LEAST_SHARED = 0.6
"""Least weighted share of the smaller set of attribute words that both facts must have in common."""

LEAST_COMMON = 0.34
"""Least weighted share of all attribute words of both facts that they must have in common."""


def find_conflicts(statements: Iterable[Statement], superseded: Mapping[str, str] | None = None) -> list[Conflict]:
    """Conflicts between statements of different documents, each with the ids of its statements, the newest
    document first.

    With `superseded` (see `find_superseded`) a document and its own later version are not set against each
    other.
    """
    facts = find_facts(statements)
    weights = _weights(facts)
    pairs = [
        (first, second)
        for first, second in _candidates(facts)
        if facts[first].statement.sha256 != facts[second].statement.sha256
        and not _versions(facts[first], facts[second], superseded or {})
        and about_the_same(facts[first], facts[second], weights)
        and values_differ(facts[first], facts[second])
    ]
    return _grouped(facts, pairs)


def _weights(facts: Sequence[Fact]) -> dict[str, float]:
    """How telling each word is: the rarer among the facts, the more."""
    counts = Counter(term for fact in facts for term in fact.terms | fact.names)
    return {
        term: 1 + math.log(len(facts) / count) / math.log(max(len(facts), 20) + 1) for term, count in counts.items()
    }


def _candidates(facts: Sequence[Fact]) -> Iterable[tuple[int, int]]:
    """Pairs of facts of one time (or one event) that share a word."""
    buckets: dict[tuple[object, ...], list[int]] = {}
    for index, fact in enumerate(facts):
        if fact.when is not None:
            time: tuple[object, ...] = ("event", fact.event)
        elif fact.period is not None:
            time = (fact.period.first, fact.period.last)
        else:
            time = ()
        for term in fact.names or fact.terms:
            buckets.setdefault((*time, term), []).append(index)
    seen: set[tuple[int, int]] = set()
    for members in buckets.values():
        for place, first in enumerate(members):
            for second in members[place + 1 :]:
                if (first, second) not in seen:
                    seen.add((first, second))
                    yield first, second


def _versions(first: Fact, second: Fact, superseded: Mapping[str, str]) -> bool:
    keys = first.statement.sha256, second.statement.sha256
    return superseded.get(keys[0], keys[0]) == superseded.get(keys[1], keys[1])


def about_the_same(first: Fact, second: Fact, weights: Mapping[str, float]) -> bool:
    """Whether two facts give the value of one attribute of one thing at one time under the same conditions."""
    if (first.when is None) != (second.when is None) or first.event != second.event or first.scope != second.scope:
        return False
    if first.quantity is not None and second.quantity is not None:
        if not units.commensurable(first.quantity.unit, second.quantity.unit):
            return False
        if (first.period is None) != (second.period is None):
            return False
        if first.period is not None and second.period is not None and not first.period.same(second.period):
            return False
    if not _same_names(first, second):
        return False
    counted = _counted(first), _counted(second)
    if all(counted) and counted[0] != counted[1] and not (counted[0] in second.terms or counted[1] in first.terms):
        return False
    return _similar(first, second, weights)


def _same_names(first: Fact, second: Fact) -> bool:
    """Names must agree; one side may leave out what its title or headings say."""
    if not first.names & second.names and (first.names or second.names):
        return bool(first.names <= second.known and second.names <= first.known)
    return first.names - second.names <= second.known and second.names - first.names <= first.known


def _counted(fact: Fact) -> str:
    return canonical_word(fact.quantity.counted) if fact.quantity is not None and fact.quantity.counted else ""


def _similar(first: Fact, second: Fact, weights: Mapping[str, float]) -> bool:
    def total(terms: Iterable[str]) -> float:
        return math.fsum(weights.get(term, 1.0) for term in terms)

    left = first.terms - (second.known - second.terms)
    right = second.terms - (first.known - first.terms)
    if _narrowed(left - right, right, first.modified) or _narrowed(right - left, left, second.modified):
        return False
    if not first.names and not second.names and first.known and second.known and not first.known & second.known:
        return False  # "the hotel" of one document is not "the hotel" of another
    shared = total(left & right)
    smaller = min(total(left), total(right))
    if smaller == 0:
        return not left and not right and bool(first.names)
    return shared / smaller >= LEAST_SHARED and shared / total(left | right) >= LEAST_COMMON


def _narrowed(extra: frozenset[str], others: frozenset[str], modified: frozenset[tuple[str, str]]) -> bool:
    """Whether a word that only one side has stands right before a word that both have: ``electric bicycles``."""
    return any(first in extra and second in others for first, second in modified)


def values_differ(first: Fact, second: Fact) -> bool:
    """Whether the values cannot both be right."""
    if first.when is not None and second.when is not None:
        return not first.when.overlaps(second.when)
    if first.quantity is None or second.quantity is None:
        return False
    return (
        compare(first.quantity, second.quantity, generous=True) is Comparison.DIFFERENT
        and compare(second.quantity, first.quantity, generous=True) is Comparison.DIFFERENT
    )


def _grouped(facts: Sequence[Fact], pairs: Sequence[tuple[int, int]]) -> list[Conflict]:
    """One conflict for all facts linked by pairs; of an origin that repeats itself only the newest is kept."""
    parent = {index: index for pair in pairs for index in pair}

    def root(index: int) -> int:
        while parent[index] != index:
            index = parent[index]
        return index

    for first, second in pairs:
        parent[root(second)] = root(first)
    groups: dict[int, list[int]] = {}
    for index in sorted(parent):
        groups.setdefault(root(index), []).append(index)
    conflicts = []
    for members in groups.values():
        chosen = _one_voice_each([facts[index] for index in sorted(members, key=lambda index: _order(facts[index]))])
        ids = tuple(dict.fromkeys(fact.statement.id for fact in chosen))
        if len(ids) > 1:
            conflicts.append(Conflict(claims=ids, kind="date" if chosen[0].when else "number", note=_note(chosen)))
    return conflicts


def _order(fact: Fact) -> tuple[int, str, str]:
    when = fact.statement.date or date.min
    return -when.toordinal(), fact.statement.source, fact.statement.id


def _one_voice_each(facts: Sequence[Fact]) -> list[Fact]:
    seen: set[tuple[str, str]] = set()
    chosen = []
    for fact in facts:
        value = fact.quantity.text if fact.quantity is not None else fact.when.text if fact.when is not None else ""
        key = (fact.statement.origin or fact.statement.sha256, value)
        if key not in seen:
            seen.add(key)
            chosen.append(fact)
    return chosen


def _note(facts: Sequence[Fact]) -> str:
    """A sentence with each value, its source and its date, newest first."""
    subject = facts[0].said or "the same thing"
    time = f" ({facts[0].period.text})" if facts[0].period is not None else ""
    parts = []
    for fact in facts:
        value = fact.quantity.text if fact.quantity is not None else fact.when.text if fact.when is not None else ""
        where = fact.statement.source.rsplit("/", 1)[-1] or fact.statement.title or fact.statement.sha256[:12]
        dated = f", {fact.statement.date.isoformat()}" if fact.statement.date is not None else ""
        parts.append(f"{value} ({where}{dated})")
    return f"The sources disagree on {subject}{time}: {' against '.join(parts)}."
