"""The real service under test: ``deepresearch serve`` in a process of its own, spoken to over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.ops.programs import PROJECT, free_port, get, get_json, wait_for

SCRIPTS = {"ok": "print('fine')", "fail": "raise SystemExit(1)"}


class Service:
    """A running API. `target` is HOST:PORT for Prometheus."""

    def __init__(self, port: int) -> None:
        self.target = f"127.0.0.1:{port}"
        self.base = f"http://{self.target}"

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """What the API answers to a JSON body."""
        request = urllib.request.Request(
            f"{self.base}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def run(self, word: str) -> dict[str, Any]:
        """Run the script of that name in the sandbox, to its end."""
        result: dict[str, Any] = self.post("/v1/sandbox/runs", {"script": SCRIPTS[word]})
        return result

    def ask(self, question: str, sources: list[str]) -> str:
        """Ask a question and wait for the session's end; gives its id."""
        session: str = self.post("/v1/sessions", {"question": question, "sources": sources})["id"]
        wait_for(
            "the session's end",
            lambda: get_json(f"{self.base}/v1/sessions/{session}")["state"] not in ("queued", "running"),
            120,
        )
        return session

    def metrics(self) -> bytes:
        """The page that Prometheus reads."""
        return get(f"{self.base}/metrics")


@contextmanager
def service(
    environment: dict[str, str], log: Path, *, settings: dict[str, str] | None = None, port: int = 0
) -> Iterator[Service]:
    """``deepresearch serve`` with its log lines in `log`."""
    port = port or free_port()
    environment = {
        **environment,
        "PYTHONPATH": str(PROJECT / "src"),
        **{f"DEEPRESEARCH_{name.upper()}": value for name, value in (settings or {}).items()},
    }
    command = [sys.executable, "-m", "deepresearch", "serve", "--addr", f"127.0.0.1:{port}"]
    with log.open("ab") as lines, log.with_suffix(".err").open("ab") as errors:
        process = subprocess.Popen(command, env=environment, stdout=lines, stderr=errors)
        try:
            running = Service(port)
            wait_for("the service", lambda: get(f"{running.base}/healthz"))
            yield running
        finally:
            process.terminate()
            process.wait(60)


def events(log: Path, name: str) -> list[dict[str, Any]]:
    """The log lines of one event name."""
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event_name") == name]
