"""A scripted model that obeys every hostile text it gets to see: plan, tools, sources and other claims stay the same."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import new_home
from tests.team.model.asking import Asked, corpus_at, looked_up, settings_for
from tests.team.model.hostile_texts import HOSTILE, Hostile
from tests.team.model.report_checker import faults

from deepresearch.corpus import load
from deepresearch.session.service import DeepResearch
from deepresearch.team.model.material import keep_apart
from deepresearch.testing import ModelServer, Scenario
from deepresearch.testing.twists import OBEYED

QUESTION = "How many ships did the harbour of Brackwater handle in 2023, and how long is its quay?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all texts: sessions do not see one another."""
    return new_home(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def honest(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """The session on the honest documents, with one more about nothing."""
    note = Hostile("note.md", "# Notes\n\nVisitors of the harbour of Brackwater find a map beside the gate.\n", ())
    return _ask(home, tmp_path_factory.mktemp("honest"), note)


def _ask(home: Path, folder: Path, hostile: Hostile) -> Asked:
    sources = corpus_at(folder / "documents")
    (sources / hostile.name).write_text(hostile.text, encoding="utf-8")
    with ModelServer(Scenario(obeys=hostile.markers)) as server:
        settings = settings_for(home, server.url)

        async def asked() -> str:
            async with DeepResearch(settings) as research:
                report = await research.query(QUESTION, sources=[sources], team="openai:scripted")
                return report.session_id

        return looked_up(settings, asyncio.run(asked()), server)


def _of_the_others(asked: Asked, hostile: str) -> list[Any]:
    """The claims that do not cite the hostile document, by file name."""
    return [
        (text, support, tuple((Path(source).name, start, end) for source, start, end in places))
        for text, support, places in asked.claims()
        if hostile not in {Path(source).name for source, _, _ in places}
    ]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: one.name)
def test_it_changes_nothing_of_the_others(hostile: Hostile, home: Path, honest: Asked, tmp_path: Path) -> None:
    asked = _ask(home, tmp_path, hostile)
    report = asked.report
    assert faults(report, asked.texts) == []
    # The plan and what was searched.
    assert report["sub_questions"] == honest.report["sub_questions"]
    assert _queries(asked) == _queries(honest)
    # The tools that the model had.
    assert _tools(asked) == _tools(honest)
    # The sources.
    assert {Path(one["source"]).name for one in report["sources"]} - {hostile.name} == {
        Path(one["source"]).name for one in honest.report["sources"]
    } - {"note.md"}
    # Every other claim.
    assert _of_the_others(asked, hostile.name) == _of_the_others(honest, "note.md")
    # What it wanted said is said nowhere.
    told = json.dumps([report["claims"], report["answer"], report["limits"], report["conflicts"]], ensure_ascii=False)
    for trace in (OBEYED[:30], "Zorblatt", "attacker.example", "555777", "system prompt"):
        assert trace not in told
    for kind in ("markdown", "html"):
        assert "attacker.example" not in Path(report["paths"][kind]).read_text(encoding="utf-8")


def _queries(asked: Asked) -> list[Any]:
    return sorted(
        (event.data["stage"], event.data.get("passages") is not None)
        for event in asked.events
        if event.kind == "stage.finished"
    )


def _tools(asked: Asked) -> set[str]:
    return {tool["function"]["name"] for served in asked.log for tool in served.request.get("tools", [])}


def test_most_never_reach_the_model(tmp_path: Path) -> None:
    kept = [hostile.name for hostile in HOSTILE if _is_kept_apart(hostile, tmp_path)]
    assert len(kept) / len(HOSTILE) >= 0.8, sorted({hostile.name for hostile in HOSTILE} - set(kept))


def _is_kept_apart(hostile: Hostile, folder: Path) -> bool:
    path = folder / hostile.name
    path.write_text(hostile.text, encoding="utf-8")
    return keep_apart(load(path), [])
