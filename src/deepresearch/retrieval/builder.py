"""Builds a faster shard beside the one in use, in a process of its own.

The engine holds Python's interpreter while it builds a graph, for minutes on a large collection, and
needs several times the memory of a search. So a child process copies the shard, builds on the copy while
the collection goes on being searched and written, brings the copy up to date, and changes over:

1. under the folder's lock: the shard in use is copied to ``building``; from now on, whoever writes also
   notes the ids in ``changes``;
2. without the lock: the graph is built; 3. under the lock: the noted points are copied over, ``building``
becomes ``shard-N+1``, the note ``current`` is
   replaced, the old shard goes.

Killed anywhere, it leaves the shard in use as it was. A second builder ends at once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deepresearch.model.errors import DeepResearchError, IndexingError
from deepresearch.retrieval.embedded import BUILDING, CHANGES, CURRENT, current_shard, replace_file
from deepresearch.retrieval.folder_lock import FolderLock
from deepresearch.retrieval.shard import Shard

_PATIENCE = 3_600.0  # seconds to wait for the folder; the holder lets go between two operations
_BATCH = 1_000


def start_builder(folder: Path) -> subprocess.Popen[bytes]:
    """Starts the child. It outlives its parent; its standard error tells why it failed."""
    return subprocess.Popen(
        [sys.executable, "-m", "deepresearch.retrieval.builder", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


def build(folder: Path, improve: Callable[[Shard], None] = Shard.optimize) -> bool:
    """Builds in this process. Returns whether the collection changed over; not, when another is at it.

    `improve` is what is done to the copy.
    """
    turn = FolderLock(folder, "builder")
    try:
        turn.acquire(0.0)
    except IndexingError:
        return False
    try:
        return _build(folder, improve)
    finally:
        turn.release()


def _build(folder: Path, improve: Callable[[Shard], None]) -> bool:
    building, changes, lock = folder / BUILDING, folder / CHANGES, FolderLock(folder)
    part = folder / f"{BUILDING}.part"
    lock.acquire(_PATIENCE)
    try:
        for rest in (building, part):
            shutil.rmtree(rest, ignore_errors=True)
        changes.unlink(missing_ok=True)
        source = current_shard(folder)
        for stale in folder.glob("shard-*"):
            if stale != source:
                shutil.rmtree(stale, ignore_errors=True)
        shutil.copytree(source, part)
        part.rename(building)
    finally:
        lock.release()

    shard = Shard(building, None)
    improve(shard)
    lock.acquire(_PATIENCE)
    try:
        if not building.exists():  # every vector was made anew meanwhile
            return False
        if changes.exists():
            ids = [int(line) for line in dict.fromkeys(changes.read_text("ascii").split())]
            old = Shard(source, None)
            for start in range(0, len(ids), _BATCH):
                old.copy_points(ids[start : start + _BATCH], shard)
            old.close()
        shard.close()
        target = folder / f"shard-{int(source.name.rpartition('-')[2]) + 1}"
        building.rename(target)
        replace_file(folder / CURRENT, target.name.encode())
        changes.unlink(missing_ok=True)
        shutil.rmtree(source, ignore_errors=True)
        return True
    finally:
        lock.release()


def main() -> int:
    """The child's entry point: one argument, the folder."""
    os.nice(10)
    try:
        build(Path(sys.argv[1]))
    except DeepResearchError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
