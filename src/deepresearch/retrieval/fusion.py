"""From the scores of two legs to one ranking, and from a ranking to a varied one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fused:
    """One candidate: its fused score and what each leg gave to it."""

    key: str
    score: float
    contributions: Mapping[str, float]


def fuse(legs: Mapping[str, Mapping[str, float]], weights: Mapping[str, float]) -> list[Fused]:
    """Convex combination of min-max normalised scores, best first.

    `legs` maps a leg's name to its candidates' scores. The lowest score of a leg counts 0, the highest 1,
    an absent candidate 0. Weights are scaled to the sum 1 over the legs that found anything. Source:
    Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (2023).
    """
    present = {name: scores for name, scores in legs.items() if scores}
    total = sum(weights[name] for name in present)
    contributions: dict[str, dict[str, float]] = {}
    for name, scores in present.items():
        lowest, highest = min(scores.values()), max(scores.values())
        spread = highest - lowest
        share = weights[name] / total if total else 0.0
        for key, score in scores.items():
            contributions.setdefault(key, {})[name] = share * ((score - lowest) / spread if spread > 0 else 1.0)
    fused = [Fused(key, sum(parts.values()), parts) for key, parts in contributions.items()]
    return sorted(fused, key=lambda candidate: (-candidate.score, candidate.key))
