"""Removes what programs that died left behind: control groups, unfinished builds, half-made workers.

The kernel ends a worker when the program that started it dies. What can stay is a bubblewrap whose program died in the
very moment it made its namespaces: its first process then waits for ever to be told that its users are mapped.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
from pathlib import Path

from deepresearch.sandbox.backend import Leftovers
from deepresearch.sandbox.cgroups import Cgroups, remove_folder
from deepresearch.sandbox.owners import PROCESS_PREFIX, Owner


class BubblewrapReaper:
    """Keeps one record per living program in `home`/owners: where its control groups lie."""

    def __init__(self, home: Path, owner: Owner) -> None:
        self._records = home / "owners"
        self._owner = owner
        self._record = self._records / f"{owner.label}.json"

    def register(self, cgroups: Cgroups) -> None:
        """Write down where this program makes groups, before it makes any."""
        self._records.mkdir(parents=True, exist_ok=True)
        aside = self._record.with_suffix(".new")
        aside.write_text(json.dumps(sorted({str(parent) for parent in cgroups.parents.values()})))
        os.replace(aside, self._record)  # noqa: PTH105

    def unregister(self) -> None:
        """Forget this program."""
        self._record.unlink(missing_ok=True)

    async def reap(self, folders: list[Path]) -> Leftovers:
        """Remove the groups of dead programs, then their records, then the given folders."""
        groups: list[str] = []
        parents: set[Path] = set()
        dead: list[Path] = []
        for record in sorted(self._records.glob("*")) if self._records.is_dir() else []:
            owner = Owner.from_label(record.name.partition(".")[0])
            if owner is not None and owner.is_dead():
                dead.append(record)
                parents |= _parents(record)
        for parent in sorted(parents):
            if not parent.is_dir():
                continue
            for folder in sorted(path for path in parent.iterdir() if path.is_dir()):
                owner = Owner.from_label(folder.name.rpartition("-")[0])
                if owner is not None and owner.is_dead():
                    await remove_folder(folder)
                    groups.append(str(folder))
            with contextlib.suppress(OSError):  # A living program uses it too, or made a group this moment.
                parent.rmdir()
        workers = [str(pid) for pid in _half_made() if _end(pid)]
        for record in dead:
            record.unlink(missing_ok=True)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        return Leftovers(
            workers=tuple(workers), cgroups=tuple(groups), folders=tuple(str(folder) for folder in folders)
        )


def _half_made() -> list[int]:
    """Processes that carry the label of a dead owner."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name = (folder / "cmdline").read_bytes().partition(b"\0")[0].decode()
        except (OSError, UnicodeDecodeError):
            continue
        if name.startswith(PROCESS_PREFIX):
            owner = Owner.from_label(name.removeprefix(PROCESS_PREFIX))
            if owner is not None and owner.is_dead():
                found.append(int(folder.name))
    return found


def _end(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _parents(record: Path) -> set[Path]:
    try:
        return {Path(text) for text in json.loads(record.read_text()) if str(text).startswith("/sys/fs/cgroup/")}
    except (OSError, ValueError):
        return set()
