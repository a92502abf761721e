"""What an assistant can do, and what it cannot, over the real command."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents
from tests.mcp.assistant import assistant, refusal, structured
from tests.session.small import QUESTION, run, small_folder

from mcp import Client

TOOLS = {"ask", "search", "report", "explain", "source_text", "collections", "sessions"}
FUEL = "Why did fuel consumption fall in 2024?"


async def text_of(client: Client, address: str) -> str:
    contents = (await client.read_resource(address)).contents
    assert len(contents) == 1
    assert isinstance(contents[0], TextResourceContents)
    return contents[0].text


async def whole_text(client: Client, sha256: str, session_id: str | None) -> str:
    """A stored text, piece by piece as the tool gives it."""
    pieces: list[str] = []
    while True:
        asked = {"sha256": sha256, "start": sum(map(len, pieces))}
        piece = structured(
            await client.call_tool("source_text", asked | ({"session_id": session_id} if session_id else {}))
        )
        pieces.append(piece["text"])
        if piece["end"] == piece["characters"]:
            return "".join(pieces)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_question_is_answered_and_every_quote_can_be_read(
    environment: dict[str, str], corpus: Path, mode: str
) -> None:
    async with assistant(environment, "--root", str(corpus), mode=mode) as client:
        assert str(corpus) in (client.instructions or "")
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(listed) == TOOLS
        for tool in listed.values():
            assert len(tool.description or "") > 60
            assert tool.input_schema["additionalProperties"] is False
            assert tool.output_schema is not None
            assert tool.annotations is not None
            assert tool.annotations.destructive_hint is False

        steps: list[tuple[float, float | None, str | None]] = []

        async def told(progress: float, total: float | None, message: str | None) -> None:
            steps.append((progress, total, message))

        answered = structured(
            await client.call_tool("ask", {"question": FUEL, "paths": [str(corpus)]}, progress_callback=told)
        )
        assert answered["status"] == "completed"
        assert "hybrid" in answered["answer"]
        numbers = [progress for progress, _, _ in steps]
        assert numbers == sorted(set(numbers)), "progress only grows"
        assert numbers[-1] == steps[-1][1]
        assert any("Planning" in str(message) for _, _, message in steps)

        session_id = answered["session_id"]
        quotes = [quote for claim in answered["claims"] for quote in claim["citations"]]
        assert quotes
        for quote in quotes:
            text = await whole_text(client, quote["sha256"], session_id)
            assert text[quote["start"] : quote["end"]] == quote["quote"]
            assert text == await text_of(client, f"deepresearch://sessions/{session_id}/sources/{quote['sha256']}")
            place = {name: quote[name] for name in ("sha256", "start", "end")}
            assert structured(await client.call_tool("source_text", place))["text"] == quote["quote"]

        markdown = structured(await client.call_tool("report", {"session_id": session_id}))["text"]
        assert markdown.startswith(f"# {FUEL}")
        assert markdown == await text_of(client, answered["report"])
        document = json.loads(
            structured(await client.call_tool("report", {"session_id": session_id, "format": "json"}))["text"]
        )
        assert [claim["id"] for claim in document["claims"]] == [claim["id"] for claim in answered["claims"]]

        first = answered["claims"][0]
        explained = structured(await client.call_tool("explain", {"session_id": session_id, "claim": first["id"]}))
        assert [one["claim"]["id"] for one in explained["claims"]] == [first["id"]]
        assert all(quote["holds"] for quote in explained["claims"][0]["quotes"])
        listed_sessions = structured(await client.call_tool("sessions", {}))["sessions"]
        assert [(one["session_id"], one["state"]) for one in listed_sessions] == [(session_id, "completed")]


async def test_collections_need_no_folder(environment: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    taken = run("ingest", str(folder), "--collection", "orchard", environment=environment)
    assert taken.returncode == 0, taken.stderr
    async with assistant(environment) as client:
        held = structured(await client.call_tool("collections", {}))["collections"]
        assert [(one["name"], one["documents"]) for one in held] == [("orchard", 2)]
        found = structured(await client.call_tool("search", {"text": "frost blossom", "collection": "orchard"}))
        best = found["passages"][0]
        assert "frost" in best["text"]
        text = await whole_text(client, best["sha256"], None)
        assert text[best["start"] : best["end"]] == best["text"]
        answered = structured(await client.call_tool("ask", {"question": QUESTION, "collection": "orchard"}))
        assert answered["figures"] >= 1
        assert any(claim["run_id"] for claim in answered["claims"])

        asks: list[tuple[str, dict[str, Any]]] = [
            ("ask", {"question": QUESTION, "collection": "orchards"}),
            ("search", {"text": "frost", "collection": "orchards"}),
        ]
        for tool, arguments in asks:
            assert "There are: orchard." in refusal(await client.call_tool(tool, arguments))
        for given in ({}, {"collection": "orchard", "paths": [str(folder)]}):
            assert "not both" in refusal(await client.call_tool("search", {"text": "frost", **given}))
        for tool, words in (("ask", {"question": QUESTION}), ("search", {"text": "frost"})):
            said = refusal(await client.call_tool(tool, {**words, "paths": [str(folder)]}))
            assert "--root" in said


async def test_only_documents_below_the_roots_are_read(environment: dict[str, str], tmp_path: Path) -> None:
    root = small_folder(tmp_path)
    secret = "The password of the safe in the orchard's office is quincetree."
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_text(secret)
    (root / ".hidden.md").write_text(secret)
    (root / ".keys").mkdir()
    (root / ".keys" / "safe.md").write_text(secret)
    (root / "link.md").symlink_to(outside / "secret.md")
    (root / "link").symlink_to(outside)
    (root / "inside.md").symlink_to(root / "notes.md")
    wrong = [
        str(outside / "secret.md"),
        str(outside),
        str(root / ".." / "outside" / "secret.md"),
        str(root / "link.md"),
        str(root / "link" / "secret.md"),
        str(root / "link" / ".." / "outside"),
        str(root / ".hidden.md"),
        str(root / ".keys"),
        str(root / "not there.md"),
        f"{root}-other",
        str(root / "*.md"),
        str(root / "no\0tes.md"),
        "notes.md",
        "~/notes.md",
        "",
        "/",
        f"file://{root}/notes.md",
        os.path.relpath(root / "notes.md"),
    ]
    async with assistant(environment, "--root", str(root)) as client:
        for tool, words in (("search", {"text": "password safe"}), ("ask", {"question": "What is the password?"})):
            for path in wrong:
                said = refusal(await client.call_tool(tool, {**words, "paths": [str(root / "notes.md"), path]}))
                assert "may not read" in said
                assert "quincetree" not in said
        found = structured(await client.call_tool("search", {"text": "password safe quincetree", "paths": [str(root)]}))
        names = {Path(passage["source"]).name for passage in found["passages"]}
        assert not names & {"link.md", "secret.md", ".hidden.md", "safe.md"}
        assert "quincetree" not in json.dumps(found["passages"])
        right = structured(await client.call_tool("search", {"text": "frost", "paths": [str(root / "inside.md")]}))
        assert right["passages"]
        assert structured(await client.call_tool("sessions", {}))["sessions"] == []


async def test_a_cancelled_question_goes_on_when_it_is_asked_again(environment: dict[str, str], corpus: Path) -> None:
    asked = {"question": FUEL, "paths": [str(corpus)], "session_id": "mine"}
    async with assistant(environment, "--root", str(corpus)) as client:
        begun = asyncio.Event()

        async def told(progress: float, total: float | None, message: str | None) -> None:
            if progress >= 1:
                begun.set()

        asking = asyncio.create_task(client.call_tool("ask", asked, progress_callback=told))
        await begun.wait()
        assert "already" in refusal(await client.call_tool("ask", asked))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        state = ""
        while state != "interrupted":
            state = structured(await client.call_tool("sessions", {}))["sessions"][0]["state"]
            assert state in ("running", "interrupted")
        assert "no report yet" in refusal(await client.call_tool("report", {"session_id": "mine"}))
        answered = structured(await client.call_tool("ask", asked))
        assert answered["status"] == "completed"
    events = run("sessions", "events", "mine", "--json", environment=environment)
    finished = [event["data"]["stage"] for event in json.loads(events.stdout) if event["kind"] == "stage.finished"]
    assert len(finished) == len(set(finished)), "no stage was done twice"


@pytest.mark.parametrize("places", ["1", "5"])
async def test_two_questions_at_once(environment: dict[str, str], corpus: Path, tmp_path: Path, places: str) -> None:
    orchard = small_folder(tmp_path)
    environment = {**environment, "DEEPRESEARCH_MAX_CONCURRENT_SESSIONS": places}
    async with assistant(environment, "--root", str(corpus), "--root", str(orchard)) as client:
        fuel, apples = await asyncio.gather(
            client.call_tool("ask", {"question": FUEL, "paths": [str(corpus)]}),
            client.call_tool("ask", {"question": QUESTION, "paths": [str(orchard)]}),
        )
        assert "hybrid" in structured(fuel)["answer"]
        assert "frost" in structured(apples)["answer"]
        for answered, folder in ((structured(fuel), corpus), (structured(apples), orchard)):
            sources = {quote["source"] for claim in answered["claims"] for quote in claim["citations"]}
            assert all(Path(source).is_relative_to(folder) for source in sources)


async def test_what_cannot_be_done_is_said_in_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    root = small_folder(tmp_path)
    paths = {"paths": [str(root)]}
    async with assistant({**environment, "DEEPRESEARCH_OFFLINE": "true"}, "--root", str(root), "--web") as client:
        refused: list[tuple[str, dict[str, Any], str]] = [
            ("ask", {"question": "  ?!", **paths}, "question is empty"),
            ("ask", {"question": QUESTION}, "nothing to search"),
            ("ask", {"question": QUESTION, "web": True}, "OFFLINE"),
            ("ask", {"question": QUESTION, "session_id": "../x", **paths}, "cannot be a session id"),
            ("ask", {"question": QUESTION, "budget_minutes": -1, **paths}, "budget_minutes"),
            ("ask", {"question": QUESTION, "collecton": "orchard"}, "takes no argument 'collecton'"),
            ("ask", {}, "question"),
            ("ask", {"question": 7, **paths}, "question"),
            ("search", {"text": "frost", "kinds": ["verse"], **paths}, "kinds"),
            ("search", {"text": "frost", "limit": 10**6, **paths}, "limit"),
            ("report", {"session_id": "nobody"}, "nobody"),
            ("report", {"session_id": "nobody", "format": "pdf"}, "format"),
            ("explain", {"session_id": "nobody"}, "nobody"),
            ("source_text", {"sha256": "../../etc/passwd"}, "sha256"),
            ("source_text", {"sha256": "0" * 64}, "No stored document"),
            ("source_text", {"sha256": "0" * 64, "session_id": "nobody"}, "nobody"),
            ("purge", {"session_id": "nobody"}, "There is no tool 'purge'"),
        ]
        for tool, arguments, words in refused:
            assert words in refusal(await client.call_tool(tool, arguments)), (tool, arguments)
        for address in ("sessions/nobody/report", "sessions/..%2F..%2Fetc/report", "sources/x", "sessions"):
            with pytest.raises(MCPError) as error:
                await client.read_resource(f"deepresearch://{address}")
            assert "\n" not in str(error.value)
        spent = structured(await client.call_tool("ask", {"question": QUESTION, "budget_steps": 1, **paths}))
        assert any("budget" in limit.lower() or "step" in limit.lower() for limit in spent["limits"])
    async with assistant(environment, "--root", str(root)) as client:
        said = refusal(await client.call_tool("ask", {"question": QUESTION, "web": True, **paths}))
        assert "--web" in said
