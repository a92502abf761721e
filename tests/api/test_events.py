"""Following a session: nothing is missed, whatever breaks in between."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from tests.api.servers import Server, asked, rested, started


def _parsed(text: str) -> list[tuple[int | None, str, dict[str, Any]]]:
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.split("\n") if line and not line.startswith(":"))
        if "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            found.append((number, fields["event"], json.loads(fields["data"])))
    return found


def test_a_stream_ends_after_the_last_event(http: httpx.Client) -> None:
    session_id = asked(http)
    with http.stream("GET", f"/v1/sessions/{session_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = _parsed("".join(answer.iter_text()))
    assert [number for number, _, _ in events[:-1]] == list(range(1, len(events)))
    assert events[0][1] == "session.queued"
    assert events[-1] == (None, "end", {"session_id": session_id, "state": "completed"})


def test_a_reader_that_breaks_off_anywhere_misses_nothing(http: httpx.Client) -> None:
    session_id = asked(http)
    seen: list[int] = []
    ended = False
    while not ended:
        # A new connection for every two events, each cut in the middle.
        with http.stream(
            "GET", f"/v1/sessions/{session_id}/events", headers={"Last-Event-ID": str(seen[-1] if seen else 0)}
        ) as answer:
            text, fresh = "", 0
            for piece in answer.iter_text():
                text += piece
                whole = _parsed(text.rpartition("\n\n")[0])
                numbers = [number for number, _, _ in whole if number is not None]
                ended = any(kind == "end" for _, kind, _ in whole)
                fresh = len(numbers)
                if fresh >= 2 or ended:
                    break
            seen.extend(numbers)
    last = http.get(f"/v1/sessions/{session_id}/events", headers={"Accept": "application/json"}).json()
    assert seen == [event["number"] for event in last]


def test_what_has_been_is_given_from_any_number(http: httpx.Client) -> None:
    session_id = asked(http)
    rested(http, session_id)
    everything = http.get(f"/v1/sessions/{session_id}/events", headers={"Accept": "application/json"}).json()
    for after in (0, 3, len(everything), 10_000):
        for options in (
            {"params": {"after": after}},
            {"headers": {"Last-Event-ID": str(after)}},
            {"params": {"after": 0}, "headers": {"Last-Event-ID": str(after)}},
        ):
            events = _parsed(http.get(f"/v1/sessions/{session_id}/events", **options).text)
            assert [number for number, _, _ in events[:-1]] == [
                event["number"] for event in everything if event["number"] > after
            ]
    for nonsense in ("x", "-1", "1e3", "٣", "9" * 19):
        answer = http.get(f"/v1/sessions/{session_id}/events", headers={b"Last-Event-ID": nonsense.encode()})
        assert answer.status_code == 200
    assert http.get(f"/v1/sessions/{session_id}/events", params={"after": -1}).status_code == 422


def test_a_quiet_session_gives_signs_of_life_and_can_be_left(http: httpx.Client, local: Server) -> None:
    session_id = asked(http, review="true")
    rested(http, session_id)
    # It rests, so that a stream ends at once; after the decision it goes on, and so does its stream.
    first = _parsed(http.get(f"/v1/sessions/{session_id}/events").text)
    assert first[-1][2]["state"] == "needs_review"
    http.post(f"/v1/sessions/{session_id}/review", json={"decision": "approve"})
    then = _parsed(http.get(f"/v1/sessions/{session_id}/events", params={"after": first[-2][0] or 0}).text)
    assert then[0][1] == "review.given"
    assert then[-1][2]["state"] == "completed"


def test_the_last_number_survives_a_dead_server(home: Path) -> None:
    """The server is killed while a client follows; restarted, the session ends and the client has every event."""
    with started(home) as server:
        with server.http() as http:
            session_id = asked(http)
            seen: list[int] = []
            try:
                with http.stream("GET", f"/v1/sessions/{session_id}/events") as answer:
                    text = ""
                    for piece in answer.iter_text():
                        text += piece
                        seen = [number for number, _, _ in _parsed(text.rpartition("\n\n")[0]) if number is not None]
                        if len(seen) == 3:
                            server.kill()
            except httpx.HTTPError:
                pass
        assert server.process.poll() is not None
        server.restart()
        with server.http() as http:
            rest = http.get(f"/v1/sessions/{session_id}/events", params={"after": seen[-1]}).text
            numbers = [number for number, _, _ in _parsed(rest) if number is not None]
            assert seen + numbers == list(range(1, len(seen) + len(numbers) + 1))
            assert _parsed(rest)[-1][2]["state"] == "completed"
            assert "1931" in http.get(f"/v1/sessions/{session_id}/report").json()["answer"]


def test_more_readers_than_may_are_told_when_to_come_again(home: Path) -> None:
    with started(home, "--no-workers-in-process", api_streams="2") as server, server.http() as http:
        session_id = asked(http)
        path = f"/v1/sessions/{session_id}/events"
        with http.stream("GET", path) as one, http.stream("GET", path) as two:
            pieces = one.iter_text(), two.iter_text()
            assert [next(each).startswith("retry:") for each in pieces] == [True, True]
            with http.stream("GET", path) as refused:
                assert refused.status_code == 429
                assert int(refused.headers["retry-after"]) >= 1
            del pieces
        # Both places are free again once the server has seen them go.
        for _ in range(100):
            time.sleep(0.05)
            with http.stream("GET", path) as again:
                if again.status_code == 200:
                    break
        assert again.status_code == 200
        assert server.stop() == 0, server.log


def test_a_reader_of_the_future_hides_nothing_from_others(home: Path) -> None:
    """One reader asks for what comes after a number nobody has; another from the beginning, at the same time."""
    with started(home) as server, server.http() as http:
        session_id = asked(http, review="true")
        path = f"/v1/sessions/{session_id}/events"
        with http.stream("GET", path, params={"after": 100_000}) as ahead:
            pieces = ahead.iter_text()
            assert next(pieces).startswith("retry:")
            events = _parsed(http.get(path).text)
            assert [number for number, _, _ in events[:-1]] == list(range(1, len(events)))
            assert events[-1][2]["state"] == "needs_review"
            assert _parsed("".join(pieces)) == [events[-1]]


def test_many_readers_of_one_session_see_the_same(http: httpx.Client) -> None:
    session_id = asked(http)
    seen: list[list[int | None]] = []

    def read() -> None:
        with httpx.Client(base_url=http.base_url, timeout=60) as own:
            seen.append([number for number, _, _ in _parsed(own.get(f"/v1/sessions/{session_id}/events").text)])

    readers = [threading.Thread(target=read) for _ in range(20)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(seen) == 20
    assert all(numbers == [*range(1, len(numbers)), None] for numbers in seen)
    assert len({len(numbers) for numbers in seen}) == 1
