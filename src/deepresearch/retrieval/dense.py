"""The dense leg's contract: what turns passages and questions into vectors of one length.

Two kinds of encoder meet it. A *fixed* one (a neural model) encodes any text from the start: its `fit` does
nothing. A *fitted* one (`deepresearch.retrieval.lsa`) learns from the collection's own passages: it takes in
new ones by folding them into what it knows, and the index fits it again once the collection has doubled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from deepresearch.retrieval.sparse import TermVector
from deepresearch.retrieval.statistics import TermStatistics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]
    Row = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage or a question as an encoder sees it: its text and its BM25 terms."""

    text: str
    terms: TermVector


class Encoder(Protocol):
    """Texts to vectors. Vectors need no unit length: the index compares by cosine.

    `name` and `version` tell encoders apart whose vectors must not be mixed; `dimension` is their length.
    """

    @property
    def name(self) -> str:
        """A short name, stored with the collection."""

    @property
    def version(self) -> int:
        """Raised when the same text would get another vector."""

    @property
    def dimension(self) -> int:
        """The length of every vector."""

    @property
    def is_fitted(self) -> bool:
        """Whether `encode_documents` and `encode_query` can be called; always true for a fixed encoder."""

    @property
    def is_learned(self) -> bool:
        """Whether it is a fitted encoder, whose vectors change with every fit."""

    @property
    def reads_text(self) -> bool:
        """Whether it uses an entry's text; one that uses only its terms is given empty texts on a fit."""

    def fit(self, entries: Sequence[Entry], statistics: TermStatistics) -> None:
        """Learns from a fair sample of the collection and its statistics; a fixed encoder does nothing."""

    def encode_documents(self, entries: Sequence[Entry]) -> Matrix:
        """Shape (entries, dimension), float32; a row of zeros for a text of which nothing is known."""

    def encode_query(self, entry: Entry) -> Row | None:
        """Shape (dimension,), float32; None for a question of which nothing is known."""

    def to_bytes(self) -> bytes:
        """What was learned, for `from_bytes`; empty for a fixed encoder."""

    def from_bytes(self, state: bytes) -> None:
        """Takes back what `to_bytes` gave. Raises `ValueError` for anything else."""
