"""The scripted model over its wire: answers, streams, tools, misbehaviour, and what its log says of them."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deepresearch.model.errors import UsageError
from deepresearch.testing import Answer, ModelServer, Rule, Scenario, When, load_scenario

EXAMPLES = Path(__file__).parents[2] / "examples" / "scenarios"
TOOL = {"type": "function", "function": {"name": "plan", "parameters": {"type": "object"}}}
MESSAGES = [
    {"role": "system", "content": "You plan."},
    {"role": "user", "content": json.dumps({"task": "plan", "question": "How did emissions change?"})},
]


def _post(url: str, body: Any, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=20)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", f"{parts.path}/chat/completions", data, {"Content-Type": "application/json", **headers})
    response = connection.getresponse()
    try:
        content = response.read()
    except http.client.IncompleteRead as cut:
        content = cut.partial
    return response.status, response.headers, content


def _events(content: bytes) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in content.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def _always(answer: Answer) -> Scenario:
    return Scenario(rules=(Rule(then=(answer,), forever=True),))


def test_a_whole_answer_calls_the_tool_and_counts_its_tokens() -> None:
    with ModelServer() as server:
        status, _, content = _post(server.url, {"model": "m", "messages": MESSAGES, "tools": [TOOL]})
        answer = json.loads(content)
        assert server.reported() == (answer["usage"]["prompt_tokens"], answer["usage"]["completion_tokens"])
    assert status == 200
    call = answer["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call["name"] == "plan"
    assert json.loads(call["arguments"])["sub_questions"][0]["question"] == "How did emissions change?"
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert answer["usage"]["prompt_tokens"] == -(-len("\n".join(m["content"] for m in MESSAGES)) // 4)


def test_a_stream_adds_up_to_the_whole_answer() -> None:
    body = {"model": "m", "messages": MESSAGES, "tools": [TOOL]}
    with ModelServer() as server:
        whole = json.loads(_post(server.url, body)[2])
        streamed = _events(_post(server.url, {**body, "stream": True, "stream_options": {"include_usage": True}})[2])
        bare = _events(_post(server.url, {**body, "stream": True})[2])
    deltas = [event["choices"][0]["delta"] for event in streamed[:-2]]
    arguments = "".join(
        call["function"].get("arguments", "") for delta in deltas for call in delta.get("tool_calls", [])
    )
    assert arguments == whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert streamed[-1] == "[DONE]" and streamed[-2]["usage"] == whole["usage"]
    assert not [event for event in bare if event != "[DONE]" and event.get("usage")]


def test_a_stream_cut_short_has_no_end() -> None:
    body = {
        "model": "m",
        "messages": MESSAGES,
        "tools": [TOOL],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with ModelServer(_always(Answer(cut_after=0.5))) as server:
        events = _events(_post(server.url, body)[2])
        assert server.log[0].outcome == "cut" and server.log[0].usage is None
    assert events and "[DONE]" not in events
    assert not any(event["choices"][0]["finish_reason"] for event in events)


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (Answer(status=429, headers={"Retry-After": "7"}), 429, "application/json"),
        (Answer(status=500, body={"error": "x"}), 500, "application/json"),
        (Answer(page="<h1>Hi</h1>"), 200, "text/html; charset=utf-8"),
    ],
)
def test_errors_and_pages(answer: Answer, status: int, kind: str) -> None:
    with ModelServer(_always(answer)) as server:
        got, headers, _ = _post(server.url, {"model": "m", "messages": MESSAGES})
    assert (got, headers["Content-Type"]) == (status, kind)
    assert headers.get("Retry-After") == answer.headers.get("Retry-After")


def test_hanging_up() -> None:
    with ModelServer(_always(Answer(hang_up=True))) as server, pytest.raises(http.client.RemoteDisconnected):
        _post(server.url, {"model": "m", "messages": MESSAGES})


def test_keys_models_tools_and_context() -> None:
    with ModelServer(Scenario(key="right", models=("a", "b"), tools=False, context=100)) as server:
        right = {"Authorization": "Bearer right"}
        assert _post(server.url, {"model": "a", "messages": MESSAGES})[0] == 401
        assert _post(server.url, {"model": "c", "messages": MESSAGES}, **right)[0] == 404
        assert _post(server.url, {"model": "a", "messages": MESSAGES, "tools": [TOOL]}, **right)[0] == 400
        long = [{"role": "user", "content": "x" * 401}]
        status, _, content = _post(server.url, {"model": "a", "messages": long}, **right)
        assert status == 400 and json.loads(content)["error"]["code"] == "context_length_exceeded"
        assert _post(server.url, {"model": "b", "messages": MESSAGES}, **right)[0] == 200
        with urllib.request.urlopen(f"{server.url}/models") as response:
            assert [model["id"] for model in json.load(response)["data"]] == ["a", "b"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff\xfe", b'"text"'])
def test_a_request_that_is_none_is_refused(body: bytes) -> None:
    with ModelServer() as server:
        assert _post(server.url, body)[0] == 400


def test_rules_are_used_up_in_order_and_filtered() -> None:
    scenario = Scenario(
        rules=(
            Rule(when=When(task="plan", repair=False), then=(Answer(text="one"), Answer(text="two"))),
            Rule(when=When(contains="emissions"), then=(Answer(text="three"),)),
            Rule(when=When(model="z"), then=(Answer(text="four"),), forever=True),
        )
    )
    with ModelServer(scenario) as server:
        said = [
            json.loads(_post(server.url, {"model": model, "messages": MESSAGES})[2])["choices"][0]["message"]["content"]
            for model in ("m", "m", "m", "z", "z", "m")
        ]
        assert server.calls("plan") == server.calls() == 6
    assert said[:5] == ["one", "two", "three", "four", "four"]
    assert "sub_questions" in said[5]


@pytest.mark.parametrize("name", ["scenario.yaml", "scenario.json"])
def test_scenarios_are_plain_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    given = {"name": "x", "rules": [{"when": {"task": "read"}, "then": [{"twists": ["invent_quotes"]}]}]}
    path.write_text(
        json.dumps(given)
        if name.endswith("json")
        else "name: x\nrules:\n- when: {task: read}\n  then:\n  - twists: [invent_quotes]\n"
    )
    assert load_scenario(path) == Scenario.model_validate(given)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [", "is no YAML or JSON in line"),
        ("rules: 3", "is wrong at rules"),
        ("rules: [{then: [{twists: [dance]}]}]", "is wrong at rules.0.then.0.twists.0"),
        ("colour: red", "is wrong at colour"),
        ("- a\n- b", "is wrong at the file"),
        ("rules: [{then: [{status: 99}]}]", "is wrong at rules.0.then.0.status"),
    ],
)
def test_a_wrong_scenario_is_named(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"wrong\.yaml") as raised:
        load_scenario(path)
    assert told in str(raised.value)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: str(path.stem))
def test_the_examples_can_be_served(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.rules and scenario.name.replace(" ", "-") == path.stem


def test_a_missing_scenario_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_scenario(tmp_path / "none.yaml")


def test_the_command_serves_until_it_is_stopped(environment: dict[str, str], tmp_path: Path) -> None:
    scenario = tmp_path / "says-hello.yaml"
    scenario.write_text("rules:\n- then: [{text: hello}]\n  forever: true\n", encoding="utf-8")
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "deepresearch", "testing", "model-server", str(scenario), "--log", str(log)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert (
        json.loads(_post(url, {"model": "m", "messages": MESSAGES})[2])["choices"][0]["message"]["content"] == "hello"
    )
    os.kill(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    kept = json.loads(log.read_text(encoding="utf-8"))
    assert (kept["task"], kept["outcome"], kept["request"]["model"]) == ("plan", "answered", "m")


def test_a_port_in_use_is_named(environment: dict[str, str]) -> None:
    with ModelServer() as server:
        port = str(urlsplit(server.url).port)
        command = [sys.executable, "-m", "deepresearch", "testing", "model-server", "--port", port]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert f"Port {port} cannot be opened" in ended.stderr
