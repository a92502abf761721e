"""Proves from inside, and judges from outside, what the sandbox promises; says which promise does not hold."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepresearch.sandbox import posture_probe
from deepresearch.sandbox.contract import MEBIBYTE, Limits, Reason, SandboxRequest, SandboxResult, Status
from deepresearch.sandbox.core import Sandbox

_CANARY_NAME = "DEEPRESEARCH_POSTURE_CANARY"
#: The first Landlock that can keep signals inside.
_SIGNALS_KEPT_IN = 6
#: A run is ended within this of its timeout.
_LATE_SECONDS = 1.0


_BOUNDED = {"memory_bytes": "memory", "processes": "processes", "cpus": "processor time"}


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise and whether it was kept. `detail` says what was seen."""

    promise: str
    kept: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Posture:
    """What was found on one back end."""

    backend: str
    promises: tuple[Promise, ...]
    warnings: tuple[str, ...]
    enforced: Mapping[str, Any]

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return all(promise.kept for promise in self.promises)

    @property
    def groups(self) -> str:
        """What bounds memory and processes, in words."""
        mode = str(self.enforced.get("cgroup") or "none")
        if mode == "none":
            return "none, memory is bounded for each process"
        limits = self.enforced.get("limits") or {}
        return f"{mode}, bounding {', '.join(_BOUNDED[name] for name in _BOUNDED if name in limits)}"

    def as_json(self) -> dict[str, Any]:
        """The form that `--json` prints."""
        return {
            "backend": self.backend,
            "sound": self.sound,
            "promises": [asdict(promise) for promise in self.promises],
            "warnings": list(self.warnings),
            "enforced": dict(self.enforced),
        }


