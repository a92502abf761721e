"""What can be measured about a claim beside its evidence, without a model.

Words are compared as stems; each stem of the claim weighs by how telling it is (`weight_of`): numbers and
names more than other words, long words more than short ones. Weights from a table of document frequencies,
and from the evidence itself, were measured and found no better. So were alignment by edit distance, word
order, and neighbouring words further apart than two: none of them added anything to the features below
(`docs/evidence.md`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from deepresearch.evidence import words
from deepresearch.evidence.numbers_found import has_another_number, missing_numbers
from deepresearch.evidence.turned import TURNED, Turned, turned

FEATURES: tuple[str, ...] = (
    "coverage",  # weighted share of the claim's words anywhere in the evidence
    "coverage_pair",  # the same in the best two sentences together
    "coverage_three",  # the same in the best three
    "heaviest_missing",  # weight of the most telling word that the evidence lacks
    "weight_missing",  # weight of all of them
    "numbers_missing",  # how many numbers the evidence lacks, 3 at most
    "names_missing",  # how many capitalised words it lacks
    "bigrams",  # share of the claim's neighbouring pairs of words that stand side by side in one sentence
    "log_claim_length",  # natural logarithm of 1 + distinct content words of the claim
    "log_evidence_length",  # natural logarithm of 1 + sentences of evidence
)
"""The features the model reads, in its order."""


NEARLY_ALL = 0.6
"""Weighted share of a claim's words from which on one sentence may be its source, told differently."""


NEARLY_AS_FULL = 0.85
"""Share of the fullest sentence's weight from which on another sentence may be the source just as well."""

