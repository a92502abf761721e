"""A fixed encoder behind the index, and what a person reads when a neural model is not there."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError
from deepresearch.retrieval import EmbeddedIndex
from deepresearch.retrieval.dense import Encoder, Entry
from deepresearch.retrieval.neural import NeuralEncoder
from deepresearch.retrieval.statistics import TermStatistics

if TYPE_CHECKING:
    from deepresearch.retrieval.dense import Matrix, Row


class LetterPairs:
    """A small fixed encoder: hashed pairs of letters."""

    name = "letter-pairs"
    version = 1
    dimension = 64
    is_fitted = True
    is_learned = False
    reads_text = True

    def fit(self, entries: Sequence[Entry], statistics: TermStatistics) -> None: ...

    def encode_documents(self, entries: Sequence[Entry]) -> Matrix:
        return np.stack([self._row(entry.text) for entry in entries])

    def encode_query(self, entry: Entry) -> Row | None:
        return self._row(entry.text)

    def _row(self, text: str) -> Row:
        row = np.zeros(self.dimension, np.float32)
        for one, two in zip(text.lower(), text.lower()[1:], strict=False):
            row[(ord(one) * 31 + ord(two)) % self.dimension] += 1.0
        return row

    def to_bytes(self) -> bytes:
        return b""

    def from_bytes(self, state: bytes) -> None:
        assert state == b""


def encoder() -> Encoder:
    return LetterPairs()


def test_a_fixed_encoder_keeps_its_vectors_while_the_collection_grows(tmp_path: Path) -> None:
    texts = [
        f"Ferry number {number} crosses the fjord in the {season}."
        for number in range(60)
        for season in ("summer", "winter")
    ]
    passages = [
        Passage(id=f"p{place}", sha256=f"d{place}", start=0, end=len(text), text=text)
        for place, text in enumerate(texts)
    ]
    with EmbeddedIndex(tmp_path / "index", encoder) as index:
        index.upsert(passages[:20])
        assert index.search(texts[7])[0].legs["dense"].rank == 1
        index.upsert(passages)
        hit = index.search(texts[101])[0]
        assert hit.passage == passages[101]
        assert hit.legs["dense"].rank == 1
    with EmbeddedIndex(tmp_path / "index", encoder) as index:
        assert index.search(texts[101])[0].passage == passages[101]
    with pytest.raises(IndexingError, match=r"letter-pairs.*deepresearch index rebuild"):
        EmbeddedIndex(tmp_path / "index")


@pytest.mark.skipif(find_spec("fastembed") is not None, reason="the extra `fastembed` is installed")
def test_without_the_extra_the_message_names_it(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match=r"pip install 'deepresearch\[fastembed\]'"):
        NeuralEncoder("BAAI/bge-small-en-v1.5", tmp_path)


@pytest.mark.skipif(find_spec("fastembed") is None, reason="the extra `fastembed` is not installed")
def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match="not one that fastembed knows"):
        NeuralEncoder("no/such-model", tmp_path)
    with pytest.raises(IndexingError, match="put them there"):
        NeuralEncoder("BAAI/bge-small-en-v1.5", tmp_path / "nowhere")
    with pytest.raises(IndexingError, match="cannot be loaded"):
        NeuralEncoder("BAAI/bge-small-en-v1.5", tmp_path)
