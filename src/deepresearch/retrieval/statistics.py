"""How common each term is, counted now and then, for the parts that cannot ask the engine."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deepresearch.retrieval.sparse import TermVector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class TermStatistics:
    """The inverse document frequencies of a collection's terms, at the time they were counted.

    `passages` is the size of the collection then; `terms` the ascending term numbers and `idf` their weights,
    both of the shape (terms,).
    """

    def __init__(self, passages: int, terms: NDArray[np.uint32], idf: NDArray[np.float32]) -> None:
        self.passages = passages
        self.terms = terms
        self.idf = idf

    @classmethod
    def of(cls, vectors: Sequence[TermVector], passages: int) -> TermStatistics:
        """Counts a sample of a collection of `passages` passages."""
        import numpy as np

        empty = np.zeros(0, np.uint32)
        flat = np.concatenate([empty, *(np.array(vector.indices, np.uint32) for vector in vectors)])
        terms, frequency = np.unique(flat, return_counts=True)
        idf = np.log1p((len(vectors) - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        return cls(passages, terms, idf)

    def idf_of(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """The weights of these terms; one that was not there counts as the rarest."""
        import numpy as np

        wanted = np.array(indices, np.uint32)
        if not len(self.terms):
            return np.ones(len(wanted), np.float32)
        places = np.minimum(np.searchsorted(self.terms, wanted), len(self.terms) - 1)
        known = self.terms[places] == wanted
        found: NDArray[np.float32] = np.where(known, self.idf[places], self.idf.max())
        return found

    def to_bytes(self) -> bytes:
        """As a NumPy archive."""
        import numpy as np

        file = io.BytesIO()
        np.savez(file, terms=self.terms, idf=self.idf, passages=np.int64(self.passages))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, state: bytes) -> TermStatistics:
        """Takes back what `to_bytes` gave. Raises `ValueError` for anything else."""
        archive = read_archive(state, ("terms", "idf", "passages"))
        return cls(int(archive["passages"]), archive["terms"], archive["idf"])


def read_archive(state: bytes, names: Sequence[str]) -> dict[str, Any]:
    """The named arrays of a NumPy archive in memory. Raises `ValueError` when it is broken or another."""
    import numpy as np

    try:
        with np.load(io.BytesIO(state), allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError("these bytes are not what was stored here") from error
