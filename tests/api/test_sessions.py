"""A question over HTTP, from its documents to its report, and everything that can be done to a session."""

from __future__ import annotations

import threading

import httpx
import pytest
from tests.api.servers import DOCUMENTS, QUESTION, asked, form_files, rested


@pytest.fixture(scope="module")
def finished(local: object) -> str:
    """A finished session of the server without tokens."""
    with local.http() as http:  # type: ignore[attr-defined]
        session_id = asked(http)
        assert rested(http, session_id) == "completed"
    return session_id


def test_a_question_with_its_documents(http: httpx.Client) -> None:
    answer = http.post("/v1/sessions", data={"question": QUESTION}, files=form_files(DOCUMENTS))
    assert answer.status_code == 201
    record = answer.json()
    assert record["state"] in ("queued", "running")
    assert record["options"]["sources"] == ["fleet", "harbour.md"]
    assert answer.headers["location"] == f"/v1/sessions/{record['id']}"
    assert rested(http, record["id"]) == "completed"
    report = http.get(f"/v1/sessions/{record['id']}/report").json()
    assert list(report)[:5] == ["session_id", "question", "status", "team", "answer"]
    assert "1931" in report["answer"]
    assert {entry["source"] for entry in report["sources"]} == set(DOCUMENTS)


def test_citations_stand_in_the_stored_text(http: httpx.Client, finished: str) -> None:
    report = http.get(f"/v1/sessions/{finished}/report").json()
    quotes = [quote for claim in report["claims"] for quote in claim["citations"]]
    assert quotes
    for quote in quotes:
        source = http.get(f"/v1/sessions/{finished}/sources/{quote['sha256']}")
        assert source.headers["content-type"] == "text/plain; charset=utf-8"
        text = source.content.decode("utf-8")
        assert text[quote["start"] : quote["end"]] == quote["quote"]
        assert text == DOCUMENTS[quote["source"]]