_MOST_CLOSE = 4


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sentence made ready: its content stems in order."""

    text: str
    stems: list[str]

    @property
    def known(self) -> frozenset[str]:
        """The stems without order and repetition."""
        return frozenset(self.stems)


@dataclass(frozen=True, slots=True)
class ClaimWords:
    """The content words of a claim: stems with weights, as written, and which of them are names."""

    stems: list[str]
    weights: Mapping[str, float]
    written: Mapping[str, str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Measured:
    """The features of a claim beside its evidence, and what they were read from.

    `best` are indices of at most three evidence sentences that together cover most of the claim, the
    fullest first; `covered` the stems each of them adds. `missing_words` are as the claim writes them, most
    telling first; `turned` is how the first of `best` says something else, when it holds nearly all of the claim.
    """

    features: dict[str, float]
    missing_words: tuple[str, ...]
    missing_numbers: tuple[str, ...]
    best: tuple[int, ...]
    covered: tuple[frozenset[str], ...]
    turned: Turned


@lru_cache(maxsize=8192)
def prepare(sentence: str, language: str = "english") -> Prepared:
    """A sentence made ready for comparison; kept, since the claims of a report share their evidence."""
    return Prepared(sentence, words.content_stems(sentence, language))


def weight_of(word: str, *, name: bool) -> float:
    """How telling a lower-case word is."""
    if word[:1].isdigit():
        return 2.0
    return (1.6 if name else 1.0) * min(1.0, 0.4 + 0.08 * len(word))


def claim_words(claim: str, language: str) -> ClaimWords:
    """The content words of a claim. A capital letter makes a name, except at the start."""
    ignored = words.stop_words(language)
    weights: dict[str, float] = {}
    written: dict[str, str] = {}
    names: set[str] = set()
    for index, span in enumerate(words.word_spans(claim)):
        lower = span.text.lower()
        if lower in ignored:
            continue
        stem = words.stem(lower, language)
        name = index > 0 and span.text[:1].isupper()
        if name:
            names.add(stem)
        weights[stem] = max(weights.get(stem, 0.0), weight_of(lower, name=name))
        written.setdefault(stem, span.text)
    return ClaimWords(words.content_stems(claim, language), weights, written, frozenset(names))


def measure(claim: str, evidence: Sequence[str], language: str | None = None) -> Measured:
    """The features of a claim beside sentences of evidence (in the order of their document)."""
    language = language or words.language_of(claim)
    wanted = claim_words(claim, language)
    weights = wanted.weights
    prepared = [prepare(sentence, language) for sentence in evidence]
    claim_set = frozenset(weights)
    hits = [claim_set.intersection(sentence.stems) for sentence in prepared]
    scores = [math.fsum(weights[stem] for stem in hit) for hit in hits]
    everything = frozenset().union(*hits) if hits else frozenset()
    total = math.fsum(weights.values()) or 1.0
    best, covered = _fullest(hits, scores, weights)
    gains = [math.fsum(weights[stem] for stem in part) / total for part in covered]
    missing = sorted(claim_set - everything, key=lambda stem: (-weights[stem], stem))
    lost = missing_numbers(claim, evidence, scores)
    pairs = words.bigrams(wanted.stems)
    turning = Turned()
    if best and gains[0] > NEARLY_ALL:
        turning = _turning(claim, prepared, scores, best[0], language)
    features = {
        "coverage": math.fsum(weights[stem] for stem in everything) / total,
        "coverage_pair": sum(gains[:2]),
        "coverage_three": sum(gains),
        "heaviest_missing": weights[missing[0]] if missing else 0.0,
        "weight_missing": math.fsum(weights[stem] for stem in missing),
        "numbers_missing": float(min(3, len(lost))),
        "names_missing": float(len(wanted.names - everything)),
        "bigrams": len(_shared_pairs(pairs, prepared, hits)) / len(pairs) if pairs else 1.0,
        "log_claim_length": math.log1p(len(weights)),
        "log_evidence_length": math.log1p(len(prepared)),
        # Beside the model, for the explanation and for the rules.
        "numbers_astray": float(_are_astray(claim, evidence, best, lost)),
        "numbers_disputed": float(bool(best) and gains[0] > 0.6 and has_another_number(claim, prepared[best[0]].text)),
        "coverage_best": gains[0] if gains else 0.0,
        TURNED: float(turning.is_turned),
        "negation_differs": float(
            bool(best) and (words.negates(claim) > 0) != (words.negates(prepared[best[0]].text) > 0)
        ),
    }
    return Measured(features, tuple(wanted.written[stem] for stem in missing), lost, best, covered, turning)


def _fullest(
    hits: Sequence[frozenset[str]], scores: Sequence[float], weights: Mapping[str, float]
) -> tuple[tuple[int, ...], tuple[frozenset[str], ...]]:
    """Up to three sentences, each chosen for what it adds to the ones before, and what it adds."""
    chosen: list[int] = []
    covered: list[frozenset[str]] = []
    found: frozenset[str] = frozenset()
    for turn in range(3):
        best, most = -1, 0.0
        for index, hit in enumerate(hits):
            if scores[index] <= most:
                continue  # even all of it would add less than the best so far
            gain = scores[index] if turn == 0 else math.fsum(weights[stem] for stem in hit - found)
            if gain > most:
                best, most = index, gain
        if best < 0:
            break
        chosen.append(best)
        covered.append(hits[best] - found)
        found |= hits[best]
    return tuple(chosen), tuple(covered)


def _turning(claim: str, prepared: Sequence[Prepared], scores: Sequence[float], best: int, language: str) -> Turned:
    """How the fullest sentence says something else; nothing when one that is nearly as full says what the claim says."""
    found = turned(claim, prepared[best].text, language)
    if not found.is_turned:
        return found
    close = [index for index, score in enumerate(scores) if index != best and score >= NEARLY_AS_FULL * scores[best]]
    if any(not turned(claim, prepared[index].text, language).is_turned for index in close[:_MOST_CLOSE]):
        return Turned()
    return found


def _are_astray(claim: str, evidence: Sequence[str], best: Sequence[int], lost: Sequence[str]) -> bool:
    """Whether a number is held only away from the sentences that carry the claim: likely of another thing."""
    if lost or len(evidence) <= 9 or not any(character.isdigit() for character in claim):
        return False
    near = sorted({index + step for index in best for step in (-1, 0, 1) if 0 <= index + step < len(evidence)})
    return bool(missing_numbers(claim, [evidence[index] for index in near], [1.0] * len(near)))


def _shared_pairs(
    pairs: set[tuple[str, str]], prepared: Sequence[Prepared], hits: Sequence[frozenset[str]]
) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for sentence, hit in zip(prepared, hits, strict=True):
        if len(hit) > 1:
            found |= pairs & words.bigrams(sentence.stems)
    return found
