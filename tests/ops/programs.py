"""Real programs in tests: find them, start them on free ports of the loopback, end them again."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]

#: Where ops/tools/debian-programs and ops/collector/build put what they make.
TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deepresearch" / "tools" / "bin"

_HOW = {
    "prometheus": "apt-get install prometheus",
    "promtool": "apt-get install prometheus",
    "prometheus-alertmanager": "apt-get install prometheus-alertmanager",
    "logrotate": "apt-get install logrotate",
    "amtool": "apt-get install prometheus-alertmanager",
    "victoria-metrics": "ops/tools/debian-programs",
    "vmalert": "ops/tools/debian-programs",
    "docker-compose": "ops/tools/debian-programs",
    "otelcol": "ops/collector/build",
}


def program(name: str) -> str:
    """The path of a program; skips the test when it is not here."""
    found = shutil.which(name) or shutil.which(name, path=str(TOOLS))
    if found is None:
        # "docker" in a reason would make it one that must not be skipped where an engine is required.
        shown = name.replace("docker-compose", "the compose plug-in")
        pytest.skip(f"{shown} is not installed: {_HOW.get(name, 'install it')}")
    return found


def free_port() -> int:
    """A port nobody listens on, below those that outgoing connections take."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(what: str, check: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true result of `check`; fails the test when there is none for `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = check()
        except (OSError, ValueError, KeyError, IndexError):
            found = None
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


def get(address: str) -> bytes:
    """The body of a page. Raises `OSError` when it does not answer with 200."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        body: bytes = answer.read()
        return body


def get_json(address: str) -> Any:
    """The JSON document at an address."""
    return json.loads(get(address))


@contextmanager
def running(command: list[str], log: Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with its output in `log`; end it with SIGTERM, then SIGKILL."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, **more)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Webhook:
    """A receiver of alerts. `alerts` holds (path, alert) in the order of delivery."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, dict[str, Any]]] = []
        received = self.alerts

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                received.extend((self.path, alert) for alert in sent["alerts"])
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def find(self, name: str, status: str = "firing", path: str | None = None) -> dict[str, Any] | None:
        """The first alert of this name and status that was delivered (to `path`)."""
        for where, alert in list(self.alerts):
            if alert["labels"]["alertname"] == name and alert["status"] == status and path in (None, where):
                return alert
        return None

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A receiver of alerts."""
    receiver = Webhook()
    yield receiver
    receiver.close()


@contextmanager
def alertmanager(folder: Path, webhook: Webhook) -> Iterator[str]:
    """Alertmanager with the shipped configuration, only faster and with the webhook as its receivers."""
    text = (PROJECT / "ops" / "alertmanager.yml").read_text()
    for name in ("team", "pager"):
        text = _replaced(text, f"url_file: /run/secrets/{name}-url", f"url: http://127.0.0.1:{webhook.port}/{name}")
    text = _replaced(text, "group_wait: 30s", "group_wait: 1s")
    text = _replaced(text, "group_wait: 10s", "group_wait: 1s")
    text = _replaced(text, "group_interval: 5m", "group_interval: 1s")
    config = folder / "alertmanager.yml"
    config.write_text(text)
    port = free_port()
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with running(command, folder / "alertmanager.log"):
        address = f"http://127.0.0.1:{port}"
        wait_for("Alertmanager", lambda: get(f"{address}/-/ready"))
        yield address


def quick_rules(folder: Path) -> Path:
    """The shipped rules with windows of seconds instead of minutes."""
    text = (PROJECT / "ops" / "rules" / "deepresearch.rules.yml").read_text()
    for slow, quick in {
        "[5m]": "[12s]",
        "[10m]": "[12s]",
        "interval: 15s": "interval: 1s",
        "for: 2m": "for: 2s",
        "for: 5m": "for: 2s",
        "for: 10m": "for: 4s",
    }.items():
        text = _replaced(text, slow, quick)
    rules = folder / "quick.rules.yml"
    rules.write_text(text)
    return rules


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"{old} is not in the shipped configuration"
    return text.replace(old, new)


@contextmanager
def prometheus(folder: Path, targets: list[str], alerts_to: str) -> Iterator[str]:
    """Prometheus with the shipped configuration, only faster, scraping `targets` as job deepresearch."""
    text = (PROJECT / "ops" / "prometheus.yml").read_text()
    text = text.replace("15s", "1s")
    text = _replaced(text, "rules/deepresearch.rules.yml", str(quick_rules(folder)))
    text = _replaced(text, "alertmanager:9093", urllib.parse.urlsplit(alerts_to).netloc)
    text = _replaced(text, '["api:8080", "worker:9464"]', json.dumps(targets))
    config = folder / "prometheus.yml"
    config.write_text(text)
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
    ]
    with running(command, folder / "prometheus.log"):
        address = f"http://127.0.0.1:{port}"
        wait_for("Prometheus", lambda: get(f"{address}/-/ready"))
        yield address


def query(address: str, expression: str) -> list[dict[str, Any]]:
    """What Prometheus (or what speaks its language) answers to an expression now."""
    found = get_json(f"{address}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
    result: list[dict[str, Any]] = found["data"]["result"]
    return result
