"""A real server in a process of its own, on a free port of loopback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

#: Documents small enough that a session over them takes about a second.
DOCUMENTS = {
    "harbour.md": "# Harbour\n\nThe harbour of Lindvik was opened in 1931. It has four quays for ferries.\n",
    "fleet/ferries.md": (
        "# Ferries\n\nThe fleet burned 910 tonnes of diesel in 2023. The fleet burned 840 tonnes of diesel in 2024.\n"
    ),
}

QUESTION = "When was the harbour of Lindvik opened?"


class Server:
    """A started server. `base` is its address."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path, *options: str) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.port = port
        self._command = [sys.executable, "-m", "deepresearch", "serve", "--addr", f"127.0.0.1:{port}", *options]
        self._environment = dict(environment)
        self._log = log
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        for _ in range(600):
            try:
                if httpx.get(f"{self.base}/healthz", timeout=5).status_code == 200:
                    return process
            except httpx.HTTPError:
                pass
            assert process.poll() is None, self.log
            time.sleep(0.1)
        process.kill()
        raise AssertionError(f"the server does not answer: {self.log}")

    @property
    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text("utf-8", "replace")

    def kill(self) -> None:
        """End it as by a power cut."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """Start it again at the same address."""
        self.process = self._start()

    def stop(self) -> int:
        """End it as an operator does; gives its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def http(self, token: str | None = None) -> httpx.Client:
        """A client for its address."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.base, headers=headers, timeout=60)


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(home: Path, *options: str, **settings: str) -> Iterator[Server]:
    """A server over this data folder, ended at the end. `settings` are names without their prefix, in small letters."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
    environment = {
        **kept,
        "DEEPRESEARCH_HOME": str(home),
        "DEEPRESEARCH_SANDBOX_BACKEND": "bubblewrap",
        "DEEPRESEARCH_STOP_PATIENCE_SECONDS": "2",
        "DEEPRESEARCH_TAKEOVER_GRACE_SECONDS": "0.5",
        **{f"DEEPRESEARCH_{name.upper()}": value for name, value in settings.items()},
    }
    server = Server(free_port(), environment, home.parent / f"{home.name}-server.log", *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            try:
                server.process.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def form_files(documents: Mapping[str, str | bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    """Documents as the parts of a form."""
    return [("files", (name, text.encode() if isinstance(text, str) else text)) for name, text in documents.items()]


def asked(http: httpx.Client, **fields: str) -> str:
    """Ask about the small documents; gives the session's id."""
    answer = http.post("/v1/sessions", data={"question": QUESTION, **fields}, files=form_files(DOCUMENTS))
    assert answer.status_code == 201, answer.text
    session_id: str = answer.json()["id"]
    return session_id


def rested(http: httpx.Client, session_id: str) -> str:
    """Wait until a session rests; gives its state."""
    for _ in range(1200):
        state: str = http.get(f"/v1/sessions/{session_id}").json()["state"]
        if state not in ("queued", "running", "interrupted"):
            return state
        time.sleep(0.05)
    raise AssertionError(f"{session_id} does not end")
