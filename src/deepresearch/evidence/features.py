"""What can be measured about a claim beside its evidence, without a model.

Words are compared as stems; each stem of the claim weighs by how telling it is (`weight_of`). The features
are named in `FEATURES` in the order the model reads them; each is explained where it is computed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from deepresearch.evidence import words
from deepresearch.evidence.numbers_found import missing_numbers

FEATURES: tuple[str, ...] = (
    "coverage",
    "coverage_best",
    "coverage_pair",
    "coverage_window",
    "coverage_names",
    "heaviest_missing",
    "bigrams",
    "bigrams_best",
    "order_best",
    "numbers_missing",
    "negation_differs",
    "log_claim_length",
    "log_evidence_length",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sentence of evidence made ready: stems in order, the set of them, and how often it negates."""

    text: str
    stems: tuple[str, ...]
    known: frozenset[str]
    negations: int
    has_digit: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The features of a claim beside its evidence and what they were read from.

    `best` and `pair` are indices of evidence sentences (-1 where there is none).
    """

    features: dict[str, float]
    missing_words: tuple[str, ...]
    missing_numbers: tuple[str, ...]
    best: int
    pair: tuple[int, int]


@lru_cache(maxsize=8192)
def prepare(sentence: str, language: str = "english") -> Prepared:
    """A sentence made ready for comparison; kept, since the claims of a report share their evidence."""
    tokens = words.words(sentence)
    ignored = words.stop_words(language)
    stems = tuple([words.stem(token, language) for token in tokens if token not in ignored])
    negations = sum(token in words.NEGATIONS or token.endswith(("n't", "n’t")) for token in tokens)
    return Prepared(sentence, stems, frozenset(stems), negations, any(character.isdigit() for character in sentence))


def weight_of(word: str, stem: str, capital: bool) -> float:
    """How telling a word is: numbers and names most, long words more than short ones."""
    if stem[:1].isdigit():
        return 2.0
    return (1.6 if capital else 1.0) * min(1.0, 0.4 + 0.08 * len(word))


_CAPITAL = re.compile(r"\b[A-ZÀ-ÖØ-Þ][^\W\d_]*")


def measure(claim: str, evidence: Sequence[str], language: str | None = None) -> Comparison:
    """The features of a claim beside sentences of evidence (in the order of their document)."""
    language = language or words.language_of(claim)
    ignored = words.stop_words(language)
    spans = words.word_spans(claim)
    weights: dict[str, float] = {}
    written: dict[str, str] = {}
    names: set[str] = set()
    for index, span in enumerate(spans):
        lower = span.text.lower()
        if lower in ignored:
            continue
        stem = words.stem(lower, language)
        capital = index > 0 and span.text[:1].isupper()
        if capital:
            names.add(stem)
        weights[stem] = max(weights.get(stem, 0.0), weight_of(lower, stem, capital))
        written.setdefault(stem, span.text)
    prepared = [prepare(sentence, language) for sentence in evidence if sentence.strip()]
    index_of = [index for index, sentence in enumerate(evidence) if sentence.strip()]
    total = sum(weights.values()) or 1.0
    claim_set = frozenset(weights)

    hits = [claim_set & sentence.known for sentence in prepared]
    scores = [sum(weights[stem] for stem in hit) for hit in hits]
    everything = frozenset().union(*hits) if hits else frozenset()
    best = max(range(len(scores)), key=scores.__getitem__, default=-1)
    second, pair_score, window = -1, scores[best] if best >= 0 else 0.0, 0.0
    if best >= 0:
        rest = claim_set - hits[best]
        for index, hit in enumerate(hits):
            gain = sum(weights[stem] for stem in hit & rest)
            if scores[best] + gain > pair_score:
                pair_score, second = scores[best] + gain, index
        for index in range(len(hits)):
            if scores[index] * 3 > window:
                joined = hits[index].union(*hits[max(0, index - 1) : index + 2])
                window = max(window, sum(weights[stem] for stem in joined))
    missing = sorted(claim_set - everything, key=lambda stem: -weights[stem])

    claim_prepared = prepare(claim, language)
    claim_pairs = words.bigrams(claim_prepared.stems)
    found_pairs: set[tuple[str, str]] = set()
    best_pairs = 0
    for index, sentence in enumerate(prepared):
        if len(hits[index]) > 1:
            here = claim_pairs & words.bigrams(sentence.stems)
            found_pairs |= here
            if index == best:
                best_pairs = len(here)
    order = 0.0
    if best >= 0:
        from rapidfuzz import fuzz

        order = fuzz.partial_ratio(" ".join(claim_prepared.stems), " ".join(prepared[best].stems)) / 100
    lost = missing_numbers(claim, [sentence.text for sentence in prepared], scores)
    names_total = sum(weights[stem] for stem in names)
    features = {
        "coverage": sum(weights[stem] for stem in everything) / total,
        "coverage_best": (scores[best] / total) if best >= 0 else 0.0,
        "coverage_pair": pair_score / total,
        "coverage_window": window / total,
        "coverage_names": sum(weights[stem] for stem in names & everything) / names_total if names else 1.0,
        "heaviest_missing": weights[missing[0]] if missing else 0.0,
        "bigrams": len(found_pairs) / len(claim_pairs) if claim_pairs else 1.0,
        "bigrams_best": best_pairs / len(claim_pairs) if claim_pairs else 1.0,
        "order_best": order,
        "numbers_missing": float(min(3, len(lost))),
        "negation_differs": float(best >= 0 and (claim_prepared.negations > 0) != (prepared[best].negations > 0)),
        "log_claim_length": math.log1p(len(weights)),
        "log_evidence_length": math.log1p(len(prepared)),
    }
    return Comparison(
        features=features,
        missing_words=tuple(written[stem] for stem in missing),
        missing_numbers=lost,
        best=index_of[best] if best >= 0 else -1,
        pair=(index_of[best] if best >= 0 else -1, index_of[second] if second >= 0 else -1),
    )
