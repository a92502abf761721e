"""The processes under test: a sandbox host on the loopback, told what to run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.ops.programs import PROJECT


class Host:
    """A running `sandbox_host`; `run` makes its sandbox run a script and gives the result."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self._process = process
        self.address = address

    def run(self, word: str, session: str = "") -> dict[str, Any]:
        """Run the script of that name to its end."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word} {session}\n")
        self._process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next answer of the host."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise AssertionError(f"the host ended with {self._process.wait()}")


@contextmanager
def sandbox_host(
    service: str, environment: dict[str, str], log: Path, *, port: int = 0, settings: dict[str, str] | None = None
) -> Iterator[Host]:
    """Start a host; its log lines go to `log`, its metrics page to `port` when one is given."""
    address = f"127.0.0.1:{port}" if port else ""
    environment = {
        **environment,
        "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}",
        **({"DEEPRESEARCH_METRICS_ADDR": address} if address else {}),
        **{f"DEEPRESEARCH_{name.upper()}": value for name, value in (settings or {}).items()},
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.ops.sandbox_host", service],
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        try:
            host = Host(process, address)
            assert host.answer() == {"ready": True}
            yield host
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)
