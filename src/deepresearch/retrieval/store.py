"""What the index needs of an engine: points with two kinds of vectors, and a place for its notes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from deepresearch.model.documents import Passage
from deepresearch.retrieval.dense import Entry
from deepresearch.retrieval.index import Filters
from deepresearch.retrieval.sparse import TermVector

SPARSE = "sparse"
DENSE_NAMES = ("dense_a", "dense_b")
KEYWORD_FIELDS = ("sha256", "kind", "tags")
INTEGER_FIELDS = ("day",)

VectorQuery = tuple[str, TermVector | list[float]]
"""The name of a vector and what to compare with it."""


@dataclass(frozen=True, slots=True)
class Point:
    """A passage as it is stored: `dense` is None where the encoder is not fitted or knows nothing of it."""

    id: int
    payload: dict[str, Any]
    sparse: TermVector
    dense: list[float] | None


@dataclass(frozen=True, slots=True)
class Vectors:
    """What is stored of a point for comparing; `dense` is the vector in use, if the point has one."""

    sparse: TermVector
    dense: list[float] | None


class PointStore(Protocol):
    """An engine. Two dense vectors are declared, of which one is in use: a new fit fills the other.

    Every method but `close` is called inside `session`.
    """

    @property
    def version(self) -> int:
        """Another number whenever somebody, here or elsewhere, may have written a note."""

    def session(self) -> AbstractContextManager[None]:
        """What happens inside is not interrupted by another user of the store."""

    def look(self) -> None:
        """Sees at once what others have written, which a session may otherwise see a little later."""

    def alone(self, *, wait: bool) -> AbstractContextManager[bool]:
        """Inside, no other process changes the collection's note or its dense vectors altogether.

        False when another does so at the moment and `wait` is False.
        """

    def write(self, points: Sequence[Point], dense_name: str) -> None:
        """Stores points, replacing those of the same id; durable on return."""

    def write_dense(self, dense_name: str, vectors: Mapping[int, list[float]]) -> None:
        """Sets one dense vector of existing points."""

    def drop_dense(self, dense_name: str) -> None:
        """Removes one dense vector from all points."""

    def search(
        self, queries: Sequence[VectorQuery], limit: int, filters: Filters | None
    ) -> list[list[tuple[int, float]]]:
        """For each query: the best points as (id, score), best first."""

    def payloads(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The payloads of these points."""

    def vectors(self, ids: Sequence[int], dense_name: str) -> dict[int, Vectors]:
        """The vectors of these points."""

    def scan(self, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """Every point with its terms, and its text if asked, by batches in the order of their ids."""

    def latecomers(self, dense_name: str, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """As `scan`, the points without this dense vector that others may have written during a change of vectors."""

    def delete(self, sha256s: Sequence[str]) -> None:
        """Removes the points of these documents; durable on return."""

    def documents(self) -> set[str]:
        """Every value of the field ``sha256``."""

    def count(self) -> int:
        """The number of points."""

    def size(self) -> int:
        """The number of points as it was some seconds ago at most; never 0 when there were any by now."""

    def read_note(self, name: str) -> bytes | None:
        """What `write_note` stored under this name."""

    def write_note(self, name: str, content: bytes) -> None:
        """Stores bytes under a name: all of them or, when the process dies, none."""

    def remove_note(self, name: str) -> None:
        """Forgets a note."""

    def optimize(self, *, wait: bool) -> None:
        """Builds the engine's search structures where that pays, in the background or until it is done."""

    def close(self) -> None:
        """Releases the engine."""


def point_id(passage_id: str) -> int:
    """The unsigned 64-bit number under which a passage is stored: the same for the same id everywhere.

    A hash: that any two of a million passages share a number has a chance of one in forty million.
    """
    return int.from_bytes(hashlib.blake2b(passage_id.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def to_payload(passage: Passage, tags: Sequence[str], day: int | None) -> dict[str, Any]:
    """A passage and its filters as a payload. `day` counts days from 1 January of year 1, which is day 1."""
    payload: dict[str, Any] = {
        "id": passage.id,
        "sha256": passage.sha256,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "kind": passage.kind,
    }
    if passage.page is not None:
        payload["page"] = passage.page
    if passage.heading_path:
        payload["heading_path"] = list(passage.heading_path)
    if tags:
        payload["tags"] = list(tags)
    if day is not None:
        payload["day"] = day
    return payload


def to_passage(payload: Mapping[str, Any]) -> Passage:
    """The passage that `to_payload` stored."""
    return Passage(
        id=payload["id"],
        sha256=payload["sha256"],
        start=payload["start"],
        end=payload["end"],
        text=payload["text"],
        kind=payload["kind"],
        page=payload.get("page"),
        heading_path=tuple(payload.get("heading_path", ())),
    )
