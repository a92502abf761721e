"""Latent semantic analysis over the BM25 terms: a dense leg that needs no download.

Deerwester et al., "Indexing by Latent Semantic Analysis" (1990), with the term weights of BM25 in place
of raw counts, solved by randomised subspace iteration (Halko, Martinsson and Tropp, 2011). A new passage
is folded in: its weighted terms times the learned term vectors. Words that were not there when the
vectors were learned add nothing until the next fit, which the index makes when the collection has doubled.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from deepresearch.retrieval.dense import Entry
from deepresearch.retrieval.statistics import TermStatistics, read_archive

if TYPE_CHECKING:
    from deepresearch.retrieval.dense import Matrix, Row


_DENSE_CELLS = 4_000_000  # up to this size a full matrix is quicker than loading SciPy
_FEW_DOCUMENTS = 400  # up to here all inner products are quicker than subspace iteration
_ROUNDS = 3
_SMALLEST = 1e-9  # relative to the largest: squares of singular values below it are rounding


class LatentSemanticEncoder:
    """A fitted encoder.

    `dimension` is the number of latent directions kept, `vocabulary` the most terms (the most frequent
    ones) that get a vector.
    """

    name = "latent-semantic"
    version = 1
    is_learned = True
    reads_text = False

    def __init__(self, dimension: int = 192, vocabulary: int = 60_000) -> None:
        self._dimension = dimension
        self._vocabulary = vocabulary
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

    def fit(self, entries: Sequence[Entry], statistics: TermStatistics) -> None:
        """Learns the term vectors from an even sample of the collection."""
        import numpy as np

        terms, idf = statistics.terms, statistics.idf
        if len(terms) > self._vocabulary:  # the lower the idf, the more passages a term is in
            kept = np.sort(np.argsort(idf, kind="stable")[: self._vocabulary])
            terms, idf = terms[kept], idf[kept]
        with _one_thread():
            vectors = idf[:, None] * _term_vectors(_weighted(entries, terms, idf), self._dimension)
        self._terms = terms
        self._vectors = vectors.astype(np.float16).astype(np.float32)  # as it will be read back

    def encode_documents(self, entries: Sequence[Entry]) -> Matrix:
        """Folds passages in. Shape (entries, dimension), float32; zeros where no term is known."""
        import numpy as np

        known = _weighted(entries, self._terms, np.ones(len(self._terms), np.float32), unit=False)
        with _one_thread():
            folded: Matrix = np.asarray(known @ self._vectors, dtype=np.float32)
        return folded

    def encode_query(self, entry: Entry) -> Row | None:
        """The question's terms in the latent space, or None when none of them is known."""
        import numpy as np

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
        import numpy as np

        file = io.BytesIO()
        np.savez(file, terms=self._terms, vectors=self._vectors.astype(np.float16))
        return file.getvalue()

    def from_bytes(self, state: bytes) -> None:
        """Takes back what `to_bytes` gave. Raises `ValueError` for anything else."""
        archive = read_archive(state, ("terms", "vectors"))
        terms, vectors = archive["terms"], archive["vectors"].astype("float32")
        if vectors.shape != (len(terms), self._dimension):
            raise ValueError(f"the stored vectors have the shape {vectors.shape}, not (*, {self._dimension})")
        self._terms, self._vectors = terms, vectors


def _one_thread() -> AbstractContextManager[Any]:
    """Keeps linear algebra to one thread: its threads wait by spinning, and a busy machine makes that 20
    times slower.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


def _weighted(entries: Sequence[Entry], terms: Any, weights: Any, *, unit: bool = True) -> Any:
    """The entries' known terms times `weights`: a matrix (entries, terms), rows of unit length if `unit`.

    Sparse, except when it is small: then SciPy need not be loaded, which takes longer than the work.
    """
    import numpy as np

    wanted = np.concatenate([np.zeros(0, np.uint32), *(np.array(e.terms.indices, np.uint32) for e in entries)])
    values = np.concatenate([np.zeros(0, np.float32), *(np.array(e.terms.values, np.float32) for e in entries)])
    rows = np.repeat(np.arange(len(entries)), [len(entry.terms.indices) for entry in entries])
    places = np.minimum(np.searchsorted(terms, wanted), max(len(terms) - 1, 0))
    known = terms[places] == wanted if len(terms) else np.zeros(len(wanted), bool)
    rows, places = rows[known], places[known]
    values = values[known] * weights[places]
    if unit:
        norms = np.sqrt(np.bincount(rows, values * values, minlength=len(entries))).astype(np.float32)
        values = values / norms[rows]
    shape = (len(entries), len(terms))
    if shape[0] * shape[1] <= _DENSE_CELLS:
        full = np.zeros(shape, np.float32)
        full[rows, places] = values
        return full
    from scipy.sparse import csr_array

    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(entries)))])
    return csr_array((values, places, starts), shape=shape)


def _term_vectors(matrix: Any, rank: int) -> Any:
    """The leading right singular vectors of a matrix (documents, terms): shape (terms, rank), zeros where
    none.
    """
    import numpy as np

    documents, terms = matrix.shape
    vectors = np.zeros((terms, rank), np.float32)
    if documents == 0 or terms == 0:
        return vectors
    if documents <= _FEW_DOCUMENTS:
        basis = np.eye(documents, dtype=np.float32)
        gram = matrix @ matrix.T
        small = gram if isinstance(gram, np.ndarray) else gram.toarray()
    else:
        random = np.random.default_rng(0)  # a fixed seed: the same passages give the same vectors
        width = min(rank + 20, documents, terms)
        basis = random.standard_normal((documents, width), dtype=np.float32)
        for _ in range(_ROUNDS):
            basis, _ = np.linalg.qr(matrix @ (matrix.T @ basis))
        projected = matrix.T @ basis
        small = projected.T @ projected
    values, directions = np.linalg.eigh(small.astype(np.float64))
    strongest = np.argsort(-values)[:rank]
    strongest = strongest[values[strongest] > _SMALLEST * max(float(values.max()), _SMALLEST)]
    left = (directions[:, strongest] / np.sqrt(values[strongest])).astype(np.float32)
    vectors[:, : len(strongest)] = matrix.T @ (basis @ left)
    return vectors
