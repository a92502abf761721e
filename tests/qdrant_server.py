"""A Qdrant server of the tests' own: its storage in a temporary folder, on free loopback ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

MISSING = (
    "no Qdrant server: put the program `qdrant` on PATH, or set DEEPRESEARCH_TEST_QDRANT_URL to the address of one"
)
_START = 60.0  # seconds it may take to answer


def program() -> str | None:
    """The server's program; None when none is on PATH."""
    return shutil.which("qdrant")


class QdrantServer:
    """A server that can be killed and started again. Used by one test process; `close` removes it.

    `settings` are Qdrant's own, for instance ``{"SERVICE__API_KEY": "…"}``.
    """

    def __init__(self, **settings: str) -> None:
        found = program()
        assert found is not None
        self._program = found
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="deepresearch-qdrant-"))
        self._ports = _free_ports(2)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        own = {
            "SERVICE__HOST": "127.0.0.1",
            "SERVICE__HTTP_PORT": str(self._ports[0]),
            "SERVICE__GRPC_PORT": str(self._ports[1]),
            "STORAGE__STORAGE_PATH": str(self._folder / "storage"),
            "STORAGE__SNAPSHOTS_PATH": str(self._folder / "snapshots"),
            "TELEMETRY_DISABLED": "true",
            "LOG_LEVEL": "WARN",
            **self._settings,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("QDRANT__")}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "--disable-telemetry"],
                cwd=self._folder,
                env={**kept, **{f"QDRANT__{name}": value for name, value in own.items()}},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + _START
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"qdrant did not start: {(self._folder / 'log').read_text('utf-8', 'replace')}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as refused:
            return refused.code in (401, 403)
        except OSError:
            return False

    def kill(self) -> None:
        """End it without warning, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it and remove everything."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
