"""Both faces of the client, against a real server and against one that misbehaves."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.api.servers import DOCUMENTS, QUESTION, Server, free_port, started
from tests.client.servers import scripted
from tests.conftest import new_home

from deepresearch.client import AsyncClient, Client, Upload, pack
from deepresearch.client.calls import EventReader
from deepresearch.model.errors import (
    QueueFullError,
    ServerError,
    ServerUnreachableError,
    SessionStateError,
    UnknownSessionError,
    UsageError,
)
from deepresearch.model.session import SessionState
from deepresearch.sandbox import SandboxRequest


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = new_home(tmp_path_factory.mktemp("client"))
    with started(home, api_token="client-token-0123456789") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.base, "client-token-0123456789") as opened:
        yield opened


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    for name, text in DOCUMENTS.items():
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "docs"


def test_both_faces_have_the_same_methods() -> None:
    def face(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("__")
        }

    assert face(Client) == face(AsyncClient)


def test_a_question_from_beginning_to_end(client: Client, documents: Path) -> None:
    session = client.submit(QUESTION, sources=[documents])
    numbers = [event.number for event in client.events(session.id)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert client.session(session.id).state is SessionState.COMPLETED
    report = client.report(session.id)
    assert "1931" in report.answer
    for claim in report.claims:
        for quote in claim.citations:
            assert client.text(session.id, quote.sha256)[quote.start : quote.end] == quote.quote
    assert client.rendered(session.id, "html").startswith(b"<!")
    assert [claim.claim.id for claim in client.explain(session.id)] == [claim.id for claim in report.claims]
    assert session.id in [one.id for one in client.sessions()]
    assert [event.number for event in client.stored_events(session.id, 3)] == numbers[3:]
    assert client.audit(session.id)[0].action == "session.submit"
    assert client.purge(session.id).session_id == session.id
    with pytest.raises(UnknownSessionError):
        client.session(session.id)


async def test_the_same_awaited(server: Server, documents: Path) -> None:
    async with AsyncClient(server.base, "client-token-0123456789") as client:
        reports = await asyncio.gather(*(client.query(QUESTION, sources=[documents]) for _ in range(3)))
        assert all("1931" in report.answer for report in reports)
        session = await client.submit(QUESTION, sources=[documents], review=True)
        kinds = [event.kind async for event in client.events(session.id)]
        assert kinds[-1] == "review.asked"
        await client.review(session.id, approve=True)
        with pytest.raises(SessionStateError):
            await client.review(session.id, approve=True)
        ingested = await client.ingest("docs", [documents])
        assert ingested.added == 2
        assert (await client.search("docs", "harbour")).hits
        assert [record.name for record in await client.collections()] == ["docs"]
        assert await client.forget("docs", ["docs/harbour.md"]) == 1
        await client.delete_collection("docs")


def test_errors_are_those_of_this_machine(client: Client) -> None:
    with pytest.raises(UnknownSessionError) as unknown:
        client.report("never")
    assert unknown.value.exit_code == 2
    with pytest.raises(UsageError):
        client.submit("What?")
    with pytest.raises(UsageError):
        client.submit("What?", collection="never")
    with pytest.raises(UsageError):
        client.collection("never")


def test_a_wrong_token_and_a_wrong_address(server: Server) -> None:
    with Client(server.base, "wrong") as client, pytest.raises(UsageError, match="token"):
        client.sessions()
    with Client(server.base) as client, pytest.raises(UsageError, match="DEEPRESEARCH_API_TOKEN"):
        client.sessions()
    with (
        Client(f"http://127.0.0.1:{free_port()}") as client,
        pytest.raises(ServerUnreachableError, match="deepresearch serve"),
    ):
        client.cancel("x")
    for address in ("", "nonsense", "ftp://x", "http://", "http://[::1", "127.0.0.1:80"):
        with pytest.raises(UsageError):
            Client(address)


def test_a_stream_that_breaks_is_taken_up_where_it_broke(client: Client) -> None:
    def event(number: int) -> bytes:
        data = {"session_id": "s", "number": number, "at": "2026-01-01T00:00:00Z", "kind": "k", "data": {"é": "\n\n"}}
        return f"id: {number}\nevent: k\ndata: {json.dumps(data)}\n\n".encode()

    end = b'event: end\ndata: {"session_id": "s", "state": "completed"}\n\n'
    stream = {"Content-Type": "text/event-stream"}
    with (
        scripted(
            [
                (200, stream, [b"retry: 1000\n\n", event(1), event(2)[:30]]),
                None,
                (503, {"Content-Type": "application/problem+json"}, [b'{"type": "x:store-away", "detail": "away"}']),
                # A server that repeats what was seen, cuts anywhere, and sends signs of life.
                (200, stream, [event(1), event(2)[:7], event(2)[7:], b": still", b" here\n\n", event(3)[:-1]]),
                (200, stream, [event(3), end]),
            ]
        ) as (base, seen),
        Client(base) as other,
    ):
        assert [one.number for one in other.events("s")] == [1, 2, 3]
    assert [request.rpartition("after=")[2] for request in seen] == ["0", "1", "1", "1", "2"]


async def test_the_asynchronous_stream_too() -> None:
    data = {"session_id": "s", "number": 1, "at": "2026-01-01T00:00:00Z", "kind": "k", "data": {}}
    first = f"id: 1\nevent: k\ndata: {json.dumps(data)}\n\n".encode()
    end = b'event: end\ndata: {"session_id": "s", "state": "completed"}\n\n'
    with scripted([(200, {}, [first]), None, (200, {}, [end])]) as (base, seen):
        async with AsyncClient(base) as client:
            assert [event.number async for event in client.events("s")] == [1]
    assert len(seen) == 3


def test_a_stream_that_never_comes_is_given_up() -> None:
    with scripted([None] * 50) as (base, _), Client(base) as client, pytest.raises(ServerUnreachableError):
        list(client.events("s", patience=0.5))
    problem = b'{"type": "urn:deepresearch:problem:unknown-session", "detail": "none", "exit_code": 2}'
    with scripted([(404, {}, [problem])]) as (base, seen), Client(base) as client:
        with pytest.raises(UnknownSessionError):
            list(client.events("s"))
        assert len(seen) == 1


def test_what_may_be_sent_twice_is_and_what_may_not_is_not() -> None:
    good = (200, {"Content-Type": "application/json"}, [b'{"sessions": [], "before": null}'])
    with scripted([None, (502, {}, [b"bad gateway"]), good]) as (base, seen), Client(base) as client:
        assert client.sessions() == []
        assert len(seen) == 3
    with scripted([None, good]) as (base, seen), Client(base) as client:
        with pytest.raises(ServerUnreachableError):
            client.purge("x")
        assert len(seen) == 1


def test_answers_that_are_none_of_ours() -> None:
    for answer in (
        (200, {"Content-Type": "text/html"}, [b"<h1>Welcome"]),
        (404, {}, [b"nginx"]),
        (302, {"Location": "/x"}, []),
    ):
        with (
            scripted([answer]) as (base, _),
            Client(base) as client,
            pytest.raises(ServerUnreachableError, match="--server"),
        ):
            client.sessions()
    problem = {"Content-Type": "application/problem+json", "Retry-After": "7"}
    body = b'{"type": "urn:deepresearch:problem:queue-full", "detail": "full", "exit_code": 1}'
    with scripted([(429, problem, [body])]) as (base, _), Client(base) as client:
        with pytest.raises(QueueFullError) as full:
            client.submit("What?", collection="x")
        assert full.value.retry_after_seconds == 7
    with (
        scripted([(500, {}, [b'{"type": "x:unexpected", "detail": "broken", "exit_code": 1}'])]) as (base, _),
        Client(base) as client,
        pytest.raises(ServerError, match="broken"),
    ):
        client.cancel("x")


def test_a_server_that_dies_while_it_is_followed(home: Path, documents: Path) -> None:
    with started(home) as server, Client(server.base) as client:
        session = client.submit(QUESTION, sources=[documents])
        numbers = []
        for event in client.events(session.id):
            numbers.append(event.number)
            if event.number == 3:
                server.kill()
                server.restart()
        assert numbers == list(range(1, len(numbers) + 1))
        assert client.session(session.id).state is SessionState.COMPLETED


def test_events_in_any_pieces() -> None:
    data = {"session_id": "s", "number": 1, "at": "t", "kind": "k", "data": {"text": "a\nb"}}
    stream = f'retry: 1\n\n: c\n\nid: 1\r\nevent: k\r\ndata:{json.dumps(data)}\r\n\r\nevent: end\ndata: {{"state": "failed"}}\n\n'
    for size in (1, 2, 7, 1000):
        reader = EventReader()
        found = [one for at in range(0, len(stream), size) for one in reader.feed(stream[at : at + size])]
        assert [one.number for one in found] == [1]
        assert reader.state == "failed"


def test_files_are_packed_under_names_that_any_server_takes(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    names = ["a.md", "sub/b.md", "sub/C.md", "sub/c.md", "x" * 200 + ".md", "tab\there.md", "dot..md", "back\\slash.md"]
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text")
    (tmp_path / "a.md").write_text("other")
    upload = pack([folder, tmp_path / "a.md"])
    assert sorted(map(str, upload.files.values())) == sorted(
        [*(str(folder / name) for name in names), str(tmp_path / "a.md")]
    )
    from deepresearch.api.uploads import checked_file_name

    assert [checked_file_name(name) for name in upload.files] == list(upload.files)
    assert len({name.casefold() for name in upload.files}) == len(upload.files)
    assert upload.files["docs/sub/b.md"] == folder / "sub/b.md"
    assert upload.restored({"source": "docs/a.md", "text": "docs/a.md is"}) == {
        "source": str(folder / "a.md"),
        "text": "docs/a.md is",
    }
    assert Upload().restored(["x"]) == ["x"]
    with pytest.raises(UsageError):
        pack([tmp_path / "missing"])


def test_a_run_in_the_sandbox_of_the_server(client: Client, server: Server) -> None:
    request = SandboxRequest(
        script="print(open('a.txt').read()); open('b.bin', 'wb').write(b'\\x00\\xff')", files={"a.txt": b"hi"}
    )
    result = client.run(request)
    if result.reason == "unavailable":
        pytest.skip("sandbox: no runtime of the server's own here")
    assert result.stdout == "hi\n"
    assert result.output("b.bin").content == b"\x00\xff"
