"""What is another tenant's is not there: on every address that names something, taken from the list of routes."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from tests.api.conftest import ACME, GLOBEX, READER
from tests.api.servers import DOCUMENTS, Server, asked, form_files, rested

from deepresearch.api.app import create_app
from deepresearch.settings import Settings

_BODIES: dict[str, Any] = {
    "/v1/sessions/{session_id}/review": {"decision": "approve"},
    "/v1/collections/{name}/search": {"text": "harbour"},
    "/v1/collections/{name}/documents": {"sources": ["harbour.md"]},
}

#: Making a collection of a name that another tenant has is no look at that one: each has its own.
_MAKING = {("POST", "/v1/collections/{name}/documents")}

#: What an address may also say to a request for nothing, because it is no matter of whose it is.
_QUERIES = {"/v1/collections/{name}/search": {"text": "harbour"}}


def _routes() -> list[tuple[str, str]]:
    description = create_app(Settings(api_token=None, api_tokens=None)).openapi()
    return [
        (method.upper(), path)
        for path, operations in description["paths"].items()
        for method in operations
        if "{session_id}" in path or "{name}" in path
        if (method.upper(), path) not in _MAKING
    ]


@pytest.fixture(scope="module")
def owned(shared: Server) -> dict[str, str]:
    """A session and a collection of the first tenant, with what addresses below them name."""
    with shared.http(ACME) as http:
        session_id = asked(http)
        assert rested(http, session_id) == "completed"
        made = http.post("/v1/collections/private/documents", files=form_files(DOCUMENTS))
        assert made.status_code == 200, made.text
        source = http.get(f"/v1/sessions/{session_id}/sources").json()["sources"][0]
    return {"session_id": session_id, "sha256": source["sha256"], "name": "private"}


def test_the_list_of_routes_is_whole() -> None:
    assert len(_routes()) >= 14


@pytest.mark.parametrize(("method", "path"), _routes(), ids=lambda part: part)
def test_another_tenants_things_are_not_there(
    globex: httpx.Client, acme: httpx.Client, owned: dict[str, str], method: str, path: str
) -> None:
    mine = {**owned, "name": owned["name"] if "/collections/" in path else "figures/01.svg"}
    address = re.sub(r"\{(\w+)(?::path)?\}", lambda match: mine[match[1]], path)
    options: dict[str, Any] = {"params": _QUERIES.get(path) if method == "GET" else None}
    if method != "GET" and path in _BODIES:
        options["json"] = _BODIES[path]
    answer = globex.request(method, address, **options)
    assert answer.status_code == 404, f"{method} {address}: {answer.status_code} {answer.text}"
    never = {name: f"never-{value}"[:60] if name != "sha256" else value for name, value in mine.items()}
    nowhere = re.sub(r"\{(\w+)(?::path)?\}", lambda match: never[match[1]], path)
    other = globex.request(method, nowhere, **options)
    assert other.status_code == 404
    # Nothing but the name and the request's number tells the two apart.
    assert _without_names(answer, mine) == _without_names(other, never)
    assert acme.get(f"/v1/sessions/{owned['session_id']}").status_code == 200


def _without_names(answer: httpx.Response, names: dict[str, str]) -> str:
    body = answer.json()
    body.pop("request_id")
    text = json.dumps(body)
    for value in sorted(names.values(), key=len, reverse=True):
        text = text.replace(value, "?")
    return text


def test_lists_hold_only_ones_own(globex: httpx.Client, acme: httpx.Client, owned: dict[str, str]) -> None:
    assert owned["session_id"] in [one["id"] for one in acme.get("/v1/sessions").json()["sessions"]]
    assert owned["session_id"] not in [one["id"] for one in globex.get("/v1/sessions").json()["sessions"]]
    assert "private" in [one["name"] for one in acme.get("/v1/collections").json()["collections"]]
    assert "private" not in [one["name"] for one in globex.get("/v1/collections").json()["collections"]]
    assert all(entry["tenant"] == "globex" for entry in globex.get("/v1/audit").json()["entries"])


def test_both_may_have_a_collection_of_one_name(
    globex: httpx.Client, acme: httpx.Client, owned: dict[str, str]
) -> None:
    other = {"moon.md": "# Moon\n\nThe moon is far away from every harbour of Lindvik.\n"}
    assert globex.post("/v1/collections/private/documents", files=form_files(other)).json()["documents"] == 1
    found = globex.post("/v1/collections/private/search", json={"text": "harbour of Lindvik"}).json()
    assert found["collection"] == "private"
    assert {hit["source"] for hit in found["hits"]} == {"moon.md"}
    assert acme.get("/v1/collections/private").json()["documents"] == len(DOCUMENTS)
    assert globex.delete("/v1/collections/private").status_code == 200
    assert acme.get("/v1/collections/private").json()["documents"] == len(DOCUMENTS)


def test_a_question_cannot_search_another_tenants_collection(globex: httpx.Client, owned: dict[str, str]) -> None:
    for name in (owned["name"], "tenant-acme.private"):
        answer = globex.post("/v1/sessions", json={"question": "When was it opened?", "collection": name})
        assert answer.status_code == 404, answer.text


def test_another_tenants_session_id_cannot_be_taken(
    globex: httpx.Client, acme: httpx.Client, owned: dict[str, str]
) -> None:
    before = acme.get(f"/v1/sessions/{owned['session_id']}/sources").json()
    answer = globex.post(
        "/v1/sessions",
        data={"question": "What is it?", "session_id": owned["session_id"]},
        files=form_files({"mine.md": "# Mine\n\nSomething else.\n"}),
    )
    assert answer.status_code == 409
    assert acme.get(f"/v1/sessions/{owned['session_id']}/sources").json() == before


def test_a_token_is_good_for_its_scopes_only(shared: Server, owned: dict[str, str]) -> None:
    with shared.http(READER) as http:
        assert http.get(f"/v1/sessions/{owned['session_id']}").status_code == 200
        for method, path, body in (
            ("POST", "/v1/sessions", {"question": "What?", "collection": "private"}),
            ("POST", f"/v1/sessions/{owned['session_id']}/cancel", None),
            ("POST", f"/v1/sessions/{owned['session_id']}/review", {"decision": "approve"}),
            ("DELETE", f"/v1/sessions/{owned['session_id']}", None),
            ("DELETE", "/v1/collections/private", None),
            ("POST", "/v1/sandbox/runs", {"script": "print(1)"}),
        ):
            answer = http.request(method, path, json=body)
            assert answer.status_code == 403, f"{method} {path}: {answer.text}"
            assert "insufficient_scope" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer wrong", f"Basic {GLOBEX}", f"Bearer {GLOBEX}x", "Bearer \xff"]
)
def test_without_a_right_token_nothing_is_told(shared: Server, owned: dict[str, str], header: str | None) -> None:
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    with httpx.Client(base_url=shared.base) as http:
        for path in (f"/v1/sessions/{owned['session_id']}", "/v1/sessions/never", "/v1/collections", "/v1/nowhere"):
            answer = http.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
