"""Limits of memory, processes and processor time by control groups, version 2 or 1, or none where none can be had.

Every worker gets groups of its own below the group this program runs in, so that whatever bounds the program bounds its
workers too. See the kernel's `Documentation/admin-guide/cgroup-v2.rst` and `cgroup-v1/`.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path

from deepresearch.model.errors import SandboxError
from deepresearch.sandbox.backend import Evidence
from deepresearch.sandbox.contract import Limits

#: Name of the folder that holds the groups of workers.
FOLDER = "deepresearch-sandbox"
#: Name of the group this program moves into where its own group is to hand controllers down (version 2).
PROGRAM = "deepresearch-program"
_PERIOD = 100_000
_V1_CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
_V2_CONTROLLERS = ("memory", "pids", "cpu")
#: Without these nothing would be bounded; processor time is bounded where it can be.
_NEEDED = frozenset({"memory", "pids"})


@dataclass(frozen=True, slots=True)
class Mount:
    """One mounted hierarchy: its controllers and the folder of the group this program is in."""

    version: str
    controllers: frozenset[str]
    own: Path


@dataclass(slots=True)
class Group:
    """The groups of one worker, one folder per hierarchy. `limits` says what was set."""

    mode: str
    folders: dict[str, Path] = field(default_factory=dict)
    limits: dict[str, int | float] = field(default_factory=dict)

    def add(self, pid: int) -> None:
        """Put a process in; what it starts from now on is in as well."""
        for folder in self._distinct():
            (folder / "cgroup.procs").write_text(str(pid))

    def evidence(self) -> Evidence:
        """What the kernel counted in this group."""
        read = _read_v2 if self.mode == "v2" else _read_v1
        return read(self.folders)

    def unthrottle(self) -> None:
        """Lift the bound on processor time: a full group of processes takes a second of it to end."""
        knob, value = ("cpu.max", "max") if self.mode == "v2" else ("cpu.cfs_quota_us", "-1")
        if "cpu" in self.folders:
            try:
                (self.folders["cpu"] / knob).write_text(value)
            except OSError:
                pass  # It is gone already.

    async def remove(self) -> None:
        """Kill whatever is still inside and remove the folders; waits until the kernel lets go."""
        for folder in self._distinct():
            await remove_folder(folder)

    def _distinct(self) -> list[Path]:
        return list(dict.fromkeys(self.folders.values()))


class Cgroups:
    """Makes groups for workers. `mode` is "v2", "v1" or "none"."""

    def __init__(self, mode: str, parents: dict[str, Path], why: str = "") -> None:
        self.mode = mode
        self.parents = parents
        self.why = why

    @classmethod
    def detect(cls) -> Cgroups:
        """Find out by trying what this program may do."""
        mounts = _mounts()
        for mount in mounts:
            if mount.version == "v2" and (parent := _enable_v2(mount)) is not None:
                handed = set((parent / "cgroup.subtree_control").read_text().split())
                return cls("v2", {name: parent for name in _V2_CONTROLLERS if name in handed})
        parents = {}
        for mount in mounts:
            for controller in _V1_CONTROLLERS:
                if mount.version == "v1" and controller in mount.controllers:
                    parent = mount.own / FOLDER
                    if _make(parent):
                        parents[controller] = parent
        if parents.keys() >= _NEEDED:
            return cls("v1", parents)
        return cls("none", {}, _why_none(mounts))

    def create(self, name: str, limits: Limits) -> Group:
        """Make the groups of one worker with its limits set, still empty."""
        group = Group(self.mode)
        try:
            for controller, parent in self.parents.items():
                group.folders[controller] = _make_below(parent, name)
            if self.mode == "v2":
                for parent in set(self.parents.values()):
                    # The parent may have been made anew a moment ago, and a new one hands nothing down.
                    _hand_down(parent, set(self.parents))
                _limit_v2(group, limits)
            elif self.mode == "v1":
                _limit_v1(group, limits)
        except OSError:
            for folder in group.folders.values():
                _rmdir(folder)
            raise
        return group

    def escaped(self) -> Path | None:
        """The own group of this program, if its memory is bounded and its workers are not counted there (version 2)."""
        for mount in _mounts() if self.mode == "v2" else []:
            own = _own_or_above(mount.own)
            if any(parent.is_relative_to(own) for parent in self.parents.values()):
                continue
            if (_text(own / "memory.max") or "max") != "max":
                return own
        return None

    def tidy(self) -> None:
        """Remove the empty folders that held the groups of this program's workers."""
        for parent in set(self.parents.values()):
            _rmdir(parent)


