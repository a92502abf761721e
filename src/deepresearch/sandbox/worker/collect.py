"""Finds and hands out what the script left in the working folder. Standard library only.

Runs when every process of the script is dead, so nothing changes under it; all the same nothing is opened through
a link and every file is looked at through its descriptor.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .names import fault, same, shown

CHUNK = 256 * 1024
MOST_REJECTIONS = 100

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

#: What tells that an input was not touched: inode, change time (which nobody can set) and size.
Stamp = tuple[int, int, int]


def stamp(status: os.stat_result) -> Stamp:
    """The stamp of a file as it is now."""
    return status.st_ino, status.st_ctime_ns, status.st_size


@dataclass
class Collection:
    """What was found. `over` is true when something was left out for its size or number."""

    sent: int = 0
    total: int = 0
    over: bool = False
    rejections: int = 0
    candidates: list[str] = field(default_factory=list)


class Collector:
    """Walks the working folder and sends what may go out.

    `begin(path, size)`, `data(bytes)` and `reject(path, reason)` send frames.
    """

    def __init__(
        self,
        root: str,
        limits: dict[str, int],
        expects: list[str],
        inputs: dict[str, Stamp],
        begin: Callable[[str, int], None],
        data: Callable[[bytes], None],
        reject: Callable[[str, str], None],
    ) -> None:
        self._root = root
        self._limits = limits
        self._expects = set(expects)
        self._inputs = inputs
        self._begin = begin
        self._data = data
        self._send_rejection = reject
        self._found = Collection()

    def run(self) -> Collection:
        """Collect everything; expected files first, then by name."""
        root = os.open(self._root, _FOLDER)
        try:
            self._walk(root)
            names: set[str] = set()
            self._found.candidates.sort(key=lambda path: (path not in self._expects, path))
            for path in self._found.candidates:
                if same(path) in names:
                    self._reject(path, "differs from another output only in case or composition")
                    continue
                names.add(same(path))
                self._hand_out(root, path)
        finally:
            os.close(root)
        if self._found.rejections > MOST_REJECTIONS:
            more = self._found.rejections - MOST_REJECTIONS
            self._send_rejection("...", f"{more} more entries were not handed out")
        return self._found

    def _walk(self, root: int) -> None:
        """Fill `candidates`, without recursion and without more than one open folder."""
        waiting = [""]
        left = self._limits["files"] * 2
        while waiting and left > 0:
            folder = waiting.pop()
            for entry_name, mode in self._entries(root, folder):
                left -= 1
                if left <= 0:
                    break
                path = f"{folder}/{entry_name}" if folder else entry_name
                if stat.S_ISDIR(mode):
                    if entry_name == "__pycache__":
                        continue
                    problem = fault(path + "/x")
                    if problem is None:
                        waiting.append(path)
                    else:
                        self._reject(path, f"the folder's name {problem}")
                    continue
                self._consider(path, mode)
        if left <= 0:
            self._found.over = True
            self._reject("...", "there are more entries than may be looked at")

    def _entries(self, root: int, folder: str) -> Iterator[tuple[str, int]]:
        try:
            descriptor = self._open(root, folder, _FOLDER) if folder else os.dup(root)
        except OSError as refused:
            self._reject(folder, f"the folder cannot be opened ({refused.strerror})")
            return
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    try:
                        yield entry.name, entry.stat(follow_symlinks=False).st_mode
                    except OSError as refused:
                        self._reject(f"{folder}/{entry.name}", f"cannot be looked at ({refused.strerror})")
        finally:
            os.close(descriptor)

    def _consider(self, path: str, mode: int) -> None:
        if not stat.S_ISREG(mode):
            self._reject(path, f"is {_KINDS.get(stat.S_IFMT(mode), 'no regular file')}")
            return
        problem = fault(path)
        if problem is not None:
            self._reject(path, f"the name {problem}")
            return
        self._found.candidates.append(path)

    def _hand_out(self, root: int, path: str) -> None:
        try:
            descriptor = self._open(root, path, _FILE)
        except OSError as refused:
            self._reject(path, f"cannot be opened ({refused.strerror})")
            return
        try:
            status = os.fstat(descriptor)
            if path in self._inputs and self._inputs[path] == stamp(status):
                return
            problem = self._refusal(status)
            if problem is not None:
                self._reject(path, problem)
                return
            self._send(descriptor, path, status.st_size)
        finally:
            os.close(descriptor)

    def _refusal(self, status: os.stat_result) -> str | None:
        limits = self._limits
        if not stat.S_ISREG(status.st_mode):
            return "is no regular file"
        if status.st_nlink != 1:
            return "has more than one hard link"
        if self._found.sent >= limits["outputs"]:
            self._found.over = True
            return f"is beyond the {limits['outputs']} outputs of a run"
        if status.st_size > limits["output_bytes"]:
            self._found.over = True
            return f"has {status.st_size} bytes, more than the {limits['output_bytes']} of an output"
        if self._found.total + status.st_size > limits["outputs_bytes"]:
            self._found.over = True
            return f"would exceed the {limits['outputs_bytes']} bytes of all outputs"
        return None

    def _send(self, descriptor: int, path: str, size: int) -> None:
        self._begin(path, size)
        left = size
        while left:
            part = os.read(descriptor, min(left, CHUNK))
            if not part:
                # It shrank, which nobody alive could have done; zeros keep the count true.
                part = bytes(min(left, CHUNK))
            self._data(part)
            left -= len(part)
        self._found.sent += 1
        self._found.total += size

    @staticmethod
    def _open(root: int, path: str, flags: int) -> int:
        """Open a path part by part, following no link anywhere in it."""
        current = os.dup(root)
        parts = path.split("/")
        try:
            for part in parts[:-1]:
                following = os.open(part, _FOLDER, dir_fd=current)
                os.close(current)
                current = following
            return os.open(parts[-1], flags, dir_fd=current)
        finally:
            os.close(current)

    def _reject(self, path: str, reason: str) -> None:
        self._found.rejections += 1
        if self._found.rejections <= MOST_REJECTIONS:
            self._send_rejection(shown(path), reason)
