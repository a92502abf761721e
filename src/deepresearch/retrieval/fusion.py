"""From the scores of several legs to one ranking.

Three legs are fused: `sparse` (BM25 of the question), `feedback` (BM25 of the question widened by words
of the best passages) and `dense`. How much the last two may say is decided for each question by how far
words and meaning agree on what is good, since a dense leg that was learned from scattered texts is noise,
and feedback from wrong passages leads astray.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

SPARSE_LEG, FEEDBACK_LEG, DENSE_LEG = "sparse", "feedback", "dense"

Ranking = Sequence[tuple[int, float]]
"""Candidates (the numbers of their points) with their scores, best first."""


@dataclass(frozen=True, slots=True)
class Fusion:
    """The settings of the fusion, tuned on development data (docs/decisions tells on which).

    `trust_from` and `trust_to` are the agreements at which the dense leg begins to count and counts in full;
    `dense` is its weight then, against 1 for the two others together. `feedback_least` and
    `feedback_most` are the share of that 1 which the feedback takes without and with full trust.
    """

    trust_from: float = 0.35
    trust_to: float = 0.7
    dense: float = 1.5
    feedback_least: float = 0.3
    feedback_most: float = 0.5

    def trust(self, sparse: Ranking, dense: Ranking) -> float:
        """How much the dense leg may say, 0 to 1, by how well it agrees with the sparse one."""
        span = self.trust_to - self.trust_from
        return min(1.0, max(0.0, (agreement(sparse, dense) - self.trust_from) / span))

    def weights(self, trust: float) -> dict[str, float]:
        """The weight of each leg at this trust; they add up to 1."""
        feedback = self.feedback_least + (self.feedback_most - self.feedback_least) * trust
        total = 1.0 + self.dense * trust
        return {
            SPARSE_LEG: (1.0 - feedback) / total,
            FEEDBACK_LEG: feedback / total,
            DENSE_LEG: self.dense * trust / total,
        }


FULL_TRUST = Fusion(trust_from=-1.0, trust_to=-0.5, dense=1.0)
"""For an encoder trained elsewhere, which may well be right where it disagrees with the words."""


@dataclass(frozen=True, slots=True)
class Fused:
    """One candidate: its fused score and what each leg gave to it."""

    key: int
    score: float
    contributions: Mapping[str, float]


def agreement(sparse: Ranking, dense: Ranking) -> float:
    """Between 0 and 1: the overlap of the two tops, times how well the dense leg likes the sparse leg's best.

    The tops are the first fifth of the longer ranking, at least 3 and at most 20. The second factor is
    the mean dense score of the three best sparse candidates against the best dense score.
    """
    if not sparse or not dense or dense[0][1] <= 0.0:
        return 0.0
    depth = min(20, max(3, max(len(sparse), len(dense)) // 5))
    top = {key for key, _ in sparse[:depth]}
    overlap = sum(1 for key, _ in dense[:depth] if key in top) / min(depth, len(sparse), len(dense))
    scores = dict(dense)
    best = sparse[:3]
    liking = sum(max(0.0, scores.get(key, dense[-1][1])) for key, _ in best) / len(best)
    return overlap * liking / dense[0][1]


def fuse(legs: Mapping[str, Ranking], weights: Mapping[str, float], limit: int) -> list[Fused]:
    """Convex combination of min-max normalised scores: at most `limit` candidates, best first.

    The lowest score of a leg counts 0, the highest 1, an absent candidate 0. Source: Bruch, Gai and Ingber,
    "An Analysis of Fusion Functions for Hybrid Retrieval" (2023).
    """
    parts: dict[str, dict[int, float]] = {}
    totals: dict[int, float] = {}
    for name, ranking in legs.items():
        weight = weights[name]
        given = parts[name] = {key: weight * score for key, score in normalised(ranking).items()}
        for key, score in given.items():
            totals[key] = totals.get(key, 0.0) + score
    best = nsmallest(limit, totals.items(), key=lambda item: (-item[1], item[0]))
    return [
        Fused(key, score, {name: given[key] for name, given in parts.items() if key in given}) for key, score in best
    ]


def normalised(ranking: Ranking) -> dict[int, float]:
    """Scores moved and scaled so that the lowest is 0 and the highest 1; all 1 when they are level."""
    if not ranking:
        return {}
    lowest, spread = ranking[-1][1], ranking[0][1] - ranking[-1][1]
    return {key: (score - lowest) / spread if spread > 0.0 else 1.0 for key, score in ranking}
