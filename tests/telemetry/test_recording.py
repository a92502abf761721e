"""What sessions, model calls, searches and spans tell, through the public face."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.ops.series import Series, read_page

from deepresearch.telemetry import configure_logging, init_meter_provider, shutdown_meter_provider
from deepresearch.telemetry.model_calls import MOST_NAMES, model_call, record_model_call
from deepresearch.telemetry.prometheus import render_page
from deepresearch.telemetry.retrieval import searching
from deepresearch.telemetry.sessions import running_session, session_step
from deepresearch.telemetry.traces import current_trace, init_tracer_provider, shutdown_tracer_provider, span


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Log lines, with a meter provider of this test's own."""
    stream = io.StringIO()
    configure_logging(stream=stream)
    init_meter_provider("test-service")
    yield stream
    shutdown_meter_provider()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Recorded spans."""
    exporter = InMemorySpanExporter()
    init_tracer_provider("test-service", None, processors=(SimpleSpanProcessor(exporter),))
    yield exporter
    shutdown_tracer_provider()


def page() -> Series:
    """The metrics page without the labels of the process and without empty labels, which mean none."""
    return {
        (name, frozenset(pair for pair in labels if pair[1] and not pair[0].startswith("service_"))): value
        for (name, labels), value in read_page(render_page()[0]).items()
    }


def value(name: str, **labels: str) -> float:
    """The value of one series."""
    return page()[(name, frozenset(labels.items()))]


def told(stream: io.StringIO) -> list[dict[str, object]]:
    """The log lines."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_session_is_counted_from_its_start_to_its_end(lines: io.StringIO) -> None:
    with running_session("s-1", team="extractive") as session:
        assert value("deepresearch_sessions_running") == 1
        with session_step("s-1", "read:Q1"):
            logging.getLogger("deepresearch.test").warning("within")
        session.ended(
            "completed", claims={"supported": 3, "partial": 1}, math_alert_required=True, degradation_note="no figure"
        )
    assert value("deepresearch_sessions_running") == 0
    assert value("deepresearch_sessions_ended_total", state="completed") == 1
    assert value("deepresearch_sessions_ended_total", state="failed") == 0
    assert value("deepresearch_sessions_degraded_total") == 1
    assert value("deepresearch_claims_total", support="supported") == 3
    assert value("deepresearch_session_steps_total", step="read", outcome="success") == 1
    started, within, ended = told(lines)
    assert (started["event_name"], started["team"]) == ("session.started", "extractive")
    assert within["session_id"] == "s-1"
    assert (ended["level"], ended["math.degradation_note"], ended["claims"]) == ("warning", "no figure", 4)


def test_an_error_and_an_interruption_are_told_apart(lines: io.StringIO) -> None:
    with pytest.raises(ValueError, match="broken"), running_session("s-2"), session_step("s-2", "plan"):
        raise ValueError("broken")
    with pytest.raises(KeyboardInterrupt), running_session("s-3"):
        raise KeyboardInterrupt
    assert value("deepresearch_sessions_ended_total", state="failed") == 1
    assert value("deepresearch_sessions_ended_total", state="interrupted") == 1
    assert value("deepresearch_session_steps_total", step="plan", outcome="failure") == 1
    failed = next(line for line in told(lines) if line.get("state") == "failed")
    assert failed["error.type"] == "ValueError"
    assert "broken" not in lines.getvalue()


def test_a_model_call_counts_tokens_cost_and_errors(lines: io.StringIO) -> None:
    with model_call(provider="openai", model="m-1", agent="planner", session_id="s-4") as call:
        call.input_tokens, call.output_tokens, call.cost_usd = 120, 30, 0.25
    with pytest.raises(TimeoutError), model_call(provider="openai", model="m-1"):
        raise TimeoutError
    who = {"gen_ai_provider_name": "openai", "gen_ai_request_model": "m-1"}
    assert value("deepresearch_model_calls_total", **who, outcome="success") == 1
    assert value("deepresearch_model_calls_total", **who, outcome="failure") == 1
    assert value("deepresearch_model_tokens_total", **who, gen_ai_token_type="input") == 120
    assert value("deepresearch_model_cost_usd_total", **who) == 0.25
    operated = {**who, "gen_ai_operation_name": "chat"}
    assert value("gen_ai_client_token_usage_sum", **operated, gen_ai_token_type="output") == 30
    assert value("gen_ai_client_operation_duration_seconds_count", **operated) == 1
    assert value("gen_ai_client_operation_duration_seconds_count", **operated, error_type="TimeoutError") == 1
    good, bad = told(lines)
    assert (good["level"], good["input_tokens"], good["session_id"]) == ("info", 120, "s-4")
    assert (bad["level"], bad["error.type"]) == ("warning", "TimeoutError")