class _Listener:
    """A port of this machine that must never hear anything."""

    def __init__(self) -> None:
        self.heard = 0
        self.port = 0

    async def __aenter__(self) -> _Listener:
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _hear(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        writer.close()


async def examine(sandbox: Sandbox, warnings: list[str]) -> Posture | SandboxResult:
    """Run every probe. A result instead of a posture tells that the sandbox is not available.

    `warnings` are those of the back end. Takes some seconds: it also fills memory, disk and the process table of a
    worker, and lets one run into its timeout.
    """
    canary = secrets.token_hex(16)
    os.environ[_CANARY_NAME] = canary
    try:
        async with _Listener() as listener:
            script = Path(posture_probe.__file__).read_text(encoding="utf-8")
            request = SandboxRequest(script=script, args=(str(listener.port), canary), timeout=60)
            result = await sandbox.run(request)
            if result.reason is Reason.UNAVAILABLE:
                return result
            promises, weaknesses = _read(result, request.effective_limits(), listener.heard)
    finally:
        del os.environ[_CANARY_NAME]
    promises += [await _memory(sandbox), await _processes(sandbox), await _disk(sandbox), await _files(sandbox)]
    promises += await _time(sandbox)
    return Posture(result.backend, tuple(promises), (*warnings, *weaknesses), result.enforced)


def _read(result: SandboxResult, limits: Limits, heard: int) -> tuple[list[Promise], list[str]]:
    """The promises that the probes tell of, and warnings where this kernel has no means to make one."""
    if result.status is not Status.SUCCESS:
        return [Promise("The probes run", False, f"{result.message} {result.stderr[-300:]}")], []
    facts = json.loads(result.stdout)
    sizes = facts["sizes"]
    bounded = {
        "/workspace": limits.workspace_bytes,
        "/tmp": limits.temporary_bytes,  # noqa: S108
        "/dev/shm": limits.shared_memory_bytes,  # noqa: S108
    }
    too_large = [path for path, bound in bounded.items() if not 0 < sizes[path] <= bound]
    landlock = int(result.enforced.get("landlock") or 0)
    promises = [
        Promise("The user inside is nobody special", facts["user"] != 0, f"user {facts['user']}"),
        Promise("No capability is left", not any(int(mask, 16) for mask in facts["capabilities"])),
        Promise("No program can gain privileges", facts["no_new_privileges"]),
        Promise("System calls are filtered", facts["seccomp"]),
        _none("No file outside the folders of the run can be written", facts["written"]),
        Promise("Only processes of the run are seen", facts["processes"] <= 4, f"{facts['processes']} processes"),
        Promise("No descriptor is inherited", facts["descriptors"] == [0, 1, 2], f"{facts['descriptors']}"),
        _none("No socket but a local one can be made", facts["sockets"]),
        Promise("This machine's ports hear nothing", not facts["connected"] and heard == 0),
        _none("No dangerous system call is let through", facts["calls"]),
        Promise(
            "The environment of this program is unknown", not facts["environment"] + [1] * facts["environments_read"]
        ),
        Promise("The watching process cannot be looked into", not facts["watcher_opened"]),
        _none("Every folder that can be written is bounded", too_large),
    ]
    if facts["watcher_signalled"] and landlock < _SIGNALS_KEPT_IN:
        has = f"Landlock {landlock}" if landlock else "no Landlock"
        return promises, [
            f"This kernel has {has}, which cannot keep signals in: a script can stop or end the process that watches "
            "it. That only ends its own run, as a failure. Linux 6.12 or newer closes it."
        ]
    promises.append(
        Promise("The watching process hears no signal", not facts["watcher_signalled"], f"Landlock {landlock}")
    )
    return promises, []


def _none(promise: str, found: list[str]) -> Promise:
    return Promise(promise, not found, ", ".join(found))


_SMALL = Limits(memory_bytes=192 * MEBIBYTE, processes=24, workspace_bytes=16 * MEBIBYTE, files=400)


async def _expect(sandbox: Sandbox, promise: str, script: str, reason: Reason) -> Promise:
    result = await sandbox.run(SandboxRequest(script=script, limits=_SMALL, timeout=30))
    return Promise(promise, result.reason is reason, f"{result.reason}: {result.message}")


async def _memory(sandbox: Sandbox) -> Promise:
    script = "held = [bytes(1 << 23) for _ in iter(int, 1)]"
    return await _expect(sandbox, "Memory is bounded", script, Reason.OUT_OF_MEMORY)


async def _processes(sandbox: Sandbox) -> Promise:
    script = "import os, time\nfor _ in range(500):\n    if os.fork() == 0: time.sleep(60)"
    return await _expect(sandbox, "Processes are bounded", script, Reason.PROCESS_LIMIT)


async def _disk(sandbox: Sandbox) -> Promise:
    script = "with open('big', 'wb') as file:\n    while True: file.write(bytes(1 << 20))"
    return await _expect(sandbox, "Bytes on disk are bounded", script, Reason.DISK_LIMIT)


async def _files(sandbox: Sandbox) -> Promise:
    script = "for n in range(10**6): open(f'f{n}', 'w').close()"
    return await _expect(sandbox, "Files on disk are bounded", script, Reason.DISK_LIMIT)


async def _time(sandbox: Sandbox) -> list[Promise]:
    """A script that ignores every signal and has a daemon ends in time, and the daemon with it."""
    marker = secrets.token_hex(16)
    script = (
        "import os, signal, subprocess\n"
        f"subprocess.Popen(['sleep', '600'], env={{'MARK': '{marker}'}}, start_new_session=True)\n"
        "for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)\n"
        "print('on', flush=True)\nwhile True: pass"
    )
    begun: list[float] = []
    request = SandboxRequest(script=script, limits=_SMALL, timeout=1.0)
    result = await sandbox.run(request, on_stdout=lambda _: begun.append(time.monotonic()))
    late = time.monotonic() - begun[0] - request.timeout if begun else 0.0
    left = _processes_with(marker)
    return [
        Promise("Time is bounded", result.status is Status.TIMEOUT and late <= _LATE_SECONDS, f"{late:+.2f} s"),
        Promise("Nothing outlives a run", not left, ", ".join(map(str, left))),
    ]


def _processes_with(marker: str) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if marker.encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found
