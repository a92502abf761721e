"""Large bytes by their hash, in a folder."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from deepresearch.model.errors import StorageError

_SHA256 = re.compile(r"[0-9a-f]{64}")


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
