"""Which sentences answer a question, and which sentences a claim rests on.

Both begin with BM25 over the candidate sentences (Robertson and Zaragoza, 2009), where each word also
weighs by how telling it is. For a question, position, centrality (cosine with the middle of all candidates,
a one-step LexRank), headings, length and neighbours are added by a logistic model (`sentence_model.py`,
fitted by `benchmarks/evidence/train_sentences.py`). Later choices count for less where they repeat what is
chosen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deepresearch.evidence import sentence_model as model
from deepresearch.evidence import words
from deepresearch.evidence.features import ClaimWords, claim_words, prepare

SATURATION = 1.2
"""BM25's k1."""

LENGTH_SHARE = 0.3
"""BM25's b: sentences differ less in length than documents do."""

SIDE_BY_SIDE = 0.3
"""What a pair of neighbouring words adds, as a share of the weights of the two."""

NEIGHBOUR = 0.2
"""What the scores of the sentences before and after add."""

REPEATED = 0.5
"""What is left of a word's weight each time it is already covered by a chosen sentence."""

_REFERS_BACK = re.compile(
    r"^\W*(?:it|its|this|that|these|those|they|their|he|she|his|her|both|such|however|but|also|moreover|"
    r"the (?:former|latter)|er|sie|es|dies\w*|il|elle|ils|cela|ce)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may be chosen. `position` is its place in its passage (0 for the first).

    `heading` holds title and headings above it. `passage` tells passages apart, so that neighbours are known.
    """

    text: str
    position: int = 0
    heading: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate (by its index) with its estimated probability of belonging to the answer, and the
    features behind it.

    `novelty` is the share of its own weight that no better-ranked sentence has.
    """

    index: int
    score: float
    novelty: float
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence a claim may rest on: its index, its score, and the words of the claim it adds."""

    index: int
    score: float
    adds: tuple[str, ...]


def candidates(sentences: Sequence[str], heading: str = "", passage: str = "") -> list[Candidate]:
    """The sentences of one passage in order."""
    return [Candidate(text, index, heading, passage) for index, text in enumerate(sentences)]


def rank_sentences(question: str, sentences: Sequence[Candidate]) -> list[Ranked]:
    """All candidates, best first; a sentence that repeats better ones comes later than its score would have it."""
    rows = sentence_features(question, sentences)
    scores = [model.probability(row) for row in rows]
    stems = [prepare(sentence.text).known for sentence in sentences]
    rarity = _rarity(stems)
    weights = [math.fsum(rarity[stem] for stem in known) or 1.0 for known in stems]
    ranked: list[Ranked] = []
    left = set(range(len(sentences)))
    seen: frozenset[str] = frozenset()
    novelty = [1.0] * len(sentences)
    while left:
        best = max(left, key=lambda index: (scores[index] * (0.5 + 0.5 * novelty[index]), -index))
        ranked.append(Ranked(best, round(scores[best], 4), round(novelty[best], 4), rows[best]))
        left.discard(best)
        new = stems[best] - seen
        seen |= new
        for index in left:
            shared = new & stems[index]
            if shared:
                novelty[index] = max(0.0, novelty[index] - math.fsum(rarity[stem] for stem in shared) / weights[index])
    return ranked


def choose_sentences(question: str, sentences: Sequence[Candidate], most: int = 12) -> list[int]:
    """The indices of the sentences that make the answer, in their order: all that are likely, at least the best one."""
    ranked = rank_sentences(question, sentences)[:most]
    likely = [entry.index for entry in ranked if entry.score >= model.CHOSEN_FROM]
    return sorted(likely or [entry.index for entry in ranked[:1]])


def sentence_features(question: str, sentences: Sequence[Candidate]) -> list[dict[str, float]]:
    """The features of each candidate, named as in `sentence_model.FEATURES`."""
    language = words.language_of(question)
    wanted = claim_words(question, language)
    prepared = [prepare(sentence.text, language) for sentence in sentences]
    match = _bm25(wanted, [entry.stems for entry in prepared], telling=False)
    highest = max(match, default=0.0) or 1.0
    match = [score / highest for score in match]
    total = math.fsum(wanted.weights.values()) or 1.0
    central = _centrality([entry.stems for entry in prepared])
    most_central = max(central, default=0.0) or 1.0
    place = {(sentence.passage, sentence.position): index for index, sentence in enumerate(sentences)}
    rows = []
    for index, (sentence, entry) in enumerate(zip(sentences, prepared, strict=True)):
        beside = [place.get((sentence.passage, sentence.position + step)) for step in (-1, 1)]
        heading = frozenset(words.content_stems(sentence.heading, language))
        known = entry.known
        rows.append(
            {
                "match": match[index],
                "coverage": sum(w for stem, w in wanted.weights.items() if stem in known) / total,
                "position": 1 / (1 + sentence.position),
                "centrality": central[index] / most_central,
                "heading": len(heading & known) / len(heading) if heading else 0.0,
                "length": math.log1p(len(entry.stems)),
                "neighbours": max((match[other] for other in beside if other is not None), default=0.0),
                "refers_back": float(bool(_REFERS_BACK.match(sentence.text))),
            }
        )
    return rows


def find_evidence(claim: str, sentences: Sequence[str], k: int = 5) -> list[Evidence]:
    """The `k` sentences that best carry a claim together, best first; fewer where no more share a word with
    it.

    After each choice the words it covers count for less, so that the next one adds what is still missing.
    """
    language = words.language_of(claim)
    wanted = claim_words(claim, language)
    stems = [prepare(sentence, language).stems for sentence in sentences]
    parts = _parts(wanted, stems, telling=True)
    own = [sum(part.values()) for part in parts]
    pairs = words.bigrams(wanted.stems)
    weight = _weights(wanted, stems, telling=True)
    for index, sequence in enumerate(stems):
        if len(parts[index]) > 1:
            together = pairs & words.bigrams(sequence)
            own[index] += SIDE_BY_SIDE * sum((weight[a] + weight[b]) / 2 for a, b in together)
    score = [
        own[index] + NEIGHBOUR * (own[index - 1] * (index > 0) + (own[index + 1] if index + 1 < len(own) else 0.0)) / 2
        for index in range(len(own))
    ]
    left = {index for index, part in enumerate(parts) if part}
    times: Counter[str] = Counter()
    found: list[Evidence] = []
    while left and len(found) < k:
        best = max(left, key=lambda index: (_remaining(score[index], parts[index], times), -index))
        adds = tuple(wanted.written[stem] for stem in parts[best] if not times[stem])
        found.append(Evidence(best, round(_remaining(score[best], parts[best], times), 4), adds))
        times.update(parts[best].keys())
        left.discard(best)
    return found


def _remaining(score: float, part: Mapping[str, float], times: Mapping[str, int]) -> float:
    return score - sum(value * (1 - REPEATED ** times[stem]) for stem, value in part.items() if stem in times)


def _weights(wanted: ClaimWords, stems: Sequence[Sequence[str]], *, telling: bool) -> dict[str, float]:
    """Inverse frequency of each wanted word among the sentences, times how telling it is where asked for."""
    held = Counter(stem for sequence in stems for stem in set(sequence) & wanted.weights.keys())
    count = len(stems)
    return {
        stem: math.log(1 + (count - held[stem] + 0.5) / (held[stem] + 0.5)) * (weight if telling else 1.0)
        for stem, weight in wanted.weights.items()
    }


def _parts(wanted: ClaimWords, stems: Sequence[Sequence[str]], *, telling: bool) -> list[dict[str, float]]:
    """What each wanted word gives to the BM25 score of each sentence."""
    weights = _weights(wanted, stems, telling=telling)
    mean = sum(len(sequence) for sequence in stems) / len(stems) if stems else 0.0
    result = []
    for sequence in stems:
        norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * len(sequence) / (mean or 1.0))
        counts = Counter(stem for stem in sequence if stem in weights)
        result.append({stem: weights[stem] * n * (SATURATION + 1) / (n + norm) for stem, n in counts.items()})
    return result


def _bm25(wanted: ClaimWords, stems: Sequence[Sequence[str]], *, telling: bool) -> list[float]:
    return [sum(part.values()) for part in _parts(wanted, stems, telling=telling)]


def _rarity(stems: Sequence[frozenset[str]]) -> dict[str, float]:
    held = Counter(stem for known in stems for stem in known)
    return {stem: math.log(1 + len(stems) / count) for stem, count in held.items()}


def _centrality(stems: Sequence[Sequence[str]]) -> list[float]:
    """Mean cosine of each sentence with all others, by way of their sum, so that the work stays linear."""
    rarity = _rarity([frozenset(sequence) for sequence in stems])
    vectors = []
    middle: Counter[str] = Counter()
    for sequence in stems:
        vector = {stem: count * rarity[stem] for stem, count in Counter(sequence).items()}
        norm = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        vector = {stem: value / norm for stem, value in vector.items()}
        vectors.append(vector)
        for stem, value in vector.items():
            middle[stem] += value  # type: ignore[assignment]
    others = max(1, len(stems) - 1)
    return [sum(value * (middle[stem] - value) for stem, value in vector.items()) / others for vector in vectors]
