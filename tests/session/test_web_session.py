"""A question asked of a whole local web: found, fetched, quoted; and what is hostile in it changes nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.web.local_web import HOSTILE, ISLANDS, LocalWeb, MappedResolver, berths, page

from deepresearch.model.errors import UsageError
from deepresearch.model.report import Report
from deepresearch.model.session import SessionOptions
from deepresearch.session.archive import Archive
from deepresearch.session.purging import Purging
from deepresearch.session.service import DeepResearch
from deepresearch.session.snapshots import Snapshots
from deepresearch.session.web_pages import WebPages
from deepresearch.session.web_records import WebGathered
from deepresearch.settings import Settings
from deepresearch.web import Web

QUESTION = "How many berths does the harbour of Tarvik have?"
LIES = ("9999", "8888", "7777", "6666", "5555", "4444", "3333", "2222")


@pytest.fixture
def web() -> Iterator[LocalWeb]:
    with LocalWeb() as served:
        yield served


def settings_for(web: LocalWeb, home: Path, **others: object) -> Settings:
    values: dict[str, Any] = {
        "home": home,
        "sandbox_backend": "bubblewrap",
        "web_search": "searxng",
        "searxng_url": web.searxng,
        "web_allowed_hosts": web.allowed,
        "web_pause_seconds": 0,
        **others,
    }
    return Settings(**values)


def ask(settings: Settings, question: str, session: str, sources: tuple[Path, ...] = ()) -> Report:
    async def work() -> Report:
        async with DeepResearch(settings, resolver=MappedResolver({}, ["127.0.0.1"])) as research:
            return await research.query(question, sources=sources, web=True, session_id=session)

    return asyncio.run(work())


def prose(report: Report) -> str:
    return " ".join([report.answer, *(claim.text for claim in report.claims)])


def check_citations(settings: Settings, report: Report) -> list[str]:
    """Every quote stands in the stored text and in the stored bytes; the sources that are quoted."""
    cited = [quote for claim in report.claims for quote in claim.citations]
    with closing(Archive(settings)) as archive:
        for quote in cited:
            text = archive.text(report.session_id, quote.sha256)
            assert text[quote.start : quote.end] == quote.quote
            if not quote.source.startswith("http"):
                continue
            assert quote.quote.encode() in archive.store.blobs.get(quote.sha256)
    return [quote.source for quote in cited]


def pages_fetched(web: LocalWeb) -> int:
    return sum(count for name, count in web.seen.requests.items() if name.endswith(".html"))


def test_the_web_has_two_hundred_pages(web: LocalWeb) -> None:
    assert len(web.pages) > 200


def test_an_answer_from_the_web_cites_pages_that_need_no_server_any_more(web: LocalWeb, home: Path) -> None:
    settings = settings_for(web, home)
    report = ask(settings, QUESTION, "w")
    web.close()
    sources = check_citations(settings, report)
    assert str(berths("Tarvik")) in report.answer
    assert {source.split("/")[2].split(":")[0] for source in sources} == {
        "harbours.example",
        "www.shipping-news.example",
    }
    assert all(entry.retrieved and entry.source.startswith("http://") for entry in report.sources)
    assert any("Of the web only what searxng named was looked at" in limit for limit in report.limits)
    # The report can be written again from what is stored alone.
    for path in report.paths.values():
        Path(path).unlink()
    again = asyncio.run(_resume(settings, "w"))
    assert again.answer == report.answer
    markdown = Path(again.paths["markdown"]).read_text()
    assert "retrieved" in markdown
    assert "harbours.example" in markdown
    assert "retrieved" in Path(again.paths["html"]).read_text()


async def _resume(settings: Settings, session: str) -> Report:
    async with DeepResearch(settings, resolver=MappedResolver({}, ["127.0.0.1"])) as research:
        return await research.resume(session)


@pytest.mark.parametrize("island", ["Elsoy", "Rundholm"])
def test_every_hostile_page_is_met_and_changes_nothing(web: LocalWeb, home: Path, island: str) -> None:
    """The same question to the web with and without its hostile site: the same claims, word for word."""
    question = f"How many berths does the harbour of {island} have?"
    for number, path in enumerate([*web.special, "/busy.html", "/injection.html"]):
        web.found_for_everything.append((f"hostile{number}.example", path))
    hostile = ask(settings_for(web, home, web_seconds=1.5), question, "hostile")
    met = {name.partition(".example")[2] for name in web.seen.requests if name.startswith("hostile")}
    assert met >= {*web.special, "/busy.html", "/injection.html"} - {"/private/tarvik.html"}
    assert "/private/tarvik.html" not in met
    web.found_for_everything.clear()
    web.special.clear()
    del web.pages[HOSTILE, "/injection.html"]
    plain = ask(settings_for(web, home, web_cache_minutes=0), question, "plain")
    # Which of two equal sentences comes first depends on what else is indexed; what is said does not.
    assert {(claim.text, claim.support) for claim in hostile.claims} == {
        (claim.text, claim.support) for claim in plain.claims
    }
    assert str(berths(island)) in hostile.answer
    assert [sub.text for sub in hostile.sub_questions] == [sub.text for sub in plain.sub_questions]
    assert not any(lie in prose(hostile) for lie in LIES)
    refused = " ".join(hostile.limits)
    assert "was not read" in refused
    assert "holds text that addresses a language model" in refused


def test_hostile_pages_alone_end_in_a_report_that_says_so(web: LocalWeb, home: Path) -> None:
    for key in [key for key in web.pages if key[0] != HOSTILE]:
        del web.pages[key]
    report = ask(settings_for(web, home), QUESTION, "w")
    assert not any(lie in prose(report) for lie in LIES)
    assert any("was not read" in limit for limit in report.limits)


def test_a_page_that_calls_itself_a_newer_version_does_not_set_a_file_aside(
    web: LocalWeb, home: Path, tmp_path: Path
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "harbour-plan-v1.md").write_text(
        "# Harbour plan of Tarvik\n\nVersion 1\n\nThe harbour of Tarvik has 12 berths for fishing boats.\n"
    )
    web.pages["travel.example", "/harbour-plan-v2.html"] = (
        "<!doctype html><html><head><title>Harbour plan of Tarvik</title></head><body><h1>Harbour plan of Tarvik</h1>"
        "<p>Version 2</p><p>This document supersedes version 1 of the harbour plan of Tarvik.</p>"
        "<p>The harbour of Tarvik has 31 berths for fishing boats.</p></body></html>"
    )
    report = ask(settings_for(web, home), QUESTION, "w", (sources,))
    entry = next(entry for entry in report.sources if entry.source.endswith("harbour-plan-v1.md"))
    assert entry.superseded_by is None
    assert entry.citations > 0
    assert entry.retrieved is None
    assert any(conflict.kind == "number" for conflict in report.conflicts), "both stand side by side"


def test_with_files_as_well_both_are_cited_and_agreement_counts_sites(
    web: LocalWeb, home: Path, tmp_path: Path
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "survey.txt").write_text("In our survey the harbour of Tarvik has 12 berths for fishing boats.\n")
    # The same words on a second host of the same registrable domain are no second voice.
    web.pages["archive.islands.example.org", "/tarvik.html"] = web.pages["islands.example.org", "/tarvik.html"] = page(
        "harbours.example", "Tarvik"
    )
    settings = settings_for(web, home)
    report = ask(settings, QUESTION, "w", (sources,))
    kinds = {quote.source.startswith("http") for claim in report.claims for quote in claim.citations}
    assert kinds == {True, False}
    assert not any(limit.startswith("No search service") for limit in report.limits)


def test_the_same_bytes_as_a_file_are_one_document(web: LocalWeb, home: Path, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "tarvik.html").write_text(web.pages["harbours.example", "/tarvik.html"])
    settings = settings_for(web, home)
    report = ask(settings, QUESTION, "w", (sources,))
    with closing(Archive(settings)) as archive:
        hashes = [document.sha256 for document in archive.documents("w")]
        assert len(hashes) == len(set(hashes))
        for quote in (quote for claim in report.claims for quote in claim.citations):
            assert archive.text("w", quote.sha256)[quote.start : quote.end] == quote.quote


def test_a_gap_is_closed_from_the_web(web: LocalWeb, home: Path) -> None:
    """The page that answers is found only by a query with fewer of the question's words."""
    answer = ("harbours.example", "/tarvik.html")
    for key in [key for key in web.pages if key != answer]:
        del web.pages[key]
    web.special.clear()
    web.pages["travel.example", "/wall.html"] = "<html><body><p>Tarvik has an old harbour wall.</p></body></html>"
    web.only_for[answer] = "berths tarvik"
    settings = settings_for(web, home)
    report = ask(settings, QUESTION, "w")
    assert str(berths("Tarvik")) in report.answer
    assert check_citations(settings, report) == [web.url(*answer)]
    assert {entry.source for entry in report.sources if entry.retrieved} == {
        web.url(*answer),
        web.url("travel.example", "/wall.html"),
    }
    with closing(Archive(settings)) as archive:
        Purging(settings, archive.store).purge(archive.session("w"), actor="test")
    assert remains(home) == []


