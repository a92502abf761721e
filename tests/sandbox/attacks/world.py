"""The host that is attacked: a canary, listeners that must hear nothing, and a look at the process table."""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import threading
import time
from pathlib import Path

from tests.sandbox.attacks.reach import SECRET_NAME


class World:
    """Stands for what must stay untouched. Use as a context; `check` asserts that it did."""

    def __init__(self) -> None:
        self.secret = secrets.token_hex(16)
        self.marker = f"atk{secrets.token_hex(5)}"
        self.abstract = f"deepresearch-{secrets.token_hex(6)}"
        self.heard: list[str] = []
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> World:
        self.folder = Path(tempfile.mkdtemp(prefix="canary-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.canary = self.folder / "canary"
        self.canary.write_text(self.secret)
        self.canary.chmod(0o666)
        os.environ[SECRET_NAME] = self.secret
        self.port = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("0.0.0.0", 0)).getsockname()[1]
        self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("0.0.0.0", self.port))
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                self._listen(socket.AF_INET6, kind, ("::1", self.port))
        except OSError:
            pass  # a machine without IPv6
        self.unix = str(self.folder / "socket")
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, self.unix)
        Path(self.unix).chmod(0o777)
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        return self

    def _listen(self, family: int, kind: int, address: object) -> socket.socket:
        made = socket.socket(family, kind)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            made.listen()
        self._sockets.append(made)
        threading.Thread(target=self._wait, args=(made, kind, str(address)), daemon=True).start()
        return made

    def _wait(self, made: socket.socket, kind: int, name: str) -> None:
        try:
            while True:
                if kind == socket.SOCK_STREAM:
                    made.accept()[0].close()
                else:
                    made.recv(10)
                self.heard.append(name)
        except OSError:
            pass

    @property
    def arguments(self) -> tuple[str, ...]:
        """What an attack is told."""
        return (self.marker, str(self.canary), str(self.port), self.unix, self.abstract)

    def survivors(self) -> list[str]:
        """Processes that carry the attack's name."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                try:
                    told = (folder / "comm").read_bytes() + (folder / "cmdline").read_bytes()
                    state = (folder / "stat").read_bytes().rpartition(b")")[2].split()[0]
                except OSError:
                    continue
                if self.marker.encode() in told and state not in (b"Z", b"X"):
                    found.append(folder.name)
        return found

    def check(self) -> None:
        """Assert that nothing was touched."""
        assert self.survivors() == []
        assert self.canary.read_text() == self.secret
        assert sorted(entry.name for entry in self.folder.iterdir()) == ["canary", "socket"]
        assert self.heard == []

    def __exit__(self, *_: object) -> None:
        for made in self._sockets:
            try:
                made.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            made.close()
        os.environ.pop(SECRET_NAME, None)
        for entry in self.folder.iterdir():
            entry.unlink()
        self.folder.rmdir()


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def wait_a_little(seconds: float) -> None:
    """Let what might still happen happen."""
    time.sleep(seconds)