def test_names_of_models_do_not_grow_without_bound(lines: io.StringIO) -> None:
    for number in range(MOST_NAMES * 3):
        record_model_call(
            provider="p", model=f"m-{number}", input_tokens=1, output_tokens=1, cost_usd=None, duration_s=0.1
        )
    calls = {labels: count for (name, labels), count in page().items() if name == "deepresearch_model_calls_total"}
    assert len(calls) <= MOST_NAMES + 3
    assert sum(calls.values()) == MOST_NAMES * 3
    assert lines.getvalue().count("model.call") == MOST_NAMES * 3


def test_searches_are_counted_with_what_they_found(lines: io.StringIO) -> None:
    with searching("hybrid") as search:
        search.found = 7
    with pytest.raises(OSError, match="gone"), searching("web"):
        raise OSError("gone")
    assert value("deepresearch_retrieval_passages_total", kind="hybrid") == 7
    assert value("deepresearch_retrieval_searches_total", kind="web", outcome="failure") == 1


def test_spans_hang_together_and_hold_no_content(lines: io.StringIO, spans: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError), running_session("s-5"), session_step("s-5", "compute:M1"):
        with model_call(provider="p", model="m", agent="mathematician") as call:
            call.input_tokens = 9
        with searching("hybrid"):
            pass
        raise RuntimeError("the words of a document")
    recorded = {one.name: one for one in spans.get_finished_spans()}
    assert set(recorded) == {"invoke_workflow deepresearch", "session.step compute", "chat m", "retrieval hybrid"}
    whole, step, chat = (recorded[name] for name in ("invoke_workflow deepresearch", "session.step compute", "chat m"))
    assert step.parent is not None
    assert step.parent.span_id == whole.context.span_id
    assert chat.parent is not None
    assert chat.parent.span_id == step.context.span_id
    assert chat.attributes is not None
    assert chat.attributes["gen_ai.usage.input_tokens"] == 9
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert whole.attributes is not None
    assert whole.attributes["gen_ai.conversation.id"] == "s-5"
    assert whole.attributes["error.type"] == "RuntimeError"
    assert "the words of a document" not in " ".join(one.to_json() for one in recorded.values())
    ended = next(line for line in told(lines) if line.get("event_name") == "session.ended")
    assert ended["trace_id"] == f"{whole.context.trace_id:032x}"


def test_without_a_provider_a_span_is_nothing() -> None:
    with span("x", {"a": 1}) as opened:
        opened.set_attribute("b", 2)
    assert current_trace() is None


def test_a_second_provider_begins_anew_and_none_gives_an_empty_page(lines: io.StringIO) -> None:
    with searching("hybrid") as search:
        search.found = 1
    shutdown_meter_provider()
    assert render_page()[0] == b""
    init_meter_provider("test-service")
    assert value("deepresearch_retrieval_passages_total", kind="hybrid") == 0
    assert lines.getvalue() == ""


def test_a_scraper_may_ask_for_openmetrics(lines: io.StringIO) -> None:
    body, kind = render_page("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")
    assert lines.getvalue() == ""


def test_what_was_told_before_there_was_a_provider_stands_beside_nothing_after() -> None:
    program = (
        "from deepresearch.telemetry import init_meter_provider\n"
        "from deepresearch.telemetry.prometheus import render_page\n"
        "from deepresearch.telemetry.sessions import running_session\n"
        "with running_session('before'): pass\n"
        "init_meter_provider('late')\n"
        "with running_session('after'): print(render_page()[0].decode())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("deepresearch_sessions_running{")]
    assert [line.rpartition(" ")[2] for line in lines] == ["1.0"]
    assert "conflict" not in done.stderr
