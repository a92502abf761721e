"""Fewer repetitions among hits: near-duplicates dropped, and a ranking that prefers what is new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import log, sqrt

from deepresearch.model.retrieval import Hit
from deepresearch.retrieval.tokens import DEFAULT_LANGUAGE, language_of, stems_of, terms_of

_SHINGLE = 3  # words in a row


def mmr(hits: Sequence[Hit], limit: int, balance: float = 0.7) -> list[Hit]:
    """At most `limit` hits, each chosen for its score and for how little it repeats those chosen before.

    `balance` is the weight of the score (1: the order stays, 0: only novelty counts). Scores are scaled
    to the best one; likeness is the cosine of the passages' stems, weighted by their rarity among the
    hits. Hits keep their scores. Source: Carbonell and Goldstein, "The Use of MMR, Diversity-Based
    Reranking" (1998). Raises `ValueError` for a balance outside 0 to 1.
    """
    if not 0.0 <= balance <= 1.0:
        raise ValueError(f"the balance {balance} is not between 0 and 1")
    if not hits or limit < 1:
        return []
    best = max(hit.score for hit in hits)
    relevance = [hit.score / best if best > 0.0 else 0.0 for hit in hits]
    vectors = _weighted_stems(hits)
    likeness = [0.0] * len(hits)
    left = list(range(len(hits)))
    chosen: list[int] = []
    while left and len(chosen) < limit:
        taken = max(left, key=lambda place: (balance * relevance[place] - (1.0 - balance) * likeness[place], -place))
        left.remove(taken)
        chosen.append(taken)
        for place in left:
            likeness[place] = max(likeness[place], _cosine(vectors[place], vectors[taken]))
    return [hits[place] for place in chosen]


def without_near_duplicates(hits: Sequence[Hit], threshold: float = 0.85) -> list[Hit]:
    """The hits without those that say the same words as one before.

    Two passages are near-duplicates when at least `threshold` of the shorter one's runs of three words
    are also in the other, and the shorter one has no number the other lacks: a passage that differs by a
    figure is another statement, and may be the newer version or the other side of a conflict.
    """
    kept: list[Hit] = []
    seen: list[tuple[frozenset[tuple[str, ...]], frozenset[str]]] = []
    for hit in hits:
        words = terms_of(hit.passage.text)
        runs = frozenset(tuple(words[place : place + _SHINGLE]) for place in range(max(1, len(words) - _SHINGLE + 1)))
        numbers = frozenset(word for word in words if word[:1].isdigit())
        if not any(_repeats(runs, numbers, *other, threshold) for other in seen):
            kept.append(hit)
            seen.append((runs, numbers))
    return kept


def _repeats(
    runs: frozenset[tuple[str, ...]],
    numbers: frozenset[str],
    other_runs: frozenset[tuple[str, ...]],
    other_numbers: frozenset[str],
    threshold: float,
) -> bool:
    shorter, longer = (numbers, other_numbers) if len(runs) <= len(other_runs) else (other_numbers, numbers)
    if shorter - longer:
        return False
    return len(runs & other_runs) >= threshold * min(len(runs), len(other_runs))


def _weighted_stems(hits: Sequence[Hit]) -> list[Mapping[str, float]]:
    counts = []
    for hit in hits:
        terms = terms_of(hit.passage.text)
        counts.append(Counter(stems_of(terms, language_of(terms) or DEFAULT_LANGUAGE)))
    spread = Counter(stem for count in counts for stem in count)
    vectors: list[Mapping[str, float]] = []
    for count in counts:
        vector = {stem: (1.0 + log(number)) * log(1.0 + len(hits) / spread[stem]) for stem, number in count.items()}
        length = sqrt(sum(weight * weight for weight in vector.values())) or 1.0
        vectors.append({stem: weight / length for stem, weight in vector.items()})
    return vectors


def _cosine(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    if len(other) < len(one):
        one, other = other, one
    return sum(weight * other.get(stem, 0.0) for stem, weight in one.items())
