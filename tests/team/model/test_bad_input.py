"""Wrong keys, names and addresses: one clear sentence, the right exit code, and never the key."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.team.model.asking import ask, corpus_at

from deepresearch.testing import Answer, ModelServer, Rule, Scenario

QUESTION = "How many ships did the harbour of Brackwater handle in 2023?"
KEY = "sk-secret-0123456789abcdef"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_at(tmp_path_factory.mktemp("harbour"))


def _query(
    environment: dict[str, str], documents: Path, *more: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in environment.items() if not name.endswith("_API_KEY")}
    named = {f"DEEPRESEARCH_{name.upper()}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "deepresearch", "query", QUESTION, "--sources", str(documents), *more],
        env={**clean, **named},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("team", "settings", "told"),
    [
        ("openai:gpt-4.1", {}, "needs an API key. Set OPENAI_API_KEY"),
        ("anthropic:claude-sonnet-4-5", {}, "needs an API key. Set ANTHROPIC_API_KEY"),
        ("google:gemini-2.5-flash", {}, "needs an API key. Set GOOGLE_API_KEY"),
        ("openai:gpt-4.1", {"openai_api_key": "  "}, "needs an API key"),
        ("oracle:delphi", {}, "There is no team 'oracle:delphi'. Use extractive, or PROVIDER:MODEL"),
        ("gpt-4.1", {}, "There is no team 'gpt-4.1'"),
        ("openai:", {}, "names no model"),
        ("compatible:llama", {}, "needs an address. Set DEEPRESEARCH_MODEL_BASE_URL"),
        ("openai:x", {"model_base_url": "ftp://example.org"}, "which is no address of an API"),
        ("openai:x", {"model_base_url": "not an address"}, "which is no address of an API"),
        ("openai:x", {"model_base_url": f"http://me:{KEY}@127.0.0.1:1/v1"}, "holds a name or a password"),
        ("openai:x", {"model_base_url": "https://example.org/v1", "offline": "true"}, "OFFLINE is set"),
        ("ollama:x", {"model_roles": "painter=ollama:y"}, "holds 'painter=ollama:y'. Write ROLE=PROVIDER:MODEL"),
        ("ollama:x", {"model_second": "nobody:y"}, "There is no team 'nobody:y'"),
        ("ollama:x", {"prompts": "/no/such/folder"}, "which is no folder"),
        ("ollama:x", {"model_prices": "/no/such/file"}, "cannot be used"),
    ],
)
def test_before_anything_is_asked(
    team: str, settings: dict[str, str], told: str, environment: dict[str, str], documents: Path
) -> None:
    ended = _query(environment, documents, "--team", team, **settings)
    assert ended.returncode == 2, ended.stderr
    assert told in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert KEY not in ended.stderr + ended.stdout


def test_a_wrong_key_is_never_printed(environment: dict[str, str], home: Path, documents: Path) -> None:
    with ModelServer(Scenario(key="sk-right")) as server:
        ended = _query(
            environment, documents, "--team", "openai:scripted", model_base_url=server.url, model_api_key=KEY
        )
        assert ended.returncode == 2
        assert "openai:scripted refused the API key" in ended.stderr
        assert KEY not in ended.stderr + ended.stdout
        assert len(server.log) == 1
        session = next(line.split()[0] for line in _sessions(environment).splitlines() if "failed" in line)
        ended = subprocess.run(
            [sys.executable, "-m", "deepresearch", "sessions", "resume", session],
            env={**environment, "DEEPRESEARCH_MODEL_BASE_URL": server.url, "DEEPRESEARCH_MODEL_API_KEY": "sk-right"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert "1,284" in ended.stdout
    kept = [path for path in home.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in kept if "sandbox" not in path.parts and KEY.encode() in path.read_bytes()]


def _sessions(environment: dict[str, str]) -> str:
    listed = subprocess.run(
        [sys.executable, "-m", "deepresearch", "sessions", "list"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout


def test_an_unknown_model(environment: dict[str, str], documents: Path) -> None:
    with ModelServer(Scenario(models=("other",))) as server:
        ended = _query(environment, documents, "--team", "openai:scripted", model_base_url=server.url)
    assert ended.returncode == 2
    assert "There is no model 'scripted' at openai" in ended.stderr


def test_a_base_address_that_is_a_web_page(environment: dict[str, str], documents: Path) -> None:
    with ModelServer(Scenario(rules=(Rule(then=(Answer(page="<h1>Hello</h1>"),), forever=True),))) as server:
        ended = _query(environment, documents, "--team", "openai:scripted", model_base_url=server.url)
        wrong = _query(environment, documents, "--team", "openai:x", model_base_url=server.url.removesuffix("/v1"))
    for one in (ended, wrong):
        assert one.returncode == 2
        assert "answered with a web page, not as the API of a model. Check DEEPRESEARCH_MODEL_BASE_URL" in one.stderr
        assert "Traceback" not in one.stderr


class _Nonsense(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"hello": "world"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


def test_an_api_that_is_another(environment: dict[str, str], documents: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Nonsense)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/v1"
    ended = _query(environment, documents, "--team", "openai:x", model_base_url=address, model_backoff_seconds="0.01")
    server.shutdown()
    assert ended.returncode == 0, ended.stderr
    assert "No language model answered" in ended.stdout
    assert "1,284" in ended.stdout


def test_nobody_listens(environment: dict[str, str], documents: Path) -> None:
    for policy, code in (("extractive", 0), ("stop", 1)):
        ended = _query(
            environment,
            documents,
            "--team",
            "openai:x",
            model_base_url="http://127.0.0.1:9/v1",
            model_backoff_seconds="0.01",
            model_outage=policy,
        )
        assert ended.returncode == code, ended.stderr
        assert "No language model answered" in ended.stdout + ended.stderr


def test_a_context_too_short_shortens_the_evidence(home: Path, tmp_path: Path) -> None:
    long = "\n\n".join(
        f"In the year {year} the harbour of Brackwater handled {year} ships." for year in range(1400, 2024)
    )
    sources = corpus_at(tmp_path / "long", {"long.md": f"# Ships of the harbour\n\n{long}\n"})
    asked = ask(home, sources, "How many ships did the harbour of Brackwater handle in 1987?", Scenario(context=1500))
    assert any("1,987" in one or "1987" in one for one in [asked.report["answer"]])
    shortened = [event for event in asked.events if event.data.get("what") == "shortened"]
    assert shortened
    assert {call.status for call in asked.calls if call.role == "reader"} == {"failed", "answered"}


def test_a_model_without_structured_output_answers_in_text(home: Path, documents: Path) -> None:
    asked = ask(home, documents, QUESTION, Scenario(tools=False))
    assert "no usable answer" not in asked.limits()
    assert "1,284" in asked.report["answer"]
    assert sum(served.outcome == "status 400" for served in asked.log) <= 4


def test_a_model_without_temperature_is_asked_without(home: Path, documents: Path) -> None:
    asked = ask(home, documents, QUESTION, Scenario(temperature=False))
    assert "no usable answer" not in asked.limits()
    assert [served.outcome for served in asked.log][:2] == ["status 400", "answered"]
    assert sum(served.outcome == "status 400" for served in asked.log) == 1


@pytest.mark.parametrize("model", ["gpt-5", "o3", "gpt-4.1", "llama3.3:70b"])
def test_nothing_is_written_beside_the_answer(model: str, environment: dict[str, str], documents: Path) -> None:
    with ModelServer() as server:
        ended = _query(environment, documents, "--team", f"openai:{model}", model_base_url=server.url)
        assert server.calls() > 4
    assert ended.returncode == 0
    assert ended.stderr == ""
