"""Pseudo-relevance feedback: the best passages of a first round tell what else to look for in a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deepresearch.retrieval.sparse import TermVector
from deepresearch.retrieval.statistics import TermStatistics

if TYPE_CHECKING:
    from deepresearch.retrieval.dense import Row

FEEDBACK_PASSAGES = 5
_WORDS = 40
_SHARE = 0.5


def widen(
    question: TermVector, passages: Sequence[TermVector], weights: Sequence[float], statistics: TermStatistics
) -> TermVector:
    """The question with the words that mark the best passages, half the weight each.

    A passage counts by its weight; within it, a word by its share of the passage's length in weighted terms.
    After Lavrenko and Croft, "Relevance-Based Language Models" (2001), in the mixture RM3, on BM25's
    term weights. The engine multiplies by the inverse document frequency again, as for any question.
    """
    total = sum(weights)
    rarities = iter(statistics.idf_of([index for terms in passages for index in terms.indices]).tolist())
    gathered: dict[int, float] = {}
    rarity: dict[int, float] = {}
    for terms, weight in zip(passages, weights, strict=True):
        idf = [next(rarities) for _ in terms.indices]
        length = sum((value * rare) ** 2 for value, rare in zip(terms.values, idf, strict=True)) ** 0.5
        if length == 0.0 or total == 0.0:
            continue
        share = weight / total / length
        for index, value, rare in zip(terms.indices, terms.values, idf, strict=True):
            gathered[index] = gathered.get(index, 0.0) + share * value
            rarity[index] = rare
    best = sorted(gathered, key=lambda index: (-gathered[index] * rarity[index], index))[:_WORDS]
    mass = sum(gathered[index] for index in best)
    asked = sum(question.values)
    mixed = {
        index: (1.0 - _SHARE) * value / asked for index, value in zip(question.indices, question.values, strict=True)
    }
    for index in best:
        mixed[index] = mixed.get(index, 0.0) + _SHARE * gathered[index] / mass
    indices = sorted(mixed)
    return TermVector(indices, [mixed[index] for index in indices])


def approach(question: Row, passages: Sequence[Sequence[float]], weights: Sequence[float]) -> Row:
    """The question's vector moved half-way to the best passages' mean.

    After Rocchio, "Relevance Feedback in Information Retrieval" (1971), without negative examples.
    """
    import numpy as np

    if not passages or sum(weights) == 0.0:
        return question
    rows = np.array(passages, np.float32)
    mean = np.array(weights, np.float32) @ (rows / np.linalg.norm(rows, axis=1, keepdims=True))
    length = float(np.linalg.norm(mean))
    moved = question / np.linalg.norm(question)
    if length > 0.0:
        moved = moved + mean / length
    result: Row = moved.astype(np.float32)
    return result
