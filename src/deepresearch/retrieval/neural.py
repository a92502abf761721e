"""Neural sentence encoders as the dense leg, through `fastembed` (the extra ``fastembed``).

The model's files have to be on this machine already: nothing is downloaded at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.dense import Entry
from deepresearch.retrieval.statistics import TermStatistics

if TYPE_CHECKING:
    from deepresearch.retrieval.dense import Matrix, Row


class NeuralEncoder:
    """A fixed encoder: a model that `fastembed` knows by `model`, with its files in `folder`.

    Raises `IndexingError` when the extra is not installed, the model unknown, or its files not there.
    """

    version = 1
    is_fitted = True
    is_learned = False
    reads_text = True

    def __init__(self, model: str, folder: Path) -> None:
        try:
            from fastembed import TextEmbedding
        except ImportError as error:
            raise IndexingError(
                f"The encoder {model} needs the extra `fastembed`; install it with "
                "`pip install 'deepresearch[fastembed]'`, or unset the encoder."
            ) from error
        sizes = {known["model"]: known["dim"] for known in TextEmbedding.list_supported_models()}
        if model not in sizes:
            raise IndexingError(f"The encoder {model} is not one that fastembed knows; choose another.")
        if not folder.is_dir():
            raise IndexingError(
                f"The files of the encoder {model} are not in {folder}; put them there, or unset the encoder."
            )
        try:
            self._model: Any = TextEmbedding(model, specific_model_path=str(folder), local_files_only=True)
        except Exception as error:  # the runtime raises its own kinds for a broken model
            raise IndexingError(f"The encoder {model} cannot be loaded from {folder} ({error}).") from error
        self._name = model
        self._dimension = int(sizes[model])

    @property
    def name(self) -> str:
        """The model's name."""
        return self._name

    @property
    def dimension(self) -> int:
        """The length of every vector."""
        return self._dimension

    def fit(self, entries: Sequence[Entry], statistics: TermStatistics) -> None:
        """Nothing: the model is fixed."""

    def encode_documents(self, entries: Sequence[Entry]) -> Matrix:
        """Shape (entries, dimension), float32."""
        import numpy as np

        rows = list(self._model.passage_embed([entry.text for entry in entries]))
        encoded: Matrix = np.asarray(rows, np.float32).reshape(len(entries), self._dimension)
        return encoded

    def encode_query(self, entry: Entry) -> Row | None:
        """Shape (dimension,), float32."""
        import numpy as np

        row: Row = np.asarray(next(iter(self._model.query_embed(entry.text))), np.float32)
        return row

    def to_bytes(self) -> bytes:
        """Empty: nothing was learned."""
        return b""

    def from_bytes(self, state: bytes) -> None:
        """Nothing was learned. Raises `ValueError` for the state of another encoder."""
        if state:
            raise ValueError("a neural encoder has no learned state")
