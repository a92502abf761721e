"""Watches the script's process from outside it: relays its output, keeps its bounds, ends it, tells how it ended.

Standard library only.
"""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass, field
from typing import Any

from . import frames
from .channel import Channel
from .streams import Stream

_CHUNK = 128 * 1024
#: How often, in seconds, the files are counted and the clock is looked at.
_TICK = 0.05


@dataclass
class Ending:
    """How the script ended; the fields of the END frame.

    `exit_code` and `signal` are those of its first process; `cut` is the bound it was ended for, if any:
    ``timeout``, ``disk_limit`` or ``output_limit``. `hints` name what else was seen.
    """

    exit_code: int | None = None
    signal: int | None = None
    cut: str | None = None
    hints: list[str] = field(default_factory=list)
    wall_ms: float = 0.0
    cpu_ms: int = 0
    peak_memory_bytes: int | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    over: bool = False


class Supervisor:
    """Runs one script to its end."""

    def __init__(self, channel: Channel, child: int, stdout: int, stderr: int, job: dict[str, Any]) -> None:
        self._child = child
        self._limits = job["limits"]
        self._timeout = float(job["timeout"])
        kept = self._limits["stream_kept_bytes"]
        self._streams = {
            stdout: Stream(
                kept,
                lambda data: channel.send(frames.STDOUT, data),
                lambda data: channel.send(frames.STDOUT_TAIL, data),
            ),
            stderr: Stream(
                kept,
                lambda data: channel.send(frames.STDERR, data),
                lambda data: channel.send(frames.STDERR_TAIL, data),
            ),
        }
        self._names = {stdout: "stdout", stderr: "stderr"}
        self._open = set(self._streams)
        self._ending = Ending()

    def run(self) -> Ending:
        """Relay until the first process ends or a bound is hit; then end every other process too."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        poller = select.poll()
        poller.register(wake_read, select.POLLIN)
        for descriptor in self._streams:
            os.set_blocking(descriptor, False)
            poller.register(descriptor, select.POLLIN)
        self._poller = poller
        start = time.monotonic()
        deadline = start + self._timeout
        next_look = start + _TICK
        while not self._ended():
            now = time.monotonic()
            if now >= deadline:
                self._ending.cut = "timeout"
                break
            if now >= next_look:
                next_look = now + _TICK
                if self._too_many_files():
                    self._ending.cut = "disk_limit"
                    break
            for descriptor, _ in poller.poll(max(0.0, min(next_look, deadline) - now) * 1000):
                if descriptor == wake_read:
                    os.read(wake_read, 4096)
                else:
                    self._relay(descriptor)
            if self._too_much_output():
                self._ending.cut = "output_limit"
                break
        self._ending.wall_ms = (time.monotonic() - start) * 1000
        self._look_at_disk()
        self._end_all()
        self._drain()
        return self._ending

    def finish_streams(self) -> None:
        """Send the tails and note what was left out."""
        for descriptor, stream in self._streams.items():
            stream.finish()
            if stream.dropped:
                self._ending.dropped[self._names[descriptor]] = stream.dropped

    def _relay(self, descriptor: int) -> bool:
        """Pass on what can be read now; False at the end of the stream."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return True
        if data:
            self._streams[descriptor].take(data)
            return True
        self._open.discard(descriptor)
        self._poller.unregister(descriptor)
        return False

    def _drain(self) -> None:
        """Read what is still in the pipes, which nobody writes to any more."""
        for descriptor in tuple(self._open):
            # A pipe holds 64 KiB, and a process that could not be ended must not keep the worker here.
            for _ in range(16):
                if descriptor not in self._open or not self._pending(descriptor):
                    break
                self._relay(descriptor)

    def _pending(self, descriptor: int) -> bool:
        return bool(select.select([descriptor], [], [], 0)[0])

    def _ended(self) -> bool:
        if self._child == 0:
            return True
        pid, status, used = os.wait4(self._child, os.WNOHANG)
        if pid == 0:
            return False
        self._note(status, used)
        return True

    def _note(self, status: int, used: Any) -> None:
        self._child = 0
        if os.WIFSIGNALED(status):
            self._ending.signal = os.WTERMSIG(status)
        else:
            self._ending.exit_code = os.WEXITSTATUS(status)
        self._ending.cpu_ms = int((used.ru_utime + used.ru_stime) * 1000)
        self._ending.peak_memory_bytes = used.ru_maxrss * 1024

    def _end_all(self) -> None:
        """Kill every process but this one and the namespace's first, until none is left (or a second has gone)."""
        give_up = time.monotonic() + 0.4
        while True:
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                pass
            if self._child:
                pid, status, used = os.wait4(self._child, os.WNOHANG)
                if pid:
                    was_cut = self._ending.cut is not None
                    self._note(status, used)
                    if was_cut:
                        # It was this program that killed it: no end of the script's own.
                        self._ending.signal = self._ending.exit_code = None
            if not self._child and not _others():
                return
            if time.monotonic() > give_up:
                self._ending.hints.append("processes_left")
                return
            time.sleep(0.001)

    def _used_files(self, path: str) -> int:
        try:
            counts = os.statvfs(path)
        except OSError:
            return 0
        return counts.f_files - counts.f_ffree

    def _too_many_files(self) -> bool:
        return any(self._used_files(path) > self._limits["files"] for path in ("/workspace", "/tmp", "/dev/shm"))  # noqa: S108

    def _too_much_output(self) -> bool:
        return any(stream.total > self._limits["stream_bytes"] for stream in self._streams.values())

    def _look_at_disk(self) -> None:
        """Note a file system that is full: by bytes, or by files where it bounds them."""
        for path in ("/workspace", "/tmp", "/dev/shm"):  # noqa: S108
            try:
                counts = os.statvfs(path)
            except OSError:
                continue
            if counts.f_bavail * counts.f_frsize < 65536 or counts.f_ffree == 0:
                self._ending.hints.append("disk_full")
        if self._too_many_files():
            self._ending.hints.append("disk_full")


def _others() -> bool:
    """Whether a process besides the namespace's first and this one is alive."""
    mine = {1, os.getpid(), os.getppid()}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if not name.isdigit() or int(name) in mine:
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                state = file.read().rpartition(b")")[2].split()[0]
        except OSError:
            continue
        if state not in (b"Z", b"X"):
            return True
    return False
