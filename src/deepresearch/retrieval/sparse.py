"""BM25 as sparse vectors: term weights here, the inverse document frequency in the engine.

A passage's vector holds, for each stem, the saturated term frequency of BM25 (Robertson and Zaragoza,
"The Probabilistic Relevance Framework: BM25 and Beyond", 2009); a question's vector holds 1 for each
stem. Qdrant's IDF modifier multiplies by ``ln(1 + (N - n + 0.5) / (n + 0.5))`` with the counts of the
moment, so passages can be added and removed at any time without touching the others. The average length
is fixed when a collection is made, for the same reason.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepresearch.model.documents import Passage
from deepresearch.retrieval.stopwords import STOP_WORDS
from deepresearch.retrieval.tokens import DEFAULT_LANGUAGE, language_of, stems_of, terms_of


@dataclass(frozen=True, slots=True)
class TermVector:
    """Term numbers (unsigned 32 bit, ascending, each once) and their weights."""

    indices: list[int]
    values: list[float]

    def __bool__(self) -> bool:
        return bool(self.indices)


@dataclass(frozen=True, slots=True)
class BM25:
    """The sparse encoder.

    `saturation` is BM25's k1, `length_normalisation` its b, `average_length` the expected number of stems
    in a passage, `heading_weight` how many occurrences a word in a passage's heading path counts for.
    """

    saturation: float = 1.5
    length_normalisation: float = 0.75
    average_length: float = 90.0
    heading_weight: float = 1.0

    def encode_document(self, passage: Passage) -> tuple[TermVector, str | None]:
        """A passage's weights, and the language its stems were made for (None when it could not be told)."""
        terms = terms_of(passage.text)
        language = language_of(terms)
        stems = stems_of(terms, language or DEFAULT_LANGUAGE)
        counts: dict[str, float] = dict(Counter(stems))
        length = float(len(stems))
        if passage.heading_path and self.heading_weight:
            heading = stems_of(terms_of(" ".join(passage.heading_path)), language or DEFAULT_LANGUAGE)
            for stem in heading:
                counts[stem] = counts.get(stem, 0.0) + self.heading_weight
            length += self.heading_weight * len(heading)
        k, b = self.saturation, self.length_normalisation
        norm = k * (1.0 - b + b * length / self.average_length)
        return _vector((stem, count * (k + 1.0) / (count + norm)) for stem, count in counts.items()), language

    def encode_query(self, text: str, languages: Sequence[str] = ()) -> TermVector:
        """A question's terms, each with weight 1.

        `languages` are those of the collection: the question is stemmed for each of them, since a few words
        rarely tell their language. Empty when the text holds nothing but stop words.
        """
        known = [name for name in languages if name in STOP_WORDS] or [DEFAULT_LANGUAGE]
        terms = terms_of(text)
        spoken = language_of(terms, known) or (DEFAULT_LANGUAGE if DEFAULT_LANGUAGE in known else known[0])
        kept = [term for term in terms if term not in STOP_WORDS[spoken]]
        stems = {stem: 1.0 for name in known for stem in stems_of(kept, name)}
        return _vector(stems.items())


def term_number(stem: str) -> int:
    """The same unsigned 32-bit number for a stem on every machine (CRC-32)."""
    return zlib.crc32(stem.encode("utf-8", "surrogatepass"))


def _vector(weights: Iterable[tuple[str, float]]) -> TermVector:
    by_number: dict[int, float] = {}
    for stem, weight in weights:
        number = term_number(stem)
        by_number[number] = by_number.get(number, 0.0) + weight
    indices = sorted(by_number)
    return TermVector(indices, [by_number[number] for number in indices])
