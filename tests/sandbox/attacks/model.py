"""What an attack is, and what the host looks at when it is over."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deepresearch.sandbox import Limits, SandboxRequest, SandboxResult
from deepresearch.sandbox.contract import MEBIBYTE, PROFILE_LIMITS, ProfileName

SMALL = Limits(
    memory_bytes=256 * MEBIBYTE,
    processes=64,
    workspace_bytes=64 * MEBIBYTE,
    temporary_bytes=32 * MEBIBYTE,
    files=2000,
    file_bytes=48 * MEBIBYTE,
    stream_bytes=24 * MEBIBYTE,
)

#: Begins every attack: a name by which the host finds its processes, and the two ways to say what happened.
PRELUDE = """
import ctypes, errno, json, os, signal, socket, sys, time
MARK, CANARY, PORT, UNIX, ABSTRACT = sys.argv[1:6]
PORT = int(PORT)
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(15, MARK.encode(), 0, 0, 0)

def breach(what, *more):
    print("BREACH", what, *more, flush=True)

def refused(what, action, *arguments):
    try:
        answer = action(*arguments)
    except Exception:
        return
    breach(what, repr(answer)[:200])

def call(number, *arguments):
    ctypes.set_errno(0)
    given = [ctypes.c_ulong(value & (2**64 - 1)) if isinstance(value, int) else value for value in arguments]
    return libc.syscall(ctypes.c_long(number), *given)

def refused_calls(calls):
    for name, numbers in calls.items():
        if call(*numbers) != -1:
            breach(name)
"""

Judge = Callable[["Outcome"], None]


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile program. `numbers` are those of the list the suite covers, `promise` is what the scorecard says.

    `reasons` are the ends that are honest for it, by their word. `judge` looks at what is special about it; what
    holds for all (canary, listeners, processes, time, the next run) is looked at anyway.
    """

    key: str
    numbers: tuple[int, ...]
    promise: str
    script: str
    reasons: tuple[str, ...] = ("ok",)
    judge: Judge | None = None
    timeout: float = 20.0
    limits: Limits = SMALL
    files: dict[str, bytes] = field(default_factory=dict)
    wait: float = 0.0
    x86_64_only: bool = False
    raw: bool = False
    warm: bool = False

    def request(self, arguments: tuple[str, ...]) -> SandboxRequest:
        """The attack as a request."""
        script = self.script if self.raw else PRELUDE + self.script + '\nprint("DONE", flush=True)\n'
        limits = PROFILE_LIMITS[ProfileName.PLAIN] if self.warm else self.limits
        return SandboxRequest(script=script, args=arguments, files=self.files, timeout=self.timeout, limits=limits)

    @property
    def runs_here(self) -> bool:
        """Whether this machine's processor speaks the attack's language."""
        return not self.x86_64_only or platform.machine() == "x86_64"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the host saw of one attack."""

    result: SandboxResult
    seconds: float
    canary: str
    host_before: dict[str, str]
    host_after: dict[str, str]
    memory_grown: int

    def shows(self, words: str) -> bool:
        """Whether words are in anything that came out."""
        wanted = words.encode()
        streams = self.result.stdout + self.result.stderr
        return words in streams or any(wanted in output.content for output in self.result.outputs)

    def paths(self) -> set[str]:
        """The names of what was handed out."""
        return {output.path for output in self.result.outputs}

    def rejected(self) -> set[str]:
        """The names of what was not."""
        return {entry.path for entry in self.result.rejected}


def host_settings() -> dict[str, str]:
    """The settings and tables of the machine that attacks try to change."""
    found = {}
    for name in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/hostname",
        "/proc/sys/kernel/modprobe",
        "/proc/sys/kernel/sysrq",
        "/proc/sys/vm/overcommit_memory",
        "/proc/sys/net/ipv4/ip_forward",
        "/sys/kernel/uevent_helper",
        "/sys/fs/cgroup/memory/release_agent",
        "/proc/sysvipc/shm",
        "/proc/sysvipc/msg",
        "/etc/passwd",
    ):
        try:
            found[name] = hashlib.sha256(Path(name).read_bytes()).hexdigest()
        except OSError:
            found[name] = "absent"
    return found
