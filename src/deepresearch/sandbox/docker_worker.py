"""A worker in a container, spoken to over the engine's attached stream."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deepresearch.model.errors import SandboxError
from deepresearch.sandbox.backend import Evidence, WorkerProcess
from deepresearch.sandbox.cgroups import Group
from deepresearch.sandbox.contract import Limits, ProfileName
from deepresearch.sandbox.docker_client import absence_is_fine

#: The engine's framing of an attached stream: stream, three zeros, length (API reference, "Attach to a container").
_HEAD = struct.Struct(">BxxxI")
_STDOUT, _STDERR = 1, 2
_READ = 64 * 1024
_AHEAD = 2 * 1024 * 1024
_COMPLAINTS = 4096


class DockerWorker(WorkerProcess):
    """One container. Made before the container is started, so that nothing it says is lost."""

    def __init__(
        self,
        client: Any,
        threads: ThreadPoolExecutor,
        container: str,
        name: str,
        profile: ProfileName,
        limits: Limits,
        enforced: Mapping[str, Any],
        expires: float,
    ) -> None:
        self.name = name
        self.profile = profile
        self.limits = limits
        self.container = container
        self._client = client
        self._threads = threads
        self._enforced = enforced
        self._expires = expires
        self._made = int(time.time()) - 1
        self._group: Group | None = None
        self._stream: AttachedStream | None = None
        self._killing: asyncio.Task[None] | None = None

    def attach(self, stream: AttachedStream) -> None:
        """Take the stream over which the worker is spoken to."""
        self._stream = stream
        self.reader = stream.reader

    def watch(self, pid: int) -> None:
        """Read what the kernel counts in the container's control groups, where this program sees them.

        `pid` is the container's first process as the engine sees it; a remote engine's mean nothing here.
        """
        self._group = group_of(pid, self.container)

    @property
    def enforced(self) -> Mapping[str, Any]:
        """What is in force."""
        return self._enforced

    async def write(self, data: bytes) -> None:
        """Send bytes to the worker's standard input."""
        if self._stream is None or self._killing is not None:
            raise ConnectionResetError("the worker is gone")
        await asyncio.get_running_loop().run_in_executor(self._threads, self._stream.write, data)

    def alive(self) -> bool:
        """Whether the container's output is open and its deadline far enough away for a run."""
        return (
            self._stream is not None
            and not self._stream.ended
            and self._killing is None
            and time.time() < self._expires
        )

    async def evidence(self) -> Evidence:
        """What the kernel counted; through the engine where its control groups are out of sight."""
        found = self._group.evidence() if self._group is not None else Evidence()
        if found.memory_kills is not None:
            return found
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask_engine)

    def _ask_engine(self) -> Evidence:
        cpu, peak, kills = None, None, None
        with contextlib.suppress(SandboxError), absence_is_fine():
            address = self._client._url("/containers/{0}/stats", self.container)
            answer = self._client._get(address, params={"stream": False, "one-shot": True})
            stats = self._client._result(answer, True)
            used = stats.get("cpu_stats", {}).get("cpu_usage", {}).get("total_usage")
            cpu = used // 1_000_000 if used else None
            peak = stats.get("memory_stats", {}).get("max_usage")
        with contextlib.suppress(SandboxError), absence_is_fine():
            # Not `State.OOMKilled`, which tells of the container's first process only.
            wanted = {"container": self.container, "event": "oom"}
            until = f"{time.time() + 0.05:.6f}"
            kills = len(list(self._client.events(since=self._made, until=until, filters=wanted, decode=True)))
        return Evidence(cpu_ms=cpu, peak_memory_bytes=peak, memory_kills=kills)

    def urge(self) -> None:
        """Lift the bound on processor time."""
        asyncio.get_running_loop().run_in_executor(self._threads, self._unthrottle)

    def _unthrottle(self) -> None:
        with contextlib.suppress(SandboxError), absence_is_fine():
            self._client.update_container(self.container, cpu_quota=-1)

    async def kill(self) -> None:
        """Kill, wait until nothing runs, remove; a second call waits for the first."""
        if self._killing is None:
            self._killing = asyncio.create_task(self._kill())
        await asyncio.shield(self._killing)

    async def _kill(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self.remove)
        finally:
            if self._stream is not None:
                await loop.run_in_executor(self._threads, self._stream.close)

    def remove(self) -> None:
        """End and remove the container. No signal that can be ignored and no polite pause comes before SIGKILL."""
        with absence_is_fine():
            self._client.kill(self.container)
        with absence_is_fine():
            self._client.wait(self.container)
        with absence_is_fine():
            self._client.remove_container(self.container, v=True, force=True)

    async def diagnosis(self) -> str:
        """The last lines on the container's error output."""
        if self._stream is None:
            return ""
        if not self._stream.ended:
            await asyncio.sleep(0.1)
        return self._stream.complaints.decode(errors="replace").strip()


