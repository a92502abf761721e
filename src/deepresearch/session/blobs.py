"""Large bytes by their hash: in a folder, or in the database where workers share no disk."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert

from deepresearch.model.errors import StorageError
from deepresearch.session import tables

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Blobs(Protocol):
    """Bytes by their SHA-256."""

    def put(self, content: bytes) -> str:
        """Store `content` and return its SHA-256; the same bytes again change nothing."""
        ...

    def get(self, sha256: str) -> bytes:
        """Return the bytes. Raises `StorageError` when they are not there or not what their name says."""
        ...

    def remove(self, sha256: str) -> None:
        """Delete the bytes if they are there."""
        ...


class DatabaseBlobs:
    """Rows of a table, each found by the SHA-256 of its content, within reach of every worker."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def put(self, content: bytes) -> str:
        """See `Blobs`."""
        sha256 = hashlib.sha256(content).hexdigest()
        with self._engine.begin() as connection:
            connection.execute(
                postgres_insert(tables.blobs)
                .values(sha256=sha256, content=content, created_at=datetime.now(UTC).isoformat())
                .on_conflict_do_nothing()
            )
        return sha256

    def get(self, sha256: str) -> bytes:
        """See `Blobs`."""
        with self._engine.connect() as connection:
            content = connection.execute(
                sa.select(tables.blobs.c.content).where(tables.blobs.c.sha256 == sha256)
            ).scalar()
        if content is None:
            raise StorageError(f"The stored file {sha256} is missing from the database.")
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StorageError(f"The stored file {sha256} in the database is damaged.")
        return bytes(content)

    def remove(self, sha256: str) -> None:
        """See `Blobs`."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(tables.blobs).where(tables.blobs.c.sha256 == sha256))


class BlobStore:
    """A folder of files named after the SHA-256 of their content. Writing the same bytes twice is one file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, content: bytes) -> str:
        """Store `content` and return its SHA-256. A crash leaves either the whole file or none."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self._path(sha256)
        if target.exists():
            return sha256
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(target)
        except OSError as error:
            raise StorageError(
                f"{self._root} cannot take {len(content)} bytes: {error.strerror}. Make room or set DEEPRESEARCH_HOME."
            ) from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the bytes. Raises `StorageError` when they are not there or not what their name says."""
        try:
            content = self._path(sha256).read_bytes()
        except OSError as error:
            raise StorageError(f"The stored file {sha256} is missing from {self._root}.") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StorageError(f"The stored file {sha256} in {self._root} is damaged.")
        return content

    def remove(self, sha256: str) -> None:
        """Delete the bytes if they are there."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise StorageError(f"{sha256!r} is not the name of a stored file.")
        return self._root / sha256[:2] / sha256
