"""Room on the disk, asked for before it is needed: engines that map files into memory die when a disk fills."""

from __future__ import annotations

import os
from pathlib import Path

from deepresearch.model.errors import StorageError

MEGABYTE = 1_000_000


def need_room(folder: Path, size: int, purpose: str) -> None:
    """Raise `StorageError` unless `size` bytes are free for this user where `folder` is or will be."""
    existing = folder
    while not existing.exists():
        existing = existing.parent
    there = os.statvfs(existing)
    free = there.f_bavail * there.f_frsize
    if free < size:
        raise StorageError(
            f"The disk of {folder} has {free / MEGABYTE:.0f} MB free; {purpose} takes up to {size / MEGABYTE:.0f} MB. "
            "Make room there, or set DEEPRESEARCH_HOME to a folder on another disk."
        )
