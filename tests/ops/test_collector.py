"""Both collector configurations in a real collector, fed by the real program; the series are compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.ops.hosts import sandbox_host
from tests.ops.log_sink import LogSink, log_sink
from tests.ops.programs import PROJECT, free_port, get, program, running, wait_for
from tests.ops.series import Series, only, read_page

__all__ = ["log_sink"]

#: What the collector's exporter adds to the labels of the process.
ADDED = frozenset({"job", "instance", "otel_scope_name", "otel_scope_version", "otel_scope_schema_url",
                   "service_version", "telemetry_sdk_language", "telemetry_sdk_name", "telemetry_sdk_version"})  # fmt: skip
LOG_ROUTE, OTLP_ROUTE = ("events", "series"), ("otlp",)
#: What compose starts: series are pushed or scraped, log lines only become events.
COMPOSE = ("otlp", "events")
INSTANCE = frozenset({"service_instance_id"})


@contextmanager
def collector(files: tuple[str, ...], folder: Path, **settings: str) -> Iterator[str]:
    """The collector with a shipped configuration (files laid over each other); gives the address of its metrics page."""
    metrics, health = free_port(), free_port()
    environment = {
        **os.environ,
        "METRICS_ADDRESS": f"127.0.0.1:{metrics}",
        "HEALTH_ADDRESS": f"127.0.0.1:{health}",
        "OFFSETS_FOLDER": str(folder / "offsets"),
        **settings,
    }
    configs = [f"--config={PROJECT / 'ops' / 'collector' / name}.yaml" for name in files]
    command = [program("otelcol"), *configs]
    with running(command, folder / "collector.log", env=environment):
        wait_for("the collector", lambda: get(f"http://127.0.0.1:{health}/"))
        yield f"http://127.0.0.1:{metrics}/metrics"


def _page(address: str) -> Series:
    return read_page(get(address))


def _own(series: Series) -> Series:
    """The sandbox's series as the log route can know them: those that are not zero."""
    wanted = {**only(series, "telemetry_sandbox_", INSTANCE), **only(series, "math_alerts_", INSTANCE)}
    return {key: value for key, value in wanted.items() if value and not key[0].startswith("telemetry_sandbox_pool")}


def _without_zeros(series: Series) -> Series:
    return {key: value for key, value in series.items() if value}


