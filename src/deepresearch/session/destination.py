"""The folder a report goes to, tried before any work is done."""

from __future__ import annotations

import tempfile
from pathlib import Path

from deepresearch.model.errors import StorageError


def checked_destination(folder: Path) -> Path:
    """The folder, made if need be, after a file could be written into it. Raises `StorageError` when not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageError(
            f"The report cannot be written into {folder}: {error.strerror}. Choose another folder with --out."
        ) from error
    return folder
