"""The two encoders: BM25 against its formula, latent semantics against what it promises."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from deepresearch.model.documents import Passage
from deepresearch.retrieval.dense import Entry
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.sparse import BM25, TermVector, term_number
from deepresearch.retrieval.statistics import TermStatistics


def passage(text: str, heading: tuple[str, ...] = ()) -> Passage:
    return Passage(id="p", sha256="d", start=0, end=len(text), text=text, heading_path=heading)


def weight(vector: TermVector, stem: str) -> float:
    return dict(zip(vector.indices, vector.values, strict=True)).get(term_number(stem), 0.0)


def test_a_document_weighs_as_bm25_says() -> None:
    encoder = BM25(saturation=1.2, length_normalisation=0.5, average_length=4.0)
    vector, language = encoder.encode_document(passage("The ferries crossed; the ferry sank in winter storms."))
    stems = 5  # ferri, cross, ferri, sank, winter, storm: six with repetition
    length = stems + 1
    norm = 1.2 * (0.5 + 0.5 * length / 4.0)
    assert language == "en"
    assert weight(vector, "ferri") == pytest.approx(2 * 2.2 / (2 + norm))
    assert weight(vector, "sank") == pytest.approx(1 * 2.2 / (1 + norm))
    assert weight(vector, "the") == 0.0
    assert vector.indices == sorted(set(vector.indices))


def test_headings_count_as_words_of_the_passage() -> None:
    plain, _ = BM25().encode_document(passage("It rose to 12 percent."))
    headed, _ = BM25().encode_document(passage("It rose to 12 percent.", ("Unemployment", "2024")))
    assert weight(plain, "unemploy") == 0.0
    assert weight(headed, "unemploy") > 0.0
    assert weight(headed, "rose") < weight(plain, "rose")


def test_a_question_is_stemmed_for_each_language_of_the_collection() -> None:
    question = BM25().encode_query("Häuser Preise", ["en", "de"])
    german, language = BM25().encode_document(passage("Die Häuser und der Preis sind hoch, und das ist nicht gut."))
    assert language == "de"
    assert set(question.indices) & set(german.indices)


def test_stop_words_alone_are_an_empty_question() -> None:
    assert not BM25().encode_query("what is the of")
    assert not BM25().encode_query("")
    assert BM25().encode_query("was ist das", ["en"])


def corpus(seed: int, topics: int = 6, size: int = 240) -> tuple[list[Entry], list[int]]:
    chosen = random.Random(seed)
    vocabularies = [[f"w{chr(97 + topic) * 3}{chr(97 + word) * 2}" for word in range(25)] for topic in range(topics)]
    entries, labels = [], []
    for number in range(size):
        topic = number % topics
        text = " ".join([*chosen.sample(vocabularies[topic], 8), *chosen.sample(["noise", "filler", "extra"], 1)])
        entries.append(Entry(text, BM25().encode_document(passage(text))[0]))
        labels.append(topic)
    return entries, labels


def fitted(entries: list[Entry], dimension: int = 12) -> LatentSemanticEncoder:
    encoder = LatentSemanticEncoder(dimension)
    encoder.fit(entries, TermStatistics.of([entry.terms for entry in entries], len(entries)))
    return encoder


def test_texts_of_one_topic_are_near_each_other_without_a_common_word() -> None:
    entries, labels = corpus(1)
    rows = fitted(entries, 8).encode_documents(entries)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    same: list[float] = []
    other: list[float] = []
    for one in range(60):
        for two in range(one):
            if not set(entries[one].terms.indices) & set(entries[two].terms.indices):
                (same if labels[one] == labels[two] else other).append(float(rows[one] @ rows[two]))
    assert np.mean(same) > 0.5 > np.mean(other) + 0.3


def test_a_fit_is_the_same_every_time_and_comes_back_from_bytes() -> None:
    entries, _ = corpus(2)
    one, two = fitted(entries), fitted(entries)
    again = LatentSemanticEncoder(12)
    again.from_bytes(one.to_bytes())
    expected = one.encode_documents(entries)
    np.testing.assert_array_equal(expected, two.encode_documents(entries))
    np.testing.assert_array_equal(expected, again.encode_documents(entries))
    question = one.encode_query(entries[0])
    assert question is not None
    np.testing.assert_array_equal(question, again.encode_query(entries[0]))
    with pytest.raises(ValueError, match="shape"):
        LatentSemanticEncoder(13).from_bytes(one.to_bytes())
    for broken in (b"", b"nothing", one.to_bytes()[:50]):
        with pytest.raises(ValueError, match="not what was stored"):
            again.from_bytes(broken)


def test_the_small_and_the_large_way_give_the_same_vectors() -> None:
    entries, _ = corpus(3)
    small = fitted(entries).encode_documents(entries)
    large_entries = entries * 120  # beyond the size up to which a full matrix is used
    large = fitted(entries).encode_documents(large_entries)
    np.testing.assert_allclose(small, large[: len(entries)], rtol=1e-4, atol=1e-5)


def test_fewer_passages_or_terms_than_dimensions_are_no_error() -> None:
    entry = Entry("one", TermVector([7], [1.0]))
    encoder = fitted([entry], 192)
    assert encoder.encode_documents([entry, Entry("", TermVector([], []))]).shape == (2, 192)
    assert encoder.encode_query(Entry("unknown", TermVector([8], [1.0]))) is None
    empty = fitted([Entry("", TermVector([], []))], 8)
    assert empty.encode_query(entry) is None
    assert not empty.encode_documents([entry]).any()


def test_statistics_know_rare_from_common() -> None:
    vectors = [TermVector([1, 2], [1.0, 1.0]), TermVector([1], [1.0]), TermVector([1, 3], [1.0, 1.0])]
    statistics = TermStatistics.of(vectors, 3)
    common, rare, unknown = statistics.idf_of([1, 2, 99]).tolist()
    assert common == pytest.approx(math.log1p(0.5 / 3.5), rel=1e-5)
    assert rare == pytest.approx(math.log1p(2.5 / 1.5), rel=1e-5)
    assert unknown == rare
    again = TermStatistics.from_bytes(statistics.to_bytes())
    assert (again.passages, again.idf_of([2]).tolist()) == (3, statistics.idf_of([2]).tolist())
