"""The one interface through which passages are stored and found."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from pydantic import Field

from deepresearch.model.base import Value
from deepresearch.model.documents import Passage
from deepresearch.model.retrieval import Hit


class Filters(Value):
    """What a hit has to be. Everything given must hold; within one list, any one suffices.

    `sha256s` names documents, `kinds` the kinds of passage (``prose``, ``table``), `tags` what `upsert`
    was told. A passage without a known date never satisfies `date_from` or `date_to` (both inclusive).
    """

    sha256s: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    date_from: datetime.date | None = Field(default=None, description="The earliest date of a document.")
    date_to: datetime.date | None = Field(default=None, description="The latest date of a document.")


class Index(ABC):
    """Passages of one collection, found by words and by meaning.

    Every method may raise `IndexingError`: the folder is held by another process (the message says by
    which), the server is out of reach or too old, the index was left broken or by an unknown version, or
    the collection was made with another encoder. The message names the mend, most often ``deepresearch
    index rebuild``: the passages in the database are the truth, an index can always be made again from
    them. Writing may also raise `StorageError` (disk full, no permission). Using a closed index raises
    `IndexingError`.

    Methods may be called from several threads. What `upsert` and `delete` did is searchable when they
    return, and survives the death of the process.
    """

    @abstractmethod
    def upsert(
        self,
        passages: Iterable[Passage],
        *,
        tags: Sequence[str] = (),
        dates: Mapping[str, datetime.date] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Stores passages, replacing those of the same id, and returns how many.

        `tags` are given to each of them; `dates` maps a document's SHA-256 to its date. `progress` is
        called with the number stored so far. The passages are taken in by batches: when the iterable
        raises, those of the batches before stay.
        """

    @abstractmethod
    def search(self, text: str, limit: int = 10, filters: Filters | None = None) -> list[Hit]:
        """The passages that fit the text best, best first, at most `limit`.

        Each hit says what each leg gave to it. A text of nothing but stop words finds nothing.
        Raises `UsageError` for an empty text or a limit below 1.
        """

    @abstractmethod
    def delete(self, sha256s: Iterable[str]) -> None:
        """Removes all passages of these documents; unknown ones are no error."""

    @abstractmethod
    def documents(self) -> set[str]:
        """The SHA-256 of every document that has a passage here."""

    @abstractmethod
    def count(self) -> int:
        """The number of passages."""

    @abstractmethod
    def optimize(self) -> None:
        """Brings the index into its fastest form and returns when done. Never needed for right answers."""

    @abstractmethod
    def close(self) -> None:
        """Releases what the index holds; safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
