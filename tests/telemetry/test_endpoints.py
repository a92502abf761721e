"""An endpoint that is dead, hangs or speaks another protocol delays nothing beyond its bound."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from tests.telemetry.receiver import Receiver

from deepresearch.model.errors import UsageError
from deepresearch.telemetry.otlp import check_endpoint, signal_address

SOURCE = Path(__file__).parents[2] / "src"


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def chattering() -> Iterator[str]:
    """A server that speaks something that is no HTTP."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.sendall(b"\0\0\0\x04\0\0\0\0\0")

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def refusing() -> Iterator[str]:
    """Nobody listens there."""
    yield "http://127.0.0.1:9"


@contextmanager
def unknown() -> Iterator[str]:
    """A name that nobody has."""
    yield "http://no-such-host.invalid:4318"


RECORDING = """
import sys, time
from deepresearch.telemetry import init_meter_provider, shutdown_meter_provider
from deepresearch.telemetry.sandbox import record_run

init_meter_provider("test", sys.argv[1], period_s=0.05, export_timeout_s=3600)
for _ in range(200):
    record_run(status="failure", reason="exit", duration_ms=88, outputs=0, failure_streak=1, backend="none", run_id="r")
    time.sleep(0.001)
shutdown_meter_provider(1.0)
print("ended")
"""


@pytest.mark.parametrize("server", [silent, chattering, refusing, unknown])
def test_recording_and_ending_do_not_wait_for_an_endpoint(
    server: Callable[[], AbstractContextManager[str]],
) -> None:
    # An export may take an hour here: coming to the end is the proof that nothing waits for one.
    with server() as endpoint:
        done = subprocess.run(
            [sys.executable, "-c", RECORDING, endpoint],
            env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


def test_a_command_with_a_dead_endpoint_gives_its_result_and_ends(tmp_path: Path, environment: dict[str, str]) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('done')")
    with silent() as endpoint:
        settings = {
            **environment,
            "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": endpoint,
            "DEEPRESEARCH_OTEL_TRACES_ENDPOINT": endpoint,
        }
        done = subprocess.run(
            [sys.executable, "-m", "deepresearch", "sandbox", "run", str(script)],
            env=settings, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
    if done.returncode == 125:
        pytest.skip("no bubblewrap sandbox is built here")
    assert (done.returncode, done.stdout) == (0, "done\n")


@pytest.mark.parametrize("code", [0, 1])
def test_a_command_pushes_its_run_and_its_spans_before_it_ends(
    tmp_path: Path, environment: dict[str, str], receiver: Receiver, code: int
) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"raise SystemExit({code})")
    settings = {
        **environment,
        "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": receiver.address,
        "DEEPRESEARCH_OTEL_TRACES_ENDPOINT": receiver.address,
        "DEEPRESEARCH_LOG_LEVEL": "info",
    }
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "sandbox", "run", str(script)],
        env=settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 125:
        pytest.skip("no bubblewrap sandbox is built here")
    assert done.returncode == code
    assert '"event_name": "sandbox.run"' in done.stderr
    runs = receiver.points("telemetry.sandbox.runs")
    assert runs[{0: "success", 1: "failure"}[code]] == 1
    assert receiver.resource("service.name") == {"deepresearch-cli"}
    assert [span.name for span in receiver.spans()] == ["execute_tool python_sandbox"]
    assert receiver.attribute(receiver.spans()[0], "gen_ai.tool.name") == "python_sandbox"


def test_a_question_is_one_trace_from_the_session_to_the_sandbox(
    tmp_path: Path, environment: dict[str, str], home: Path, corpus: Path, receiver: Receiver
) -> None:
    settings = {
        **environment,
        "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": receiver.address,
        "DEEPRESEARCH_OTEL_TRACES_ENDPOINT": receiver.address,
    }
    question = "How did the CO2 emissions of Tervane Sound Ferries change between 2014 and 2024?"
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "query", question, "--sources", str(corpus), "--out", str(tmp_path / "out")],
        env=settings, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    spans = receiver.spans()
    names = {span.span_id: span.name for span in spans}
    parents = {(span.name, names.get(span.parent_span_id)) for span in spans}
    assert len({span.trace_id for span in spans}) == 1
    assert ("invoke_workflow deepresearch", None) in parents
    assert ("session.step plan", "invoke_workflow deepresearch") in parents
    assert ("retrieval hybrid", "session.step read") in parents
    if (home / "sandbox" / "bubblewrap").is_dir():
        assert ("execute_tool python_sandbox", "session.step compute") in parents
    assert receiver.points("deepresearch.sessions.ended")["completed"] == 1
    assert receiver.points("deepresearch.claims")["supported"] > 0
    content = " ".join(str(span) for span in spans)
    assert "Tervane" not in content


def test_an_address_that_is_none_and_a_protocol_without_its_library_are_refused_in_a_sentence() -> None:
    for endpoint in ("localhost:4318", "ftp://x", "http://", "http://x:99999", "grpc://x:4317", "", "http://x:0"):
        with pytest.raises(UsageError, match="is no address"):
            check_endpoint(endpoint, "http")
    with pytest.raises(UsageError, match="DEEPRESEARCH_OTEL_PROTOCOL"):
        check_endpoint("http://x:4318", "thrift")
    try:
        import opentelemetry.exporter.otlp.proto.grpc as _  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        with pytest.raises(UsageError, match="otlp-grpc"):
            check_endpoint("http://x:4317", "grpc")


def test_the_path_of_a_signal_is_appended_once() -> None:
    assert signal_address("http://x:4318", "metrics") == "http://x:4318/v1/metrics"
    assert signal_address("http://x:4318/", "traces") == "http://x:4318/v1/traces"
    assert signal_address("http://x/opentelemetry/v1/metrics", "metrics") == "http://x/opentelemetry/v1/metrics"


def test_a_wrong_endpoint_is_a_sentence_of_the_command(tmp_path: Path, environment: dict[str, str]) -> None:
    script = tmp_path / "script.py"
    script.write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "sandbox", "run", str(script)],
        env={**environment, "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": "collector:4318"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is no address" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_forked_process_has_a_name_of_its_own() -> None:
    from deepresearch.telemetry.resource import service_instance_id

    own = service_instance_id()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, service_instance_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 200).decode() != own
    assert service_instance_id() == own
