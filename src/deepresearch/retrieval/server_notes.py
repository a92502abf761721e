"""What is written down about a collection of a Qdrant server: in a second collection, so that every process reads it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.server_requests import status_of

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_Result = TypeVar("_Result")

#: Behind a collection's name, the name of its notes. No collection that people name has this character.
SUFFIX = "+notes"

_PART = 3_000_000  # bytes of a note in one point
_SPACE = uuid.UUID("0b6c1d52-52c8-5f0e-8f2b-0b7b0f8c4c1e")
_STAMP = "stamp"


class Call(Protocol):
    """Makes a request with the patience and the messages of a collection."""

    def __call__(self, request: Callable[[], _Result], /) -> _Result:
        """What the request gives. Raises `IndexingError`."""


class ServerNotes:
    """Notes by name, and small records that processes leave each other. Methods raise `IndexingError`."""

    def __init__(self, client: QdrantClient, collection: str, call: Call) -> None:
        from qdrant_client import models

        self._client = client
        self._models = models
        self._collection = collection
        self._call = call
        self._stamp: str | None = None

    def make(self) -> None:
        """Makes the collection of the notes, unless it is there."""
        if not self._call(lambda: self._client.collection_exists(self._collection)):
            make_collection(self._client, self._collection, self._call, vectors_config={})

    def have_changed(self) -> bool:
        """Whether another process has written one since the last look."""
        stamp = (self.record(_STAMP) or {}).get("content")
        changed = stamp != self._stamp
        self._stamp = stamp
        return changed

    def read(self, name: str) -> bytes | None:
        """What `write` stored under this name; None when it was never whole."""
        first = self.record(name)
        if first is None:
            return None
        parts = [first["content"]]
        for place in range(1, first["parts"]):
            part = self.record(name, place)
            if part is None or part["written"] != first["written"]:
                return None
            parts.append(part["content"])
        return b"".join(base64.b64decode(part) for part in parts)

    def write(self, name: str, content: bytes) -> None:
        """Stores bytes under a name; the first part goes last and makes the others count."""
        written = uuid.uuid4().hex
        parts = [content[start : start + _PART] for start in range(0, max(1, len(content)), _PART)]
        for place in reversed(range(len(parts))):
            text = base64.b64encode(parts[place]).decode("ascii")
            self.leave(name, {"written": written, "parts": len(parts), "content": text}, place)
        self._stamp = written
        self.leave(_STAMP, {"content": written})

    def remove(self, name: str) -> None:
        """Forgets a note."""
        first = self.record(name)
        for place in range(first.get("parts", 1) if first is not None else 0):
            self.take_away(name, place)

    def record(self, name: str, place: int = 0) -> dict[str, Any] | None:
        """One record as `leave` left it."""
        key = _key(name, place)
        found = self._call(lambda: self._client.retrieve(self._collection, [key], with_payload=True))
        return found[0].payload if found else None

    def leave(self, name: str, payload: dict[str, Any], place: int = 0) -> None:
        """Leaves a record for others, in place of the one that is there."""
        point = self._models.PointStruct(id=_key(name, place), vector={}, payload={"name": name, **payload})
        self._call(lambda: self._client.upsert(self._collection, [point], wait=True))

    def take_away(self, name: str, place: int = 0) -> None:
        """Removes a record."""
        selector = self._models.PointIdsList(points=[_key(name, place)])
        self._call(lambda: self._client.delete(self._collection, selector, wait=True))


def make_collection(client: QdrantClient, name: str, call: Call, **options: Any) -> None:
    """Makes a collection; no error when another process was quicker."""
    try:
        call(lambda: client.create_collection(name, **options))
    except IndexingError as error:
        if status_of(error) != 409:
            raise


def _key(name: str, place: int) -> str:
    return str(uuid.uuid5(_SPACE, f"{name}/{place}"))
