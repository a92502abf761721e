"""Does a passage hold the answer to a question? A logistic model over how well its words meet the question's.

A sentence seldom repeats all words of a question: some stand in the sentence before, some in the title, and some are
other words for the same thing. This looks at the whole passage and at its best sentence together. Fitted by
`benchmarks/evidence/cast_reading.py` on CLAPNQ (Rosenthal et al., TACL 2025): each question among the passages of all
the others, once with its own passage and once without.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepresearch.evidence import Candidate, rank_sentences
from deepresearch.model.plan import SubQuestion
from deepresearch.team.answering import TermWeights, asked_stems, coverage
from deepresearch.team.stemming import stems

FEATURES = ("passage", "sentence", "window", "heaviest_missing", "choice", "share")
WEIGHTS = (3.026, 6.601, 2.094, -2.133, 1.241, 0.039)
INTERCEPT = -4.990

#: Estimated probability from which the chosen sentences of a passage count as answers.
ANSWERED_FROM = 0.85
_WINDOW = 3


@dataclass(frozen=True, slots=True)
class PassageFit:
    """How well a passage answers. `probability` is the estimate (0 to 1); `ranked` are its sentences by their index,
    likeliest first, each with its own probability of belonging to the answer."""

    probability: float
    ranked: tuple[tuple[int, float], ...]


def passage_features(
    sub_question: SubQuestion, sentences: Sequence[str], heading: str, weights: TermWeights
) -> tuple[tuple[float, ...], tuple[tuple[int, float], ...]]:
    """The features, named as in `FEATURES`, each between 0 and 1, and the sentences ranked."""
    asked = asked_stems(sub_question)
    above = set(stems(heading))
    said = [set(stems(sentence)) for sentence in sentences]
    everything = above.union(*said)
    total = math.fsum(weights[one] for one in asked)
    windows = [set().union(*said[start : start + _WINDOW]) for start in range(len(said))]
    ranked = rank_sentences(
        sub_question.text, [Candidate(text, index, heading, "p") for index, text in enumerate(sentences)]
    )
    missing = [weights[one] for one in asked if one not in everything]
    values = (
        coverage(asked, everything, set(), weights),
        max((coverage(asked, own, above, weights) for own in said), default=0.0),
        max((coverage(asked, own, above, weights) for own in windows), default=0.0),
        max(missing, default=0.0) / total if total else 1.0,
        ranked[0].score if ranked else 0.0,
        len(everything & set(asked)) / len(asked) if asked else 0.0,
    )
    return values, tuple((entry.index, entry.score) for entry in ranked)


def passage_fit(sub_question: SubQuestion, sentences: Sequence[str], heading: str, weights: TermWeights) -> PassageFit:
    """How well the sentences of a passage, under their title and headings, answer the sub-question."""
    values, ranked = passage_features(sub_question, sentences, heading, weights)
    score = INTERCEPT + math.fsum(weight * value for weight, value in zip(WEIGHTS, values, strict=True))
    return PassageFit(1 / (1 + math.exp(-score)), ranked)
