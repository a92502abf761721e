"""Questions of a collection: its own index answers, alone or beside other sources, small or large."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.session.generated_documents import write_documents

from deepresearch.model.errors import UsageError
from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings

QUESTION = "What is slow steaming?"


def test_the_answer_is_that_of_the_same_files_as_sources(corpus: Path, home: Path, tmp_path: Path) -> None:
    kites = tmp_path / "kites.md"
    kites.write_text("# Kites\n\nA kite sail is a towing sail that pulls a ship on long crossings.\n", encoding="utf-8")

    async def ask() -> None:
        async with DeepResearch(Settings(home=home, sandbox_backend="bubblewrap")) as research:
            ingested = await research.ingest([corpus], collection="ferries")
            assert ingested.documents == ingested.added > 20
            by_name = await research.query(QUESTION, collection="ferries")
            assert [path.name for path in (home / "index").iterdir()] == ["named-ferries"]
            by_path = await research.query(QUESTION, sources=[corpus])
            assert by_name.answer == by_path.answer
            assert [claim.citations for claim in by_name.claims] == [claim.citations for claim in by_path.claims]
            assert by_name.sources == by_path.sources
            both = await research.query(
                "What is a kite sail, and what is slow steaming?", sources=[kites], collection="ferries"
            )
            cited = {Path(citation.source).name for claim in both.claims for citation in claim.citations}
            assert {"kites.md", "slow-steaming-trial-2022.md"} <= cited
            with pytest.raises(UsageError, match="There are: ferries"):
                await research.query(QUESTION, collection="trains")
            # What a session has read stays readable after the collection is gone.
            research.collections.delete("ferries")
            report = await research.resume(by_name.session_id)
            texts = {one.sha256: one.text for one in research.archive.documents(report.session_id)}
            for claim in report.claims:
                for quote in claim.citations:
                    assert texts[quote.sha256][quote.start : quote.end] == quote.quote

    asyncio.run(ask())


def test_of_a_large_collection_only_what_came_up_is_looked_at(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    write_documents(folder, 400)
    for number, share in ((1, 30), (2, 45)):
        (folder / f"dredging-policy-v{number}.md").write_text(
            f"# Dredging policy, version {number}.0\n\nThe dredging target is {share} % of the channel by 2030. "
            "The dredging policy binds every harbour master and is reviewed by the port council each spring.\n",
            encoding="utf-8",
        )

    async def ask() -> None:
        async with DeepResearch(Settings(home=home, sandbox_backend="bubblewrap")) as research:
            await research.ingest([folder], collection="books")
            report = await research.query("What is the dredging target by 2030?", collection="books")
            assert "45 %" in report.answer and "30 %" not in report.answer
            assert [Path(one.source).name for one in report.sources if one.superseded_by] == ["dredging-policy-v1.md"]
            assert any(limit.startswith("All 402 documents were searched.") for limit in report.limits)
            assert len(report.sources) < 200
            stored = research.archive.store.result(report.session_id, "index")
            assert stored is not None
            assert stored["named"] == "books" and stored["collection"] is None

    asyncio.run(ask())
