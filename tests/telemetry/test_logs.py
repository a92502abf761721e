"""The log line of a sandbox run is the one that collectors read."""

from __future__ import annotations

import io
import json
import logging
import re
from pathlib import Path

import pytest

from deepresearch.telemetry import configure_logging
from deepresearch.telemetry.sandbox import record_run


def _run(stream: io.StringIO, *, status: str, streak: int, note: str = "", log_format: str = "json") -> str:
    configure_logging(stream=stream, log_format=log_format)
    record_run(
        status=status,
        reason="exit" if status == "failure" else "ok",
        duration_ms=88,
        outputs=0,
        failure_streak=streak,
        backend="docker",
        run_id="r-1",
        session_id="s-2",
        degradation_note=note,
    )
    return stream.getvalue()


@pytest.mark.parametrize(
    ("status", "streak", "level"),
    [("success", 0, "info"), ("failure", 1, "warning"), ("failure", 2, "warning"), ("failure", 3, "error")],
)
def test_one_flat_object_on_one_line(status: str, streak: int, level: str) -> None:
    written = _run(io.StringIO(), status=status, streak=streak, note="exit 1" if status != "success" else "")
    assert written.count("\n") == 1
    event = json.loads(written)
    assert list(event)[:5] == ["timestamp", "level", "target", "event_name", "message"]
    assert event["level"] == level
    assert event["target"] == "telemetry.sandbox"
    assert event["event_name"] == "sandbox.run"
    assert event["failure_streak"] == streak
    assert event["session_id"] == "s-2"
    assert event["math.alert_required"] is (status != "success")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event["timestamp"])


def test_text_form_is_what_the_second_collector_configuration_parses() -> None:
    written = _run(io.StringIO(), status="failure", streak=1, log_format="text")
    assert re.match(r"^(?P<time>[^ ]+)\s+(?P<level>[^ ]+)\s+(?P<target>[^ ]+)\s+-\s+(?P<body>.*)$", written)


def test_secrets_and_addresses_are_redacted() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    logging.getLogger("deepresearch.test").warning(
        "call to postgresql://user:hunter22@db failed for anna@example.org with sk-abcdefghijklmnop",
        extra={"api_token": "t0psecret", "input_tokens": 5},
    )
    line = stream.getvalue()
    for secret in ("hunter22", "anna@example.org", "sk-abcdefghijklmnop", "t0psecret"):
        assert secret not in line
    assert json.loads(line)["input_tokens"] == 5


def test_a_folder_that_cannot_be_written_costs_the_file_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    stream = io.StringIO()
    configure_logging(stream=stream, log_dir=blocked / "logs")
    assert "cannot be written" in json.loads(stream.getvalue())["message"]


def test_lines_reach_the_folder(tmp_path: Path) -> None:
    configure_logging(stream=io.StringIO(), log_dir=tmp_path)
    logging.getLogger("deepresearch.test").info("kept")
    assert json.loads((tmp_path / "deepresearch.jsonl").read_text())["message"] == "kept"