@pytest.mark.parametrize(
    ("query", "accept", "kind"),
    [
        ("", "*/*", "application/json"),
        ("?format=markdown", "*/*", "text/markdown; charset=utf-8"),
        ("?format=html", "application/json", "text/html; charset=utf-8"),
        ("", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"),
        ("", "text/markdown, text/html;q=0.5", "text/markdown; charset=utf-8"),
        ("", "text/html;q=nonsense", "application/json"),
    ],
)
def test_the_report_in_each_format(http: httpx.Client, finished: str, query: str, accept: str, kind: str) -> None:
    answer = http.get(f"/v1/sessions/{finished}/report{query}", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert "1931" in answer.text
    assert "deepresearch-report-" not in answer.text, "no folder of the server"
    if "html" in kind:
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "script-src" not in answer.headers["content-security-policy"]


def test_no_path_of_the_server_is_told(http: httpx.Client, local: object, finished: str) -> None:
    for path in ("", "/report", "/report?format=html", "/report?format=markdown", "/events", "/sources", "/artefacts"):
        text = http.get(f"/v1/sessions/{finished}{path}", params={}).text
        assert "uploads" not in text, path
        assert "/home" not in text, path


def test_the_same_request_twice_is_one_session(http: httpx.Client) -> None:
    first = http.post("/v1/sessions", data={"question": QUESTION, "session_id": "twice"}, files=form_files(DOCUMENTS))
    second = http.post("/v1/sessions", data={"question": QUESTION, "session_id": "twice"}, files=form_files(DOCUMENTS))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["created_at"] == second.json()["created_at"]
    other = http.post("/v1/sessions", data={"question": "What?", "session_id": "twice"}, files=form_files(DOCUMENTS))
    assert other.status_code == 409
    assert rested(http, "twice") == "completed"


def test_many_at_once_with_one_id_are_one_session(http: httpx.Client) -> None:
    answers: list[int] = []

    def ask() -> None:
        with httpx.Client(base_url=http.base_url, timeout=60) as own:
            data = {"question": QUESTION, "session_id": "at-once"}
            answers.append(own.post("/v1/sessions", data=data, files=form_files(DOCUMENTS)).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 6
    assert rested(http, "at-once") == "completed"
    assert [one["id"] for one in http.get("/v1/sessions").json()["sessions"]].count("at-once") == 1


def test_a_review_is_given_once(http: httpx.Client) -> None:
    session_id = asked(http, review="true")
    assert rested(http, session_id) == "needs_review"
    assert http.get(f"/v1/sessions/{session_id}/report").json()["status"] == "needs_review"
    wrong = http.post(f"/v1/sessions/{session_id}/review", json={"decision": "maybe"})
    assert wrong.status_code == 422
    given = http.post(f"/v1/sessions/{session_id}/review", json={"decision": "approve", "note": "Read and checked."})
    assert given.status_code == 200
    again = http.post(f"/v1/sessions/{session_id}/review", json={"decision": "reject"})
    assert again.status_code == 409
    assert again.json()["exit_code"] == 2
    assert rested(http, session_id) == "completed"
    assert http.get(f"/v1/sessions/{session_id}").json()["review"]["decision"] == "approved"


def test_an_ended_session_is_not_cancelled(http: httpx.Client, finished: str) -> None:
    answer = http.post(f"/v1/sessions/{finished}/cancel")
    assert answer.status_code == 409
    assert "completed" in answer.json()["detail"]


def test_a_waiting_session_is_cancelled(http: httpx.Client) -> None:
    session_id = asked(http, priority="-100", review="true")
    answer = http.post(f"/v1/sessions/{session_id}/cancel")
    assert answer.status_code in (202, 409)
    assert rested(http, session_id) in ("cancelled", "needs_review")


def test_a_purged_session_is_gone(http: httpx.Client) -> None:
    session_id = asked(http)
    rested(http, session_id)
    assert http.delete(f"/v1/sessions/{session_id}").status_code == 200
    for path in ("", "/report", "/events", "/sources"):
        assert http.get(f"/v1/sessions/{session_id}{path}").status_code == 404
    assert http.delete(f"/v1/sessions/{session_id}").status_code == 404
    actions = [entry["action"] for entry in http.get("/v1/audit", params={"session_id": session_id}).json()["entries"]]
    assert actions == ["session.submit", "session.purge"]


def test_a_session_without_report_yet_says_so(http: httpx.Client) -> None:
    session_id = asked(http)
    answer = http.get(f"/v1/sessions/{session_id}/report")
    assert answer.status_code in (200, 409)
    if answer.status_code == 409:
        assert answer.headers["retry-after"]
    rested(http, session_id)


def test_documents_that_cannot_be_read_end_in_words(http: httpx.Client) -> None:
    answer = http.post("/v1/sessions", data={"question": QUESTION}, files=form_files({"a.pdf": b"%PDF-1.7 broken"}))
    session_id = answer.json()["id"]
    assert rested(http, session_id) == "failed"
    record = http.get(f"/v1/sessions/{session_id}").json()
    assert record["error"].startswith("a.pdf: ")
    assert http.get(f"/v1/sessions/{session_id}/report").status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b'{"question": 5}', 422),
        (b'{"question": ""}', 422),
        (b'{"question": "What?"}', 422),
        (b'{"question": "What?", "collection": "none"}', 404),
        (b'{"question": "What?", "collection": "../x"}', 404),
        (b'{"question": "What?", "colection": "x"}', 422),
        (b'{"question": "\\u0000?", "collection": "x"}', 404),
        (b'{"question": "What?", "sources": ["/etc/passwd"]}', 422),
        (b'{"question": "What?", "sources": ["/etc"], "team": "nobody"}', 422),
        (b'{"question": "What?", "web": true, "budget_minutes": NaN}', 422),
        (b'{"question": "' + b"x" * 20_000 + b'"}', 422),
    ],
)
def test_bodies_that_cannot_be_used(http: httpx.Client, body: bytes, status: int) -> None:
    answer = http.post("/v1/sessions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail", "instance", "request_id"}


def test_another_kind_of_body_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/sessions", content=b"<x/>", headers={"Content-Type": "application/xml"})
    assert answer.status_code == 415


@pytest.mark.parametrize("session_id", ["nope", "..", "%2e%2e", "a" * 64, "a" * 5000, "%00", "%F0%9F%A6%8A", "a%2Fb"])
def test_unknown_ids(http: httpx.Client, session_id: str) -> None:
    for method, path in (("GET", ""), ("GET", "/report"), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")):
        answer = http.request(method, f"{http.base_url}/v1/sessions/{session_id}{path}")
        assert answer.status_code in (404, 405, 422), f"{method} {path}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"


def test_unknown_sources_and_files(http: httpx.Client, finished: str) -> None:
    assert http.get(f"/v1/sessions/{finished}/sources/{'0' * 64}").status_code == 404
    assert http.get(f"/v1/sessions/{finished}/sources/{'0' * 63}").status_code == 422
    for name in ("x", "../x", "figures/../../x", "%00", "/etc/passwd"):
        assert http.get(f"{http.base_url}/v1/sessions/{finished}/artefacts/{name}").status_code == 404
