"""The back end without a daemon: bubblewrap for namespaces, control groups for limits, a virtual environment inside."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepresearch.model.errors import SandboxUnavailable
from deepresearch.sandbox import bubblewrap_root, owners
from deepresearch.sandbox.backend import Backend, Evidence, Leftovers, RuntimeEntry, WorkerProcess
from deepresearch.sandbox.cgroups import Cgroups, Group
from deepresearch.sandbox.contract import Limits, ProfileName
from deepresearch.sandbox.reaper import BubblewrapReaper
from deepresearch.sandbox.runtime.build import Runtime, Runtimes
from deepresearch.sandbox.runtime.program import Program
from deepresearch.sandbox.seccomp import bpf_program

#: The user inside; never a user of the host.
UID = 65532
_LAUNCHER = Path(__file__).with_name("launch.py")
#: Users that root gives its workers, one each: far from those that distributions hand out.
_FIRST_UID, _UIDS = 1_900_000_000, 60_000_000
#: The first bubblewrap that takes every option used here.
_OLDEST = (0, 8, 0)
#: The first release that does not follow planted links while it assembles the root (GHSA-pxhw-h44j-8pfx).
_FLOOR = (0, 12, 0)
_START_SECONDS = 20.0


class BubblewrapWorker(WorkerProcess):
    """A worker in namespaces of its own.

    The process tree: this program, bubblewrap, the namespace's first process, the worker, the script. Ending the first
    process of a PID namespace makes the kernel end all others in it, whatever they did.
    """

    def __init__(
        self,
        name: str,
        profile: ProfileName,
        limits: Limits,
        process: asyncio.subprocess.Process,
        group: Group | None,
        enforced: Mapping[str, Any],
    ) -> None:
        if process.stdout is None:
            raise SandboxUnavailable("The worker was started without a channel.")
        self.name = name
        self.profile = profile
        self.limits = limits
        self.reader = process.stdout
        self._process = process
        self._group = group
        self._enforced = enforced
        self._init: int | None = None
        self._complaints = bytearray()
        self._listening = asyncio.create_task(self._listen())
        self._killed = False

    @property
    def enforced(self) -> Mapping[str, Any]:
        """What is in force."""
        return self._enforced

    def attach(self, pid: int) -> None:
        """Take hold of the namespace's first process and put it into its control group, before it may go on."""
        self._init = os.pidfd_open(pid)
        if self._group is not None:
            self._group.add(pid)

    async def write(self, data: bytes) -> None:
        """Send bytes down the worker's standard input."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            raise ConnectionResetError("the worker is gone")
        stdin.write(data)
        await stdin.drain()

    def alive(self) -> bool:
        """Whether bubblewrap still runs."""
        return self._process.returncode is None

    async def evidence(self) -> Evidence:
        """What the control group counted."""
        return Evidence() if self._group is None else self._group.evidence()

    def urge(self) -> None:
        """Lift the bound on processor time."""
        if self._group is not None:
            self._group.unthrottle()

    async def kill(self) -> None:
        """End the PID namespace, then bubblewrap, then whatever the control group still holds."""
        if self._killed:
            return
        self._killed = True
        self.urge()
        if self._init is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init, signal.SIGKILL)
            os.close(self._init)
            self._init = None
        else:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        # bubblewrap ends by itself once the namespace is empty; it is only hurried when it does not.
        try:
            await asyncio.wait_for(self._process.wait(), 2.0)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._listening.cancel()
        # Close our ends of its pipes now: the event loop may be closed before it would come round to it.
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()
        if self._group is not None:
            await self._group.remove()

    async def diagnosis(self) -> str:
        """The last lines on the error output of bubblewrap or of the worker program."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._listening), 0.2)
        return self._complaints.decode(errors="replace").strip()

    async def _listen(self) -> None:
        stream = self._process.stderr
        while stream is not None and (part := await stream.read(4096)):
            self._complaints += part
            del self._complaints[:-4096]


