"""What a back end is: something that starts a locked-down worker and can end it for certain."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deepresearch.sandbox.contract import Limits, ProfileName


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the world outside the worker counted while it ran. None where nothing counts it.

    `memory_kills` are processes the kernel ended because the memory limit was reached; `process_refusals` are
    forks it refused because the process limit was.
    """

    cpu_ms: int | None = None
    peak_memory_bytes: int | None = None
    memory_kills: int | None = None
    process_refusals: int | None = None


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a sweep removed: names of workers (processes or containers), cgroups and folders of dead owners."""

    workers: tuple[str, ...] = ()
    cgroups: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.workers or self.cgroups or self.folders)


@dataclass(frozen=True, slots=True)
class RuntimeEntry:
    """A built runtime of a back end: an image, or a virtual environment."""

    name: str
    identity: str
    created: str
    size_bytes: int
    current: bool
    details: Mapping[str, str] = field(default_factory=dict)


class WorkerProcess(ABC):
    """One started worker, locked down, importing its libraries or waiting for its one script.

    The caller speaks the protocol (`deepresearch.sandbox.protocol`) over `reader` and `write`. A worker serves
    one run and is then ended with `kill`, whatever happened.
    """

    #: Unique on this machine, safe as a folder, cgroup and container name.
    name: str
    profile: ProfileName
    limits: Limits
    #: What the worker writes on its protocol output. At end of file the worker is gone.
    reader: asyncio.StreamReader

    @property
    @abstractmethod
    def enforced(self) -> Mapping[str, Any]:
        """What is truly in force around this worker, JSON-ready.

        Always has ``backend``, ``runtime``, ``isolation``, ``network``, ``seccomp`` (a hash, or None), ``cgroup``
        ("v2", "v1" or "none") and ``limits`` (name to value, only what is enforced).
        """

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Send bytes to the worker's protocol input, waiting while its pipe is full.

        Raises `ConnectionError` when the worker is gone.
        """

    @abstractmethod
    def alive(self) -> bool:
        """Whether the worker still runs, as far as can be told without asking it."""

    @abstractmethod
    async def evidence(self) -> Evidence:
        """What was counted so far. Asked when the script starts and before `kill`; never raises for a lost worker."""

    def urge(self) -> None:
        """The script's time is up: lift the bound on processor time, so that ending it is not slowed down by it."""
        return

    @abstractmethod
    async def kill(self) -> None:
        """End the worker and every process it ever started, and return when nothing of them is left.

        Certain: does not ask the worker, does not depend on signals it could ignore, works on a stopped, an
        exhausted and a half-started worker. Calling it again does nothing. Takes well under a second. Raises
        `SandboxError` only when the operating system or the daemon refuses, naming what is left behind.
        """

    @abstractmethod
    async def diagnosis(self) -> str:
        """The last lines the worker itself (not the script) wrote on its error output; for messages only."""


class Backend(ABC):
    """Starts workers. It knows nothing of scripts, results, pools or queues.

    Whose failure is whose:

    - *The sandbox's*: `check` and `start` raise `SandboxUnavailable`, in one sentence that says what is missing and
      the exact command that mends it; a worker whose `reader` ends before a script was started. Such a run ends
      with reason ``unavailable``.
    - *The command's*: everything after a script was started. A worker that vanishes then was brought down by its
      script (or by a limit, which `evidence` shows), and is reported as the script's end, never as the sandbox's.
    """

    name: str

    @abstractmethod
    async def check(self) -> None:
        """Raise `SandboxUnavailable` unless workers can be started here. Cheap enough for every `open`."""

    @abstractmethod
    async def start(self, profile: ProfileName, limits: Limits, *, warm: bool = True) -> WorkerProcess:
        """Start a worker, all limits in force before its first instruction.

        With `warm` it imports the libraries of its profile before it says READY; without (the option ``--cold`` of the
        worker program) it is ready at once and the script pays for what it imports.

        Returns as soon as the process exists; the READY frame comes later on `reader`. Raises
        `SandboxUnavailable` when it cannot be started or when one promise of the back end cannot be kept.
        """

    @abstractmethod
    async def reap(self) -> Leftovers:
        """Remove what owners that are no longer alive left behind on this machine; never what a living one uses."""

    @abstractmethod
    async def runtimes(self) -> list[RuntimeEntry]:
        """The built runtimes, newest first."""

    @abstractmethod
    async def remove_runtimes(self) -> list[RuntimeEntry]:
        """Remove the runtimes that are not current and not in use; return those removed."""

    @abstractmethod
    async def warnings(self) -> list[str]:
        """Versions below their floor and promises that are weaker here, a sentence each with its reason."""

    async def close(self) -> None:
        """Give back what the back end itself holds. Workers are ended by their owner before."""
        return