async def remove_folder(folder: Path, patience: float = 2.0) -> None:
    """Kill every process in a group and remove it. Raises `SandboxError` when it stays."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    pause = 0.0005
    while True:
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError as refused:
            if refused.errno not in (errno.EBUSY, errno.ENOTEMPTY) or loop.time() > end:
                raise SandboxError(
                    f"The control group {folder} could not be removed: {refused.strerror}. "
                    "Run `deepresearch sandbox prune` later."
                ) from refused
        _kill_inside(folder)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.02)


def _kill_inside(folder: Path) -> None:
    try:
        (folder / "cgroup.kill").write_text("1")
        return
    except OSError:
        pass
    try:
        pids = (folder / "cgroup.procs").read_text().split()
    except OSError:
        return
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass


def _mounts() -> list[Mount]:
    """The hierarchies mounted here, each with the folder of this program's own group in it."""
    own: dict[frozenset[str], str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        own[frozenset(names.split(",")) if names else frozenset()] = path
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind not in ("cgroup", "cgroup2"):
            continue
        offered = set(options.split(","))
        controllers = next((c for c in own if c and c <= offered), None) if kind == "cgroup" else frozenset[str]()
        if controllers is None or controllers not in own:
            continue
        root, point = before.split()[3:5]
        inner = own[controllers]
        if root != "/" and inner.startswith(root):
            inner = inner[len(root) :]
        found.append(Mount("v2" if kind == "cgroup2" else "v1", controllers, Path(point + inner.rstrip("/"))))
    return found


def _why_none(mounts: list[Mount]) -> str:
    """Why no groups can be made, and what helps."""
    if not mounts:
        return "no control groups are mounted"
    offered: set[str] = set()
    for mount in mounts:
        offered |= mount.controllers
        for group in (mount.own, *mount.own.parents):
            offered.update((_text(group / "cgroup.controllers") or "").split())
    if missing := _NEEDED - offered:
        return f"the kernel was started without the controller for {' and '.join(sorted(missing))}"
    return (
        "this user may not make any; run as root, in a service of systemd with Delegate=yes, or under "
        "`systemd-run --user --scope -p Delegate=yes`"
    )


def _enable_v2(mount: Mount) -> Path | None:
    """Hand the controllers down to a folder for workers; None where the kernel or the permissions refuse.

    Only the root of the hierarchy may hold processes and hand controllers down. So in a group that was delegated to it
    this program moves into a group of its own below (systemd's CGROUP_DELEGATION.md, "Three Scenarios"). Elsewhere the
    nearest group above that may be written to will do; what bounds this program's own group then does not bound its
    workers.
    """
    own = _own_or_above(mount.own)
    if _is_delegated(own) or _is_ours_alone(own):
        folder = _enable_in(own) if _step_down(own) else None
        if folder is not None:
            return folder
    return next((folder for above in (own, *own.parents) if (folder := _enable_in(above)) is not None), None)


def _enable_in(candidate: Path) -> Path | None:
    """A folder for workers in this group with the controllers handed down, None where that cannot be."""
    offered = set((_text(candidate / "cgroup.controllers") or "").split())
    wanted = offered.intersection(_V2_CONTROLLERS)
    # To move a process, one must be allowed to write to the group above both its old and its new one.
    if not wanted >= _NEEDED or not os.access(candidate / "cgroup.procs", os.W_OK):
        return None
    if _hand_down(candidate, wanted) and _make(candidate / FOLDER):
        if _hand_down(candidate / FOLDER, wanted):
            return candidate / FOLDER
        _rmdir(candidate / FOLDER)
    return None


def _own_or_above(own: Path) -> Path:
    """The group this program was started in: it, or another one like it, may have moved down since."""
    return own.parent if own.name == PROGRAM else own


def _is_delegated(group: Path) -> bool:
    """Whether systemd left this group to what runs in it, or it is the top of what a container sees."""
    for attribute in ("user.delegate", "trusted.delegate"):
        try:
            if os.getxattr(group, attribute) == b"1":
                return True
        except OSError:
            continue
    # Only the true root of the hierarchy has no type; it may hold processes and needs no step down.
    return (group / "cgroup.type").exists() and not (group.parent / "cgroup.controllers").exists()


def _is_ours_alone(group: Path) -> bool:
    """Whether this group belongs to this ordinary user and holds nothing but this program and what it started.

    A user's own service manager does not mark what it delegates.
    """
    try:
        if os.geteuid() == 0 or group.stat().st_uid != os.geteuid():
            return False
    except OSError:
        return False
    here = os.getpid()
    inside = {int(pid) for pid in (_text(group / "cgroup.procs") or "").split()}
    return all(pid == here or here in _ancestors(pid) for pid in inside)


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    while pid > 1:
        fields = (_text(Path(f"/proc/{pid}/stat")) or "").rpartition(")")[2].split()
        if len(fields) < 2:
            break
        pid = int(fields[1])
        found.append(pid)
    return found


def _step_down(group: Path) -> bool:
    """Move every process of a group into a group below, so that it can hand controllers down."""
    below = group / PROGRAM
    for _ in range(10):  # Processes that start others meanwhile need more than one round.
        pids = (_text(group / "cgroup.procs") or "").split()
        if not pids:
            return True
        if not _make(below):
            return False
        for pid in pids:
            try:
                (below / "cgroup.procs").write_text(pid)
            except ProcessLookupError:
                continue
            except OSError:
                return False
    return False


def _hand_down(folder: Path, wanted: set[str]) -> bool:
    control = folder / "cgroup.subtree_control"
    try:
        missing = wanted - set(control.read_text().split())
        if missing:
            control.write_text(" ".join(f"+{name}" for name in sorted(missing)))
    except OSError:
        return False
    return True


def _make(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _make_below(parent: Path, name: str) -> Path:
    """Make a group; another program that ends may remove the empty parent meanwhile, so more than once."""
    folder = parent / name
    for last in (False, False, True):
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            break
        except FileNotFoundError:
            if last:
                raise
    return folder


def _rmdir(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        pass


def _limit_v2(group: Group, limits: Limits) -> None:
    folder = group.folders["memory"]
    (folder / "memory.max").write_text(str(limits.memory_bytes))
    _write_if_there(folder / "memory.swap.max", "0")
    (folder / "pids.max").write_text(str(limits.processes))
    group.limits.update(memory_bytes=limits.memory_bytes, processes=limits.processes)
    if "cpu" in group.folders:
        (folder / "cpu.max").write_text(f"{int(limits.cpus * _PERIOD)} {_PERIOD}")
        group.limits["cpus"] = limits.cpus


def _limit_v1(group: Group, limits: Limits) -> None:
    memory = group.folders["memory"]
    (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
    _write_if_there(memory / "memory.memsw.limit_in_bytes", str(limits.memory_bytes))
    _write_if_there(memory / "memory.swappiness", "0")
    (group.folders["pids"] / "pids.max").write_text(str(limits.processes))
    group.limits.update(memory_bytes=limits.memory_bytes, processes=limits.processes)
    if "cpu" in group.folders:
        (group.folders["cpu"] / "cpu.cfs_period_us").write_text(str(_PERIOD))
        (group.folders["cpu"] / "cpu.cfs_quota_us").write_text(str(int(limits.cpus * _PERIOD)))
        group.limits["cpus"] = limits.cpus


def _write_if_there(file: Path, value: str) -> None:
    """Set a knob that kernels without swap accounting do not have."""
    if file.exists():
        file.write_text(value)


def _read_v2(folders: dict[str, Path]) -> Evidence:
    folder = folders["memory"]
    used = _number(_keyed(folder / "cpu.stat").get("usage_usec"))
    return Evidence(
        cpu_ms=None if used is None else used // 1000,
        peak_memory_bytes=_number(_text(folder / "memory.peak")),
        memory_kills=_number(_keyed(folder / "memory.events").get("oom_kill")),
        process_refusals=_number(_keyed(folder / "pids.events").get("max")),
    )


def _read_v1(folders: dict[str, Path]) -> Evidence:
    used = _number(_text(folders["cpuacct"] / "cpuacct.usage")) if "cpuacct" in folders else None
    return Evidence(
        cpu_ms=None if used is None else used // 1_000_000,
        peak_memory_bytes=_number(_text(folders["memory"] / "memory.max_usage_in_bytes")),
        memory_kills=_number(_keyed(folders["memory"] / "memory.oom_control").get("oom_kill")),
        process_refusals=_number(_keyed(folders["pids"] / "pids.events").get("max")),
    )


def _text(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except OSError:
        return None


def _keyed(file: Path) -> dict[str, str]:
    pairs = (line.split(None, 1) for line in (_text(file) or "").splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
