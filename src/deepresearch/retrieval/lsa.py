"""Latent semantic analysis over the BM25 terms: a dense leg that needs no download.

Deerwester et al., "Indexing by Latent Semantic Analysis" (1990), with the term weights of BM25 in place
of raw counts, solved by randomised subspace iteration (Halko, Martinsson and Tropp, 2011). A new passage
is folded in: its weighted terms times the learned term vectors. Words that were not there when the
vectors were learned add nothing until the next fit, which `wants_fit` asks for once the collection has
doubled.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from deepresearch.retrieval.dense import Entry

if TYPE_CHECKING:
    import numpy as np

    from deepresearch.retrieval.dense import Matrix, Row


class LatentSemanticEncoder:
    """A fitted encoder.

    `dimension` is the number of latent directions kept, `sample` the most passages a fit looks at,
    `vocabulary` the most terms it keeps (the most frequent ones), `growth` by which factor the
    collection may grow before it wants another fit.
    """

    name = "latent-semantic"
    version = 1

    def __init__(
        self, dimension: int = 256, sample: int = 20_000, vocabulary: int = 60_000, growth: float = 2.0
    ) -> None:
        self._dimension = dimension
        self._sample = sample
        self._vocabulary = vocabulary
        self._growth = growth
        self._passages = 0
        self._terms: Any = None  # ascending term numbers, uint32, shape (terms,)
        self._vectors: Any = None  # float32, shape (terms, dimension): term vectors times their idf

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return self._dimension

    @property
    def is_fitted(self) -> bool:
        """Whether a fit has been made or taken back."""
        return self._terms is not None

    def wants_fit(self, passages: int) -> bool:
        """True before the first fit and whenever the collection has grown by `growth` since the last."""
        if passages == 0:
            return False
        return not self.is_fitted or passages >= self._growth * self._passages

    def fit(self, entries: Iterable[Entry], passages: int) -> None:
        """Learns the term vectors from an even sample of the entries."""
        import numpy as np  # noqa: PLC0415

        stride = max(1, -(-passages // self._sample))
        chosen = [entry for number, entry in enumerate(entries) if number % stride == 0]
        counts = np.array([len(entry.terms.indices) for entry in chosen], dtype=np.int64)
        flat = np.concatenate(
            [np.zeros(0, np.uint32), *(np.array(entry.terms.indices, dtype=np.uint32) for entry in chosen)]
        )
        terms, frequency = np.unique(flat, return_counts=True)
        if len(terms) > self._vocabulary:
            kept = np.sort(np.argsort(-frequency, kind="stable")[: self._vocabulary])
            terms, frequency = terms[kept], frequency[kept]
        idf = np.log1p((len(chosen) - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        matrix = self._weighted(chosen, counts, terms, idf)
        self._terms = terms
        vectors = idf[:, None] * _term_vectors(matrix, self._dimension)
        self._vectors = vectors.astype(np.float16).astype(np.float32)  # as it will be read back
        self._passages = passages

    def encode_documents(self, entries: Sequence[Entry]) -> Matrix:
        """Folds passages in. Shape (entries, dimension), float32; zeros where no term is known."""
        import numpy as np  # noqa: PLC0415

        counts = np.array([len(entry.terms.indices) for entry in entries], dtype=np.int64)
        matrix = self._weighted(entries, counts, self._terms, np.ones(len(self._terms), np.float32), unit=False)
        folded: Matrix = np.asarray(matrix @ self._vectors, dtype=np.float32)
        return folded

    def encode_query(self, entry: Entry) -> Row | None:
        """The question's terms in the latent space, or None when none of them is known."""
        import numpy as np  # noqa: PLC0415

        wanted = np.array(entry.terms.indices, dtype=np.uint32)
        if not len(wanted) or not len(self._terms):
            return None
        places = np.minimum(np.searchsorted(self._terms, wanted), len(self._terms) - 1)
        known = self._terms[places] == wanted
        if not known.any():
            return None
        weights = np.array(entry.terms.values, dtype=np.float32)[known]
        row: Row = weights @ self._vectors[places[known]].astype(np.float32)
        return row if float(row @ row) > 0.0 else None

    def to_bytes(self) -> bytes:
        """The learned vectors as a NumPy archive."""
        import numpy as np  # noqa: PLC0415

        file = io.BytesIO()
        np.savez(
            file,
            terms=self._terms,
            vectors=self._vectors.astype(np.float16),
            passages=np.int64(self._passages),
        )
        return file.getvalue()

    def from_bytes(self, state: bytes) -> None:
        """Takes back what `to_bytes` gave. Raises `ValueError` for anything else."""
        import zipfile  # noqa: PLC0415

        import numpy as np  # noqa: PLC0415

        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as archive:
                terms, vectors = archive["terms"], archive["vectors"].astype(np.float32)
                passages = int(archive["passages"])
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError("these bytes hold no latent semantic encoder") from error
        if vectors.shape != (len(terms), self._dimension):
            raise ValueError(f"the stored vectors have the shape {vectors.shape}, not (*, {self._dimension})")
        self._terms, self._vectors, self._passages = terms, vectors, passages

    @staticmethod
    def _weighted(
        entries: Sequence[Entry], counts: Any, terms: np.ndarray[Any, Any], weights: Any, *, unit: bool = True
    ) -> Any:
        """The entries' known terms times `weights` as a sparse matrix (entries, terms)."""
        import numpy as np  # noqa: PLC0415
        from scipy.sparse import csr_array  # noqa: PLC0415

        wanted = np.concatenate([np.zeros(0, np.uint32), *(np.array(e.terms.indices, np.uint32) for e in entries)])
        values = np.concatenate([np.zeros(0, np.float32), *(np.array(e.terms.values, np.float32) for e in entries)])
        rows = np.repeat(np.arange(len(entries)), counts)
        if len(terms):
            places = np.minimum(np.searchsorted(terms, wanted), len(terms) - 1)
            known = terms[places] == wanted
            rows, places, values = rows[known], places[known], values[known] * weights[places[known]]
        else:
            rows, places, values = rows[:0], rows[:0], values[:0]
        if unit:
            norms = np.sqrt(np.bincount(rows, values * values, minlength=len(entries))).astype(np.float32)
            values = values / norms[rows]
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(entries)))])
        return csr_array((values, places, starts), shape=(len(entries), len(terms)))


def _term_vectors(matrix: Any, rank: int) -> Any:
    """The leading right singular vectors of a sparse matrix (documents, terms): shape (terms, rank)."""
    import numpy as np  # noqa: PLC0415

    documents, terms = matrix.shape
    found = min(rank, documents, terms)
    vectors = np.zeros((terms, rank), np.float32)
    if found == 0:
        return vectors
    width = min(found + 20, documents, terms)
    random = np.random.default_rng(0)  # a fixed seed: the same passages give the same vectors
    basis = matrix @ random.standard_normal((terms, width), dtype=np.float32)
    for _ in range(3):
        basis, _ = np.linalg.qr(basis)
        basis = matrix @ (matrix.T @ basis)
    basis, _ = np.linalg.qr(basis)
    small = (matrix.T @ basis).T
    _, _, right = np.linalg.svd(small, full_matrices=False)
    vectors[:, :found] = right[:found].T
    return vectors
