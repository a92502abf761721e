"""Milliseconds a claim, in processor time, beside an alternative in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable

from rapidfuzz import fuzz

from benchmarks.evidence.public_sets import LabelledClaim
from deepresearch.evidence import check_support
from deepresearch.evidence.features import prepare


def milliseconds(work: Callable[[LabelledClaim], object], claims: list[LabelledClaim], rounds: int = 3) -> float:
    """The least processor time of a few rounds, each without anything remembered of the one before."""
    best = float("inf")
    for _ in range(rounds):
        prepare.cache_clear()
        begun = time.process_time()
        for claim in claims:
            work(claim)
        best = min(best, time.process_time() - begun)
    return best / len(claims) * 1000


def lines(claims: list[LabelledClaim]) -> list[str]:
    """The table's rows: our check, and fuzzy matching, the usual way without a model."""
    check_support("Ten metres are 10 m.", ["A mast of 30 feet."])  # load what is loaded once
    ours = milliseconds(lambda c: check_support(c.claim, c.evidence), claims)
    fuzzy = milliseconds(lambda c: fuzz.partial_ratio(c.claim, " ".join(c.evidence)), claims)
    tokens = milliseconds(lambda c: max(fuzz.token_set_ratio(c.claim, s) for s in c.evidence), claims)
    return [
        f"| check_support | {ours:.2f} |",
        f"| rapidfuzz partial_ratio with the page | {fuzzy:.2f} |",
        f"| rapidfuzz token_set_ratio with each sentence | {tokens:.2f} |",
    ]


def fuzzy_scores(claims: list[LabelledClaim]) -> list[float]:
    """The alternative's score for each claim: the best token_set_ratio with a sentence, 0 to 1."""
    return [max(fuzz.token_set_ratio(claim.claim, sentence) for sentence in claim.evidence) / 100 for claim in claims]