class BubblewrapBackend(Backend):
    """Starts workers with bubblewrap. `home` is the data folder of the product."""

    name = "bubblewrap"

    def __init__(self, home: Path) -> None:
        self.home = home / "sandbox"
        self._runtimes = Runtimes(self.home / "bubblewrap")
        self._program = Program(self.home / "workers")
        self._owner = owners.this_process()
        self._reaper = BubblewrapReaper(self.home, self._owner)
        self._cgroups: Cgroups | None = None

    async def check(self) -> None:
        """Raise `SandboxUnavailable` without bubblewrap or without its runtime."""
        self._command()
        self._runtime()
        bpf_program()

    async def start(self, profile: ProfileName, limits: Limits, *, warm: bool = True) -> WorkerProcess:
        """Start a worker in fresh namespaces; it waits until its limits are in force."""
        command, runtime = self._command(), self._runtime()
        if self._cgroups is None:
            self._cgroups = Cgroups.detect()
            self._reaper.register(self._cgroups)
        name = owners.new_name()
        try:
            group = self._cgroups.create(name, limits) if self._cgroups.mode != "none" else None
        except OSError as refused:
            raise SandboxUnavailable(f"No control group could be made for a worker: {refused}.") from refused
        try:
            return await self._spawn(command, runtime, name, profile, limits, group, warm)
        except BaseException:
            if group is not None:
                await asyncio.shield(group.remove())
            raise

    async def _spawn(
        self,
        command: str,
        runtime: Runtime,
        name: str,
        profile: ProfileName,
        limits: Limits,
        group: Group | None,
        warm: bool,
    ) -> BubblewrapWorker:
        filter_program = bpf_program()
        with Descriptors() as own:
            info_read, info_write = own.pipe()
            block_read, block_write = own.pipe()
            passed = [info_write, block_read]
            options = ["--info-fd", str(info_write), "--block-fd", str(block_read)]
            filter_read, filter_write = own.pipe()
            os.write(filter_write, filter_program)
            own.close(filter_write)
            passed.append(filter_read)
            options += ["--seccomp", str(filter_read)]
            program, arguments = self._arguments(command, options, runtime, profile, limits, group, warm)
            process = await asyncio.create_subprocess_exec(
                *arguments,
                executable=program,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=passed,
                env={"PATH": "/usr/bin:/bin"},
                cwd="/",
                limit=2 * 1024 * 1024,
            )
            enforced = self._enforcement(runtime, limits, group, filter_program)
            worker = BubblewrapWorker(name, profile, limits, process, group, enforced)
            try:
                own.close(info_write)
                own.close(block_read)
                pid = await _child_pid(info_read)
                if pid is None:
                    why = await worker.diagnosis() or "it ended at once"
                    raise SandboxUnavailable(f"bubblewrap could not start a worker: {why}.")
                worker.attach(pid)
                os.write(block_write, b"1")
            except BaseException as failure:
                await asyncio.shield(worker.kill())
                if isinstance(failure, OSError):
                    raise SandboxUnavailable(f"A worker ended while it was started: {failure}.") from failure
                raise
            return worker

    def _arguments(
        self,
        command: str,
        options: list[str],
        runtime: Runtime,
        profile: ProfileName,
        limits: Limits,
        group: Group | None,
        warm: bool,
    ) -> tuple[str, list[str]]:
        """The program to run and its arguments, beginning with the name it goes by."""
        root = bubblewrap_root.Root(runtime, self._program.folder())
        worker = [runtime.python, "-I", "-B", bubblewrap_root.PROGRAM]
        worker += ["--profile", profile.value, "--cache", f"{bubblewrap_root.RUNTIME}/cache"]
        if group is None:
            worker.append("--rlimits")
        if not warm:
            worker.append("--cold")
        name = f"{owners.PROCESS_PREFIX}{self._owner.label}"
        arguments = [name, *bubblewrap_root.isolation(UID), *options, *root.options(limits), "--", *worker]
        if os.geteuid() != 0:
            return command, root.filled(arguments)
        plan = {
            "uid": _FIRST_UID + secrets.randbelow(_UIDS),
            "parent": os.getpid(),
            "stage": next(folder for folder in ("/mnt", "/srv", "/tmp") if Path(folder).is_dir()),  # noqa: S108
            "sources": root.sources,
            "program": command,
            "command": arguments,
        }
        return sys.executable, [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(plan)]

    def _enforcement(
        self, runtime: Runtime, limits: Limits, group: Group | None, filter_program: bytes
    ) -> dict[str, Any]:
        bounds: dict[str, int | float] = {
            "workspace_bytes": limits.workspace_bytes,
            "temporary_bytes": limits.temporary_bytes,
            "shared_memory_bytes": limits.shared_memory_bytes,
            "files": limits.files,
            "file_bytes": limits.file_bytes,
            "open_files": limits.open_files,
        }
        if group is not None:
            bounds |= group.limits
            memory = "together"
        else:
            bounds |= {"memory_bytes": limits.memory_bytes, "processes": limits.processes}
            memory = "each process"
        return {
            "backend": self.name,
            "runtime": runtime.identity,
            "isolation": "namespaces: user, pid, net, ipc, uts, cgroup, mount; no capabilities; no new privileges",
            "network": "none",
            "seccomp": hashlib.sha256(filter_program).hexdigest(),
            "cgroup": "none" if group is None else group.mode,
            "memory_counted": memory,
            "limits": bounds,
        }

    def _command(self) -> str:
        found = shutil.which("bwrap")
        if found is None:
            raise SandboxUnavailable(
                "The bubblewrap sandbox needs the command bwrap, which is not installed. "
                "Install it, for instance with `apt-get install bubblewrap`."
            )
        return found

    def _runtime(self) -> Runtime:
        runtime = self._runtimes.find()
        if runtime is None:
            raise SandboxUnavailable(
                f"The bubblewrap sandbox has no runtime in {self._runtimes.root} yet. "
                "Build it with `deepresearch sandbox build --backend bubblewrap`."
            )
        return runtime

    async def reap(self) -> Leftovers:
        """Remove control groups and unfinished builds of dead programs."""
        return await self._reaper.reap(self._runtimes.abandoned() + self._program.abandoned())

    async def runtimes(self) -> list[RuntimeEntry]:
        """The virtual environments built here."""
        return [self._entry(runtime) for runtime in self._runtimes.all()]

    async def remove_runtimes(self) -> list[RuntimeEntry]:
        """Remove the virtual environments that this version of the program does not use."""
        removed = [entry for entry in await self.runtimes() if not entry.current]
        for entry in removed:
            shutil.rmtree(self._runtimes.root / entry.identity, ignore_errors=True)
        return removed

    def _entry(self, runtime: Runtime) -> RuntimeEntry:
        size = sum(file.lstat().st_size for file in runtime.folder.rglob("*") if not file.is_dir())
        return RuntimeEntry(
            name=str(runtime.folder),
            identity=runtime.identity,
            created=str(runtime.manifest["created"]),
            size_bytes=size,
            current=runtime.identity == self._runtimes.wanted(),
            details={"python": str(runtime.manifest["python"])},
        )

    async def warnings(self) -> list[str]:
        """What is weaker here than it could be."""
        found = []
        version = await bwrap_version(self._command())
        if version < _FLOOR:
            found.append(
                f"bubblewrap {'.'.join(map(str, version))} is older than {'.'.join(map(str, _FLOOR))}, which mends "
                "CVE-2026-87766 (planted links are followed while the root is assembled). Workers never write to a "
                "folder that a root is assembled from, so it cannot be used here; update all the same."
            )
        cgroups = self._cgroups or Cgroups.detect()
        if cgroups.mode == "none":
            found.append(
                "Memory is bounded for each process and not for all of a run together, because no control groups can be "
                f"made here: {cgroups.why}."
            )
        if (own := cgroups.escaped()) is not None:
            found.append(
                f"The limits of this program's own group {own.name} do not hold for its workers, whose groups lie "
                "beside it. Set Delegate=yes for that unit of systemd."
            )
        return found

    async def close(self) -> None:
        """Give back the folders of the control groups and the record of this program."""
        if self._cgroups is not None:
            self._cgroups.tidy()
        self._reaper.unregister()