@pytest.mark.parametrize("form", ["json", "text"])
def test_log_lines_become_the_series_of_the_process(
    tmp_path: Path, environment: dict[str, str], log_sink: LogSink, form: str
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    port = free_port()
    settings = {"log_dir": str(logs), "log_format": form}
    with (
        collector(
            LOG_ROUTE, tmp_path, LOG_FOLDER=str(logs), LOGS_ENDPOINT=log_sink.address, START_AT="beginning"
        ) as page,
        sandbox_host("deepresearch-api", environment, tmp_path / "host.log", port=port, settings=settings) as host,
    ):
        for word in ("fail", "fail", "ok"):
            host.run(word)
        # What logrotate does; and what libraries write between our lines.
        (logs / "deepresearch.jsonl").rename(logs / "deepresearch.jsonl-20261128")
        for word in ("fail", "fail", "fail"):
            host.run(word, "s-17")
        with (logs / "deepresearch.jsonl").open("a") as lines:
            lines.write(
                'Traceback (most recent call last):\n  File "x.py"\n{"target": "other", "failure_streak": 99}\n{broken\n'
            )
        host.run("fail", "s-17")

        own = _own(_page(f"http://127.0.0.1:{port}/metrics"))
        sum_name = "telemetry_sandbox_duration_seconds_sum"

        def compared(series: Series) -> Series:
            return {key: value for key, value in series.items() if key[0] != sum_name}

        def collected() -> Series:
            found = _page(page)
            return {
                **only(found, "telemetry_sandbox_", ADDED | INSTANCE), **only(found, "math_alerts_", ADDED | INSTANCE)
            }  # fmt: skip

        wait_for("the series", lambda: compared(_without_zeros(collected())) == compared(own), 30)
        for key, value in collected().items():
            if key[0] == sum_name:
                assert value == pytest.approx(own[key], abs=0.02)
        streak = [value for (name, _), value in own.items() if name == "telemetry_sandbox_failure_streak"]
        assert streak == [4.0]

        events = [record for record in log_sink.records if record.get("event_name") == "sandbox.run"]
        assert len(events) == 7
        degraded = [event for event in events if event.get("session_id") == "s-17"]
        assert len(degraded) == 4
        assert all(event["math.alert_required"] is True and event["math.degradation_note"] for event in degraded)
        # info 9, warning 13, error 17: from three failures in a row on an event is an error.
        assert [event["_severity"] for event in events] == [13, 13, 9, 13, 13, 17, 17]
        assert all(event["_time"] > 0 and event["_service"] == "deepresearch-api" for event in events)
        assert not [record for record in log_sink.records if record.get("target") == "other"]


def test_pushed_series_are_those_of_the_process(tmp_path: Path, environment: dict[str, str]) -> None:
    port, receiver = free_port(), free_port()
    settings = {"otel_metrics_endpoint": f"http://127.0.0.1:{receiver}", "otel_period_seconds": "0.5"}
    with (
        collector(
            OTLP_ROUTE,
            tmp_path,
            OTLP_HTTP_ADDRESS=f"127.0.0.1:{receiver}",
            OTLP_GRPC_ADDRESS=f"127.0.0.1:{free_port()}",
        ) as page,
        sandbox_host("deepresearch-worker", environment, tmp_path / "host.log", port=port, settings=settings) as host,
    ):
        for word in ("fail", "ok", "fail", "fail"):
            host.run(word)

        def difference() -> set[object]:
            own = only(_page(f"http://127.0.0.1:{port}/metrics"), "")
            own = {key: value for key, value in own.items() if key[0] not in ("target_info",)}
            pushed = only(_page(page), "", ADDED)
            pool = "telemetry_sandbox_pool"
            return {key for key, value in own.items() if pushed.get(key) != value and not key[0].startswith(pool)}

        wait_for("the pushed series", lambda: difference() == set() and "equal", 30)


def test_compose_s_collector_takes_pushes_and_passes_events_on(
    tmp_path: Path, environment: dict[str, str], log_sink: LogSink
) -> None:
    logs, receiver = tmp_path / "logs", free_port()
    logs.mkdir()
    settings = {"log_dir": str(logs), "otel_metrics_endpoint": f"http://127.0.0.1:{receiver}"}
    addresses = {
        "OTLP_HTTP_ADDRESS": f"127.0.0.1:{receiver}",
        "OTLP_GRPC_ADDRESS": f"127.0.0.1:{free_port()}",
        "LOGS_ENDPOINT": log_sink.address,
    }
    with collector(COMPOSE, tmp_path, LOG_FOLDER=str(logs), START_AT="beginning", **addresses) as page:
        with sandbox_host("deepresearch-worker", environment, tmp_path / "host.log", settings=settings) as host:
            host.run("fail", "s-5")
        # A push every 15 s: what is here was flushed by the host's end.
        pushed = wait_for("the push", lambda: only(_page(page), "telemetry_sandbox_runs", ADDED | INSTANCE), 30)
        runs = {dict(labels)["status"]: value for (_, labels), value in pushed.items()}
        assert runs == {"success": 0.0, "failure": 1.0, "timeout": 0.0}
        event = wait_for("the event", lambda: [e for e in log_sink.records if e.get("session_id") == "s-5"], 30)[0]
        assert event["math.degradation_note"]


def test_the_doctor_tells_the_right_port_of_a_real_receiver_from_the_wrong_one(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    http, grpc = free_port(), free_port()
    addresses = {"OTLP_HTTP_ADDRESS": f"127.0.0.1:{http}", "OTLP_GRPC_ADDRESS": f"127.0.0.1:{grpc}"}
    with collector(OTLP_ROUTE, tmp_path, **addresses):
        for port, told in ((http, "takes metrics over HTTP"), (grpc, "seems to be a port for gRPC")):
            settings = {
                **environment,
                "PYTHONPATH": str(PROJECT / "src"),
                "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": f"http://127.0.0.1:{port}",
            }
            done = subprocess.run(
                [sys.executable, "-m", "deepresearch", "doctor", "--json", "--no-draw"],
                env=settings, cwd=tmp_path, capture_output=True, text=True, check=False,
            )  # fmt: skip
            found = [one for one in json.loads(done.stdout)["findings"] if one["name"] == "otlp"]
            assert told in found[0]["detail"]
