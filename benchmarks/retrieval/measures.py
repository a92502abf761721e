"""Measures of a ranking against graded judgements, and of times."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from math import log2


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gains (Järvelin and Kekäläinen, 2002)."""
    gained = sum(grades.get(name, 0) / log2(place + 2) for place, name in enumerate(ranking[:depth]))
    best = sum(grade / log2(place + 2) for place, grade in enumerate(sorted(grades.values(), reverse=True)[:depth]))
    return gained / best if best else 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, int], depth: int = 100) -> float:
    """The share of the relevant that is among the first `depth`."""
    return len(set(ranking[:depth]) & set(grades)) / len(grades)


def paired_interval(differences: Sequence[float], rounds: int = 2_000) -> tuple[float, float]:
    """Where the mean of the differences lies with 95 in 100: percentile bootstrap over the questions."""
    chance = random.Random(0)
    means = sorted(sum(chance.choices(differences, k=len(differences))) / len(differences) for _ in range(rounds))
    return percentile(means, 0.025), percentile(means, 0.975)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