class AttachedStream:
    """Both directions of an attached container. A thread reads, since the socket may be TLS or tunnelled by SSH."""

    def __init__(self, attached: Any, loop: asyncio.AbstractEventLoop) -> None:
        raw = getattr(attached, "_sock", attached)
        raw.settimeout(None)
        # The response that owns the socket is kept too: collected, it would close the socket.
        self._owner = attached
        self._socket: socket.socket = raw
        self._loop = loop
        self._flow = _Flow()
        self.reader = asyncio.StreamReader(limit=_AHEAD, loop=loop)
        self.reader.set_transport(self._flow)
        self.complaints = bytearray()
        self.ended = False
        self._thread = threading.Thread(target=self._read, name="sandbox-stream", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Send everything; blocks while the pipe is full. Raises `ConnectionError` when the worker is gone."""
        try:
            self._socket.sendall(data)
        except (OSError, ValueError) as gone:
            raise ConnectionResetError("the worker is gone") from gone

    def close(self) -> None:
        """Stop reading and close. The thread ends by that."""
        self._flow.resume_reading()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        with contextlib.suppress(OSError):
            self._socket.close()
        with contextlib.suppress(OSError):
            self._owner.close()

    def _read(self) -> None:
        try:
            while True:
                stream, left = _HEAD.unpack(self._exactly(_HEAD.size))
                while left:
                    part = self._some(min(left, _READ))
                    left -= len(part)
                    self._take(stream, part)
        except (OSError, EOFError, ValueError, struct.error):
            pass
        finally:
            self.ended = True
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self.reader.feed_eof)

    def _take(self, stream: int, part: bytes) -> None:
        if stream == _STDOUT:
            self._flow.wait()
            self._loop.call_soon_threadsafe(self.reader.feed_data, part)
        elif stream == _STDERR:
            self.complaints += part
            del self.complaints[:-_COMPLAINTS]

    def _some(self, most: int) -> bytes:
        part = self._socket.recv(most)
        if not part:
            raise EOFError
        return part

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            data += self._some(count - len(data))
        return bytes(data)


class _Flow(asyncio.Transport):
    """Tells the reading thread to hold on while its reader is full."""

    def __init__(self) -> None:
        super().__init__()
        self._open = threading.Event()
        self._open.set()

    def pause_reading(self) -> None:
        self._open.clear()

    def resume_reading(self) -> None:
        self._open.set()

    def wait(self) -> None:
        """Block until reading may go on."""
        self._open.wait()


def group_of(pid: int, container: str) -> Group | None:
    """The control groups of a container's first process, None where they are not to be seen here."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    folders: dict[str, Path] = {}
    mode = ""
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if container not in path:
            continue
        if not controllers:
            folder = Path("/sys/fs/cgroup") / path.lstrip("/")
            if (folder / "memory.max").exists():
                return Group("v2", dict.fromkeys(("memory", "pids", "cpu"), folder))
        for controller in controllers.split(","):
            folder = Path("/sys/fs/cgroup") / controller / path.lstrip("/")
            if folder.is_dir():
                folders[controller] = folder
                mode = "v1"
    return Group(mode, folders) if mode and {"memory", "pids"} <= folders.keys() else None