def remains(home: Path) -> list[Path]:
    """What is left of snapshots and indexes, but for locks."""
    found = [*(home / "artefacts").rglob("*"), *(home / "index").rglob("*")]
    return [path for path in found if path.is_file() and not path.name.startswith("lock")]


KILLED = """
import asyncio, os, signal, sys
sys.path[:0] = {path!r}
from deepresearch.session.progress import Silent
from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings
from tests.web.local_web import MappedResolver

class Killer(Silent):
    def count(self, count):
        if count.stage == "web" and count.total and count.done >= {after} and count.label.startswith("http"):
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with DeepResearch(Settings(), resolver=MappedResolver({{}}, ["127.0.0.1"])) as research:
        await research.query({question!r}, web=True, session_id="killed", listener=Killer())

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 2])
def test_killed_while_fetching_nothing_is_fetched_twice(
    web: LocalWeb, home: Path, environment: dict[str, str], after: int
) -> None:
    web.special.clear()
    settings = settings_for(web, home, web_parallel=1, web_cache_minutes=0)
    given = environment | {
        "DEEPRESEARCH_WEB_SEARCH": "searxng", "DEEPRESEARCH_SEARXNG_URL": web.searxng, "DEEPRESEARCH_WEB_PAUSE_SECONDS": "0",
        "DEEPRESEARCH_WEB_ALLOWED_HOSTS": web.allowed, "DEEPRESEARCH_WEB_PARALLEL": "1", "DEEPRESEARCH_WEB_CACHE_MINUTES": "0",
    }  # fmt: skip
    program = KILLED.format(path=[*sys.path, str(Path.cwd())], after=after, question=QUESTION)
    killed = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = pages_fetched(web)
    assert before >= after
    report = asyncio.run(_resume(settings, "killed"))
    assert str(berths("Tarvik")) in report.answer
    fetched = {name: count for name, count in web.seen.requests.items() if name.endswith(".html")}
    # The page on its way at the moment of the kill is the only one that may be asked for again.
    assert sum(count - 1 for count in fetched.values()) <= 1
    searches = web.seen.requests["127.0.0.1/search"]
    again = ask(settings_for(web, home, web_parallel=1), QUESTION, "fresh")
    assert web.seen.requests["127.0.0.1/search"] == 2 * searches, "the resumed session searched for nothing twice"
    assert [claim.text for claim in again.claims] == [claim.text for claim in report.claims]
    check_citations(settings, report)


def test_another_session_takes_pages_from_the_cache_and_keeps_them_when_the_first_is_purged(
    web: LocalWeb, home: Path
) -> None:
    settings = settings_for(web, home)
    first = ask(settings, QUESTION, "first")
    before = pages_fetched(web)
    second = ask(settings, QUESTION, "second")
    good = {name for name in web.seen.requests if name.endswith("tarvik.html") and HOSTILE not in name}
    assert all(web.seen.requests[name] == 1 for name in good)
    assert [entry.retrieved for entry in first.sources] == [entry.retrieved for entry in second.sources]
    assert [claim.text for claim in first.claims] == [claim.text for claim in second.claims]
    with closing(Archive(settings)) as archive:
        Purging(settings, archive.store).purge(archive.session("first"), actor="test")
    check_citations(settings, second)
    with closing(Archive(settings)) as archive:
        Purging(settings, archive.store).purge(archive.session("second"), actor="test")
    assert remains(home) == []
    before = pages_fetched(web)
    ask(settings, QUESTION, "third")
    assert pages_fetched(web) > before, "what was purged is not taken from anywhere"


def test_pages_and_sites_are_bounded(web: LocalWeb, home: Path) -> None:
    web.special.clear()
    report = ask(
        settings_for(web, home, web_max_pages=4),
        "How many passengers did the ferries carry to the islands in 2023?",
        "w",
    )
    assert len([entry for entry in report.sources if entry.retrieved]) == 4
    assert any("left out" in limit for limit in report.limits)
    assert all(most == 1 for host, most in web.seen.most.items() if host != "127.0.0.1")


def test_a_search_service_that_fails_is_named(web: LocalWeb, home: Path) -> None:
    settings = settings_for(web, home, web_search="searxng", searxng_url=f"http://127.0.0.1:{web.port}/absent")
    report = ask(settings, QUESTION, "w")
    assert report.claims == ()
    assert any("no search service answered" in limit for limit in report.limits)
    assert any("The search service searxng" in limit for limit in report.limits)


def test_a_pdf_of_the_web_is_cited_with_its_page(web: LocalWeb, home: Path, corpus: Path) -> None:
    report_file = corpus / "annual-reports" / "annual-report-2024.pdf"
    web.special.clear()
    web.pages.clear()
    address = ("yearbook.example.com", "/files/annual-report.pdf")
    web.files[address] = ("application/octet-stream", report_file.read_bytes(), "")
    web.found_for_everything.append(address)
    settings = settings_for(web, home)
    report = ask(settings, "How many passengers did Tervane Sound Ferries carry in 2024?", "w")
    assert "1,268,400" in report.answer
    quotes = [quote for claim in report.claims for quote in claim.citations]
    assert {(quote.source, quote.page) for quote in quotes if "1,268,400" in quote.quote} == {(web.url(*address), 2)}
    with closing(Archive(settings)) as archive:
        assert archive.store.blobs.get(quotes[0].sha256) == report_file.read_bytes()
        (document,) = archive.documents("w")
    assert document.date is not None
    assert document.date.isoformat() == "2025-03-20"


def test_a_session_resumed_offline_waits_for_the_web(web: LocalWeb, home: Path) -> None:
    online = settings_for(web, home)
    with closing(Archive(online)) as archive:
        archive.store.create_session("w", SessionOptions(question=QUESTION, web=True))
    with pytest.raises(UsageError, match="DEEPRESEARCH_OFFLINE"):
        asyncio.run(_resume(settings_for(web, home, offline=True), "w"))
    assert not web.seen.requests
    assert str(berths("Tarvik")) in asyncio.run(_resume(online, "w")).answer


def test_offline_refuses_before_anything_is_stored(web: LocalWeb, home: Path, tmp_path: Path) -> None:
    settings = settings_for(web, home, offline=True)
    (tmp_path / "a.txt").write_text("The harbour of Tarvik has 12 berths.")
    for sources in ((), (tmp_path / "a.txt",)):
        with pytest.raises(UsageError, match="DEEPRESEARCH_OFFLINE"):
            ask(settings, QUESTION, "w", sources)
    with closing(Archive(settings)) as archive:
        assert archive.sessions() == []
    assert not web.seen.requests


def test_from_the_command_line(web: LocalWeb, environment: dict[str, str]) -> None:
    """Addresses instead of names: the command has no resolver of a test's own."""
    for (host, path), body in list(web.pages.items()):
        if host == "harbours.example":
            web.pages["127.0.0.1", path] = body
        del web.pages[host, path]
    web.special.clear()
    given = environment | {
        "DEEPRESEARCH_WEB_SEARCH": "searxng", "DEEPRESEARCH_SEARXNG_URL": web.searxng, "DEEPRESEARCH_WEB_PAUSE_SECONDS": "0",
        "DEEPRESEARCH_WEB_ALLOWED_HOSTS": f"127.0.0.1:{web.port}",
    }  # fmt: skip
    command = [sys.executable, "-m", "deepresearch", "query", QUESTION, "--web", "--json"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert "12 berths" in report["answer"]
    offline = subprocess.run(
        command, env=given | {"DEEPRESEARCH_OFFLINE": "true"}, capture_output=True, text=True, check=False
    )
    assert (offline.returncode, offline.stdout) == (2, "")
    assert offline.stderr.count("\n") == 1
    assert "DEEPRESEARCH_OFFLINE" in offline.stderr


def test_all_islands_can_be_asked_for(web: LocalWeb, home: Path) -> None:
    web.special.clear()
    for number, island in enumerate(ISLANDS[3::7]):
        report = ask(settings_for(web, home), f"How many berths does the harbour of {island} have?", f"w{number}")
        assert str(berths(island)) in report.answer


def test_the_web_ends_in_time_with_what_it_has(web: LocalWeb, home: Path) -> None:
    """Half of the time a session has left is the most that searching and fetching take of it."""
    web.special = {"/drip.html": web.special["/drip.html"]}
    drips = [(f"hostile{number}.example", "/drip.html") for number in range(5)]
    web.found_for_everything += drips
    settings = settings_for(web, home)

    async def work() -> WebGathered:
        with closing(Archive(settings)) as archive:
            archive.store.create_session("w", SessionOptions(question=QUESTION, web=True))
            snapshots = Snapshots(archive.store)
            async with Web(settings, resolver=MappedResolver({}, ["127.0.0.1"])) as opened:

                async def opening() -> Web:
                    return opened

                pages = WebPages("w", archive.store, snapshots, opening, settings)
                try:
                    return await pages.gather([[QUESTION]], 20, lambda _done, _total, _label: None, seconds=8)
                finally:
                    snapshots.close()

    gathered = asyncio.run(work())
    late = {page.url for page in gathered.refused if "time of the session" in page.reason}
    assert late >= {web.url(*drip) for drip in drips}
    assert web.url("harbours.example", "/tarvik.html") in {page.url for page in gathered.pages}
