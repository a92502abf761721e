"""Whether its evidence carries a claim, in three honest bands and a rest.

A logistic model over the features of `features.py` estimates two probabilities: that the evidence supports
the whole claim, and that it supports at least a part. Its numbers (`support_model.py`) are fitted by
`benchmarks/evidence/train.py` on human judgements; nothing here asks a language model. Two rules stand
above the estimate: words that stand in the evidence as they are count as supported, and a claim with a
number that the evidence lacks is never `supported`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepresearch.evidence import support_model as model
from deepresearch.evidence.features import Measured, measure
from deepresearch.evidence.normalise import folded, normalised
from deepresearch.evidence.turned import TURNED
from deepresearch.evidence.words import NEGATIONS, word_set, words
from deepresearch.evidence.words import sentences as split
from deepresearch.model.evidence import Support, SupportCheck

VERBATIM_SCORE = 0.99
"""The score of a claim whose words stand in the evidence as they are."""

MOST_IF_WRONG = 0.49
"""Highest score of a claim with a number that the evidence lacks, or whose sentence of evidence denies it."""

LONGEST_SENTENCE = 240
"""A piece of evidence with more characters than this is taken apart into sentences."""

_HEDGES = word_set("""
    false untrue denied denies deny rejected rejects disputed disputes claimed claims alleged allegedly
    alleges myth wrong mistaken doubt doubts if whether unless supposedly reportedly rumoured rumored
    hypothesis falsch bestreitet angeblich ob""")


def check_support(claim: str, evidence: Sequence[str]) -> SupportCheck:
    """The verdict on a claim beside its evidence.

    `evidence` holds sentences, in the order of their document: the cited quotations, or all sentences of
    the cited page. `score` is the estimated probability that the whole claim is supported; the bands' cuts
    and their measured precision are in `support_model.py`. Without evidence the verdict is `unsupported`
    with score 0.
    """
    sentences = as_sentences(evidence)
    if not sentences or not words(claim):
        return SupportCheck(support=Support.UNSUPPORTED, score=0.0, features={}, missing=())
    comparison = measure(claim, sentences)
    return verdict(claim, sentences, comparison)


def verdict(claim: str, evidence: Sequence[str], comparison: Measured) -> SupportCheck:
    """The verdict from features that are already measured."""
    whole, part = probabilities(comparison.features)
    features = {**comparison.features, "probability_partial": part}
    numbers = comparison.missing_numbers
    missing = (*numbers, *(word for word in comparison.missing_words if not any(word in number for number in numbers)))
    if comparison.features["coverage"] > 0.99 and is_verbatim(claim, evidence):
        return SupportCheck(
            support=Support.SUPPORTED, score=VERBATIM_SCORE, features={**features, "verbatim": 1.0}, missing=()
        )
    if comparison.missing_numbers or is_barred(features):
        whole = min(whole, MOST_IF_WRONG)
    return SupportCheck(support=band(whole, part), score=round(whole, 4), features=features, missing=missing)


def probabilities(features: dict[str, float]) -> tuple[float, float]:
    """
    Estimated probabilities that the whole claim, and that at least a part of it, is supported."""
    whole = _logistic(model.WHOLE, features)
    return whole, max(whole, _logistic(model.PART, features))


def band(whole: float, part: float) -> Support:
    """The band of two probabilities."""
    if whole >= model.SUPPORTED_FROM:
        return Support.SUPPORTED
    if part <= model.UNSUPPORTED_TO:
        return Support.UNSUPPORTED
    if part >= model.PARTIAL_FROM and whole <= model.PARTIAL_TO:
        return Support.PARTIAL
    return Support.UNDECIDED


def is_barred(features: dict[str, float]) -> bool:
    """Whether a rule keeps the claim from full support although the evidence holds all of its numbers.

    A number stands only away from the sentences that carry the claim; or the best of these has another number in
    its place; or it holds nearly all of the claim, but only one of the two denies something; or it says with these
    words something else (`turned.py`).
    """
    denied = features["negation_differs"] > 0 and features["coverage_best"] > 0.75
    return bool(features["numbers_astray"] or features["numbers_disputed"] or features[TURNED] or denied)


def as_sentences(evidence: Sequence[str]) -> list[str]:
    """The evidence as sentences: a long piece is taken apart, what is one sentence already stays as it is."""
    return [
        sentence
        for piece in evidence
        for sentence in ([span.text for span in split(piece)] if len(piece) > LONGEST_SENTENCE else [piece])
        if sentence.strip()
    ]


def _logistic(weights: dict[str, float], features: dict[str, float]) -> float:
    total = weights["intercept"]
    for name, weight in weights.items():
        if name != "intercept":
            total += weight * features[name]
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


def is_verbatim(claim: str, evidence: Sequence[str]) -> bool:
    """Whether the claim's words stand in the evidence as they are, not inside a denial, a doubt or a condition."""
    wanted = _plain(claim)
    if len(words(wanted)) < 3:
        return False
    longest = max(words(wanted), key=len)
    near = {
        index + step
        for index, sentence in enumerate(evidence)
        if longest in folded(normalised(sentence).text if not sentence.isascii() else sentence)
        for step in (-1, 0, 1)
        if 0 <= index + step < len(evidence)
    }
    text = ". ".join(_plain(evidence[index]) for index in sorted(near))
    place = text.find(wanted)
    while place >= 0:
        end = place + len(wanted)
        borders = (place == 0 or not text[place - 1].isalnum()) and (end == len(text) or not text[end].isalnum())
        before = words(text[max(0, place - 60) : place].rpartition(". ")[2])
        if borders and not any(word in _HEDGES or word in NEGATIONS for word in before):
            return True
        place = text.find(wanted, place + 1)
    return False


def _plain(text: str) -> str:
    return folded(normalised(text).text).strip(" .;:,!?\"'*_")
