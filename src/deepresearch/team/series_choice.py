"""Which series a question asks for: by the words they share, the rare ones counting most."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from deepresearch.team.questions import content_terms, words, years
from deepresearch.team.series import Candidate
from deepresearch.team.stemming import stem as stem_of
from deepresearch.team.stemming import stems
from deepresearch.team.word_lists import TREND_WORDS

#: A series is taken when it covers this share of the question's weighted terms ...
_FLOOR = 0.5
#: ... and what the series itself is called is covered by the question at least this far.
_NAME_FLOOR = 0.3
_MOST_SERIES = 4


def choose_series(question: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """The series the question is about, best first; empty when none fits.

    Several are returned when the question names several (a comparison): each further one has to cover terms
    of the question that those before it leave open.
    """
    asked = [
        stem_of(term) for term in content_terms(question) if term.casefold() not in TREND_WORDS and not term.isdigit()
    ]
    if not asked or not candidates:
        return []
    names = [set(stems(candidate.series.name)) for candidate in candidates]
    contexts = [set(stems(candidate.context)) for candidate in candidates]
    weights = _weights([name | context for name, context in zip(names, contexts, strict=True)])
    spoken = _plain(question)
    named_whole = {
        position
        for position, candidate in enumerate(candidates)
        if f" {_plain(candidate.series.name)} " in f" {spoken} "
    }
    scored = []
    for position, candidate in enumerate(candidates):
        score, covered = _score(asked, names[position], contexts[position], weights)
        score += _period_bonus(question, candidate) + (0.2 if position in named_whole else 0.0)
        if score >= _FLOOR:
            scored.append((score, covered, position))
    scored.sort(key=lambda entry: (-entry[0], entry[2]))
    if sum(position in named_whole for _, _, position in scored) >= 2:
        # A question that names several series in full wants those and not their neighbours.
        scored = [entry for entry in scored if entry[2] in named_whole]
    return _distinct(asked, scored, candidates, names)


def _plain(text: str) -> str:
    return " ".join(word.casefold() for word in words(text.replace("-", " ").replace("–", " ")))


def _weights(texts: Sequence[set[str]]) -> dict[str, float]:
    seen = Counter(stem for text in texts for stem in text)
    return {stem: math.log(1 + len(texts) / count) for stem, count in seen.items()}


def _score(
    asked: Sequence[str], name: set[str], context: set[str], weights: dict[str, float]
) -> tuple[float, frozenset[str]]:
    unseen = max(weights.values(), default=1.0)
    total = sum(weights.get(stem, unseen) for stem in asked)
    by_name = sum(weights[stem] for stem in asked if stem in name)
    by_context = sum(weights[stem] for stem in asked if stem in context and stem not in name)
    own = [stem for stem in name if stem not in _GENERIC]
    named = sum(stem in asked for stem in own) / len(own) if own else 0.5
    if own and named < _NAME_FLOOR:
        return 0.0, frozenset()
    coverage = (by_name + 0.8 * by_context) / total
    return coverage * (0.75 + 0.25 * named), frozenset(stem for stem in asked if stem in name | context)


_GENERIC = frozenset(stem_of(word) for word in [*TREND_WORDS, "of", "the", "in", "per", "and", "for", "by", "to", "a"])


def _period_bonus(question: str, candidate: Candidate) -> float:
    wanted = years(question)
    if not wanted or not candidate.periods:
        return 0.0
    have = {period.year for period in candidate.periods}
    return 0.05 if all(year in have for year in wanted) else -0.1


def _distinct(
    asked: Sequence[str],
    scored: Sequence[tuple[float, frozenset[str], int]],
    candidates: Sequence[Candidate],
    names: Sequence[set[str]],
) -> list[Candidate]:
    chosen: list[int] = []
    covered: set[str] = set()
    for score, terms, position in scored:
        best = scored[0][0]
        candidate = candidates[position]
        if not chosen:
            chosen.append(position)
            covered |= terms
            continue
        first = candidates[chosen[0]]
        same_grain = candidate.series.axis == first.series.axis
        new_terms = (set(asked) & names[position]) - covered
        if same_grain and score >= 0.6 * best and new_terms and len(chosen) < _MOST_SERIES:
            chosen.append(position)
            covered |= terms
    return [candidates[position] for position in chosen]
