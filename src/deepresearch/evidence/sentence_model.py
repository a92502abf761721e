"""The numbers of sentence choice, fitted on human choices by `benchmarks/evidence/train_sentences.py`."""

from __future__ import annotations

import math
from collections.abc import Mapping

FEATURES: tuple[str, ...] = (
    "match",  # BM25 beside the best candidate's
    "coverage",  # weighted share of the question's words
    "position",  # 1 for the first sentence of a passage, then 1/2, 1/3, …
    "centrality",  # likeness to all other candidates, beside the most central
    "heading",  # share of the heading's words
    "length",  # natural logarithm of 1 + content words
    "neighbours",  # the better match of the sentences before and after
    "refers_back",  # begins with a word that points to an earlier sentence
)
WEIGHTS: dict[str, float] = {
    "intercept": -1.9309,
    "match": 0.9391,
    "coverage": 0.3503,
    "position": 1.0385,
    "centrality": 0.6158,
    "heading": 0.0883,
    "length": 0.3220,
    "neighbours": -0.2368,
    "refers_back": 0.1379,
}
CHOSEN_FROM = 0.38


def probability(features: Mapping[str, float]) -> float:
    """The estimated probability that a sentence belongs to the answer."""
    total = WEIGHTS["intercept"] + sum(WEIGHTS[name] * features[name] for name in FEATURES)
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))