async def bwrap_version(command: str) -> tuple[int, ...]:
    """The version of a bubblewrap command, (0,) when it does not tell."""
    process = await asyncio.create_subprocess_exec(command, "--version", stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    words = output.decode(errors="replace").split()
    try:
        return tuple(int(part) for part in words[-1].split("."))
    except (IndexError, ValueError):
        return (0,)


async def _child_pid(info: int) -> int | None:
    """Read the process id that bubblewrap reports; None when it ended without a word."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    data = bytearray()

    def read() -> None:
        part = os.read(info, 4096)
        data.extend(part)
        if not part or b"}" in data:
            arrived.set()

    loop.add_reader(info, read)
    try:
        await asyncio.wait_for(arrived.wait(), _START_SECONDS)
    except TimeoutError:
        return None
    finally:
        loop.remove_reader(info)
    try:
        return int(json.loads(bytes(data))["child-pid"])
    except (ValueError, KeyError):
        return None


class Descriptors:
    """Pipes that are closed at the end, each end once: a number closed twice may be another's by then."""

    def __init__(self) -> None:
        self._open: set[int] = set()

    def pipe(self) -> tuple[int, int]:
        """A new pipe: its reading and its writing end."""
        ends = os.pipe()
        self._open.update(ends)
        return ends

    def close(self, descriptor: int) -> None:
        """Close one end now."""
        if descriptor in self._open:
            self._open.discard(descriptor)
            os.close(descriptor)

    def __enter__(self) -> Descriptors:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in tuple(self._open):
            self.close(descriptor)
