"""The command as a process: what it writes where, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import site
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.session.small import QUESTION, run, small_folder

PROJECT = Path(__file__).parents[2]


class Spoken:
    """The protocol by hand: a line for each message, and every line that comes back has to be one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.notices: list[dict[str, Any]] = []

    def send(self, method: str, parameters: dict[str, Any], number: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": parameters}
        self.write(json.dumps(message if number is None else message | {"id": number}))

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "standard output ended"
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0", line
        return message

    def answer(self, number: int) -> dict[str, Any]:
        """The answer to this request; notices that come before are kept."""
        while True:
            message = self.receive()
            if message.get("id") == number:
                return message
            self.notices.append(message)

    def hello(self) -> None:
        about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        self.send("initialize", about, 0)
        assert self.answer(0)["result"]["serverInfo"]["name"] == "deepresearch"
        self.send("notifications/initialized", {})

    def ask(self, number: int, folder: Path, **more: Any) -> None:
        arguments = {"question": QUESTION, "paths": [str(folder)], **more}
        self.send("tools/call", {"name": "ask", "arguments": arguments, "_meta": {"progressToken": number}}, number)

    def until_progress(self) -> None:
        while not any(notice["method"] == "notifications/progress" for notice in self.notices):
            self.notices.append(self.receive())


@contextmanager
def spoken(environment: Mapping[str, str], *options: str) -> Iterator[Spoken]:
    log = Path(environment["DEEPRESEARCH_HOME"]) / "mcp.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "deepresearch", "mcp", *options],
            env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
        try:
            yield Spoken(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                stream.close()


def test_standard_output_holds_the_protocol_and_nothing_else(environment: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing of the kind")
    with spoken({**environment, "DEEPRESEARCH_LOG_LEVEL": "debug"}, "--root", str(folder)) as speaker:
        for nonsense in ("", "not json", "[]", '{"jsonrpc": "2.0"}', '{"id": {}, "method": 7}', "\x00\x1b[31m"):
            speaker.write(nonsense)
        speaker.hello()
        speaker.ask(1, folder)
        result = speaker.answer(1)["result"]
        assert not result.get("isError"), result
        assert any("broken.pdf" in limit for limit in result["structuredContent"]["limits"])
        speaker.send("tools/call", {"name": "search", "arguments": {"text": "frost", "paths": [str(folder)]}}, 2)
        found = speaker.answer(2)["result"]["structuredContent"]
        assert [Path(one["source"]).name for one in found["refused"]] == ["broken.pdf"]
        rest, _ = speaker.process.communicate()
        assert rest == ""
        assert speaker.process.returncode == 0
    log = (Path(environment["DEEPRESEARCH_HOME"]) / "mcp.log").read_text()
    assert log, "log lines go to standard error"
    assert "Traceback" not in log


def test_it_ends_when_standard_input_is_closed_and_the_question_can_go_on(
    environment: dict[str, str], tmp_path: Path
) -> None:
    folder = small_folder(tmp_path)
    with spoken(environment, "--root", str(folder)) as speaker:
        speaker.hello()
        speaker.ask(1, folder, session_id="left")
        speaker.until_progress()
        assert speaker.process.stdin is not None
        speaker.process.stdin.close()
        assert speaker.process.wait() == 0
    _goes_on(environment, "left")


def test_it_ends_when_nobody_reads_its_answers(environment: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    with spoken(environment, "--root", str(folder)) as speaker:
        speaker.hello()
        speaker.ask(1, folder, session_id="left")
        speaker.until_progress()
        assert speaker.process.stdout is not None
        speaker.process.stdout.close()
        assert speaker.process.wait() == 0
    assert (Path(environment["DEEPRESEARCH_HOME"]) / "mcp.log").read_text() == ""
    _goes_on(environment, "left")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_the_question_can_go_on(
    environment: dict[str, str], tmp_path: Path, number: signal.Signals, code: int
) -> None:
    folder = small_folder(tmp_path)
    with spoken(environment, "--root", str(folder)) as speaker:
        speaker.hello()
        speaker.ask(1, folder, session_id="left")
        speaker.until_progress()
        speaker.process.send_signal(number)
        assert speaker.process.wait() == code
    assert "Traceback" not in (Path(environment["DEEPRESEARCH_HOME"]) / "mcp.log").read_text()
    _goes_on(environment, "left")


def _goes_on(environment: dict[str, str], session_id: str) -> None:
    shown = json.loads(run("sessions", "show", session_id, "--json", environment=environment).stdout)
    assert shown["state"] == "interrupted"
    done = run("sessions", "resume", session_id, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "completed"


@pytest.mark.parametrize("end", [signal.SIGINT, None])
def test_it_ends_before_anybody_spoke(environment: dict[str, str], end: signal.Signals | None) -> None:
    with spoken(environment) as speaker:
        if end is None:
            rest, _ = speaker.process.communicate()
            assert (rest, speaker.process.returncode) == ("", 0)
        else:
            speaker.hello()
            speaker.process.send_signal(end)
            assert speaker.process.wait() == 130


def test_a_root_that_is_no_folder_and_a_server_are_refused(environment: dict[str, str], tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("A.")
    for root in (str(tmp_path / "nowhere"), str(document)):
        done = run("mcp", "--root", root, environment=environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert root in done.stderr
    there = run("mcp", environment={**environment, "DEEPRESEARCH_SERVER": "http://127.0.0.1:9"})
    assert (there.returncode, there.stdout) == (2, "")
    assert "DEEPRESEARCH_SERVER" in there.stderr


def test_without_the_library_it_names_the_extra(environment: dict[str, str], tmp_path: Path) -> None:
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for folder in site.getsitepackages():
        for entry in Path(folder).iterdir():
            if not entry.name.startswith("mcp"):
                (libraries / entry.name).symlink_to(entry)
    done = subprocess.run(
        [sys.executable, "-S", "-m", "deepresearch", "mcp"],
        env={**environment, "PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(libraries)])},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "deepresearch[mcp]" in done.stderr
    assert "Traceback" not in done.stderr
