"""Who owns what on this machine, so that what a dead program left behind can be told from what a living one uses."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: What the processes of a worker are called before they become the worker, followed by the owner's label.
PROCESS_PREFIX = "deepresearch-sandbox:"

_LABEL = re.compile(r"^([0-9a-f]{8})-([0-9a-f]+)-(\d+)-(\d+)$")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from every other that had or will have its number.

    `boot` begins the id of the kernel's boot, `namespace` is the inode of the PID namespace in which `pid` counts, and
    `started` is the start time in clock ticks after boot.
    """

    boot: str
    namespace: int
    pid: int
    started: int

    @property
    def label(self) -> str:
        """One word for names of cgroups, folders and containers."""
        return f"{self.boot}-{self.namespace:x}-{self.pid}-{self.started}"

    @classmethod
    def from_label(cls, label: str) -> Owner | None:
        """The owner a label names, or None when it is no label."""
        match = _LABEL.match(label)
        if match is None:
            return None
        boot, namespace, pid, started = match.groups()
        return cls(boot, int(namespace, 16), int(pid), int(started))

    def is_dead(self) -> bool:
        """Whether the process is certainly gone. False in doubt: another PID namespace cannot be seen into."""
        if self.boot != _boot():
            return True
        if self.namespace != _namespace():
            return False
        return _start_time(self.pid) != self.started


_count = itertools.count(1)


def new_name() -> str:
    """A name for a worker of this process, given once: also when several sandboxes are open in it."""
    return f"{this_process().label}-{next(_count)}"


def this_process() -> Owner:
    """The owner that is this process."""
    pid = os.getpid()
    return Owner(_boot(), _namespace(), pid, _start_time(pid) or 0)


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:8]


@cache
def _namespace() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


def _start_time(pid: int) -> int | None:
    """Start time of a process in clock ticks after boot, None when there is none (a zombie counts as none)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
