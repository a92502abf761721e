"""Starting, listening, and what every answer and every request has to be."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.api.conftest import ACME
from tests.api.servers import Server, asked, rested, started

from deepresearch.api.access import Scope, Tokens
from deepresearch.api.gate import hosts_allowed, is_loopback
from deepresearch.api.rates import Rates
from deepresearch.settings import Settings


def _serve(home: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
    environment = {**kept, "DEEPRESEARCH_HOME": str(home), **settings}
    return subprocess.run(
        [sys.executable, "-m", "deepresearch", "serve", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("addr", ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "example.org:80"])
def test_without_a_token_it_listens_on_loopback_only(home: Path, addr: str) -> None:
    done = _serve(home, "--addr", addr)
    assert done.returncode == 2
    assert "DEEPRESEARCH_API_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _serve(home, "--addr", f"127.0.0.1:{port}")
    assert done.returncode == 2
    assert f"127.0.0.1:{port} is taken" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("addr", ["nonsense", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:"])
def test_addresses_that_cannot_be_meant(home: Path, addr: str) -> None:
    done = _serve(home, "--addr", addr)
    assert done.returncode == 2
    assert "HOST:PORT" in done.stderr


@pytest.mark.parametrize("tokens", ["onlyatoken", "a:B!", "a:acme:fly", ":acme", "a:acme a:globex"])
def test_tokens_that_cannot_be_meant(home: Path, tokens: str) -> None:
    done = _serve(home, DEEPRESEARCH_API_TOKENS=tokens)
    assert done.returncode == 2
    assert "DEEPRESEARCH_API_TOKEN" in done.stderr
    assert "onlyatoken" not in done.stderr


def test_a_database_that_is_not_there(home: Path) -> None:
    done = _serve(home, "--addr", "127.0.0.1:0", DEEPRESEARCH_DATABASE_URL="postgresql://u:secret@127.0.0.1:1/x")
    assert done.returncode == 1
    assert "secret" not in done.stderr + done.stdout
    assert "127.0.0.1" in done.stderr


def test_tokens_in_every_way_of_writing() -> None:
    tokens = Tokens(
        Settings(api_token="one", api_tokens="a:acme:read,write;b:globex:read+review\nc:initech, d:hooli:*")
    )
    found = {token: tokens.caller(token) for token in ("one", "a", "b", "c", "d", "e", "", "A")}
    assert [caller and caller.tenant for caller in found.values()] == [
        "default", "acme", "globex", "initech", "hooli", None, None, None,
    ]  # fmt: skip
    assert found["a"] and found["a"].scopes == {Scope.READ, Scope.WRITE}
    assert found["b"] and found["b"].scopes == {Scope.READ, Scope.REVIEW}
    assert found["d"] and found["d"].scopes == set(Scope)
    assert "one" not in repr(found["one"])
    assert not Tokens(Settings(api_token="", api_tokens=" "))


def test_names_and_addresses_of_loopback() -> None:
    assert [is_loopback(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]")] == [True] * 5
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "")] == [False] * 5
    assert hosts_allowed("0.0.0.0", [""]) is None
    assert "research.example" in (hosts_allowed("0.0.0.0", ["research.example"]) or ())


def test_rates_refill_with_time() -> None:
    now = [0.0]
    rates = Rates(60, lambda: now[0])
    assert [rates.take("a") for _ in range(15)] == [None] * 15
    wait = rates.take("a")
    assert wait is not None
    assert rates.take("b") is None
    now[0] += wait
    assert rates.take("a") is None
    assert rates.take("a") is not None


def test_a_caller_that_hurries_is_told_to_wait(home: Path) -> None:
    with started(home, api_requests_per_minute="60") as server, server.http() as http:
        answers = [http.get("/v1/sessions") for _ in range(30)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert int(refused[0].headers["retry-after"]) >= 1
        assert refused[0].headers["content-type"] == "application/problem+json"
        assert http.get("/healthz").status_code == 200, "whoever watches the server is not counted"


def test_a_full_queue_says_when_to_come_again(home: Path) -> None:
    with started(home, "--no-workers-in-process", max_waiting_sessions="2") as server, server.http() as http:
        made = http.post("/v1/collections/c/documents", files=[("files", ("a.md", b"# A\n\nA text.\n"))])
        assert made.status_code == 200
        answers = [http.post("/v1/sessions", json={"question": "What?", "collection": "c"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [201, 201, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert len(http.get("/v1/sessions").json()["sessions"]) == 2


def test_every_answer_has_its_number_and_its_headers(http: httpx.Client, local: Server) -> None:
    for path in ("/", "/healthz", "/v1/sessions", "/v1/nowhere", "/metrics"):
        answer = http.get(path)
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
    mine = http.get("/healthz", headers={"X-Request-ID": "mine-1"})
    assert mine.headers["x-request-id"] == "mine-1"
    assert '"request_id": "mine-1"' in local.log
    forged = http.get("/healthz", headers={"X-Request-ID": 'x" forged'})
    assert forged.headers["x-request-id"] != 'x" forged'


def test_head_is_a_get_without_its_body(http: httpx.Client) -> None:
    session_id = asked(http)
    rested(http, session_id)
    for path in ("/", "/healthz", f"/v1/sessions/{session_id}", f"/v1/sessions/{session_id}/report"):
        answer = http.head(path)
        assert answer.status_code == 200
        assert answer.content == b""
        assert answer.headers["content-length"] == http.get(path).headers["content-length"]
    assert http.head(f"/v1/sessions/{session_id}/events").status_code == 200
    assert http.head("/v1/sessions/never").status_code == 404


def test_ranges_are_not_given_but_the_whole(http: httpx.Client) -> None:
    session_id = asked(http)
    rested(http, session_id)
    for value in ("bytes=0-3", "bytes=999999999-", "bytes=-1", "lines=1-2", "bytes=3-0"):
        answer = http.get(f"/v1/sessions/{session_id}/report", headers={"Range": value})
        assert answer.status_code == 200
        assert answer.json()["session_id"] == session_id


@pytest.mark.parametrize(("method", "path"), [("PUT", "/v1/sessions"), ("PATCH", "/healthz"), ("BREW", "/v1/sessions")])
def test_methods_that_an_address_does_not_take(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "", "127.0.0.1.evil.example:80", "169.254.1.1"]
)
def test_a_name_that_was_made_to_lead_here_is_not_answered(http: httpx.Client, host: str) -> None:
    for path in ("/", "/v1/sessions", "/healthz"):
        assert http.get(path, headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "[::1]:8080", "LOCALHOST."])
def test_names_of_this_machine_are_answered(http: httpx.Client, host: str) -> None:
    assert http.get("/v1/sessions", headers={"Host": host}).status_code == 200


def test_other_sites_may_not_use_it(http: httpx.Client, local: Server) -> None:
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{local.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = http.post("/v1/sessions", files=[("files", ("a.md", b"# A"))], data={"question": "?"}, headers=headers)
        assert answer.status_code == 403, headers
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert http.options("/v1/sessions", headers=preflight).status_code == 403
    assert http.get("/v1/sessions", headers={"Origin": local.base}).status_code == 200


def test_ready_and_metrics(shared: Server) -> None:
    with httpx.Client(base_url=shared.base, timeout=60) as http:
        ready = http.get("/readyz").json()
        assert ready["status"] in ("ready", "degraded")
        assert set(ready["checks"]) == {"store", "index", "sandbox"}
        assert ready["checks"]["store"]["state"] == "ok"
        wrong = http.get("/v1/sessions", headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401
        assert http.get("/v1/sessions", headers={"Authorization": f"Bearer {ACME}"}).status_code == 200
        text = http.get("/metrics").text
    counted = re.search(r"^deepresearch_api_wrong_tokens_total\{[^}]*\} (\d+)", text, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) >= 1
    assert 'route="/v1/sessions"' in text
    assert "Bearer" not in text
    assert ACME not in text


def test_metrics_may_want_a_token(home: Path) -> None:
    tokens = "m-token:ops:metrics r-token:acme:read"
    with started(home, api_tokens=tokens, api_metrics_public="false") as server:
        for token, status in ((None, 401), ("r-token", 403), ("m-token", 200)):
            with server.http(token) as http:
                assert http.get("/metrics").status_code == status


def test_no_token_is_ever_written(shared: Server) -> None:
    with shared.http(ACME) as http:
        http.get("/v1/sessions")
    with shared.http("guessed-token-987654") as http:
        http.get("/v1/sessions")
    assert ACME not in shared.log
    assert "guessed-token" not in shared.log


def test_a_store_that_goes_away_is_not_ready(home: Path) -> None:
    with started(home, "--no-workers-in-process") as server, server.http() as http:
        assert http.get("/readyz").status_code == 200
        index = home / "index"
        index.rmdir()
        index.write_text("in the way")
        answer = http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"]["index"]["state"] == "failed"
        assert http.get("/healthz").status_code == 200


def test_a_script_in_the_sandbox(http: httpx.Client) -> None:
    ready = http.get("/readyz").json()["checks"]["sandbox"]
    if ready["state"] != "ok":
        pytest.skip(f"sandbox: {ready['detail']}")
    script = "import pathlib, sys; print(sys.argv[1]); pathlib.Path('b.txt').write_text(open('a.txt').read().upper())"
    answer = http.post(
        "/v1/sandbox/runs",
        params={"content": "true"},
        data={"script": script, "args": ["one"], "expects": ["b.txt"]},
        files=[("files", ("a.txt", b"hello"))],
    )
    result = answer.json()
    assert result["status"] == "success", result
    assert result["stdout"] == "one\n"
    assert result["contents"] == {"b.txt": "SEVMTE8="}
    failed = http.post("/v1/sandbox/runs", json={"script": "raise SystemExit(3)"}).json()
    assert (failed["status"], failed["exit_code"]) == ("failure", 3)
    late = http.post("/v1/sandbox/runs", json={"script": "while True: pass", "timeout": 0.5}).json()
    assert late["status"] == "timeout"
    refused = http.post("/v1/sandbox/runs", json={"script": "print(1)", "expects": ["../x"]}).json()
    assert refused["reason"] == "invalid_request"
