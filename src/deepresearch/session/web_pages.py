"""The web for one session: search for its queries, fetch the pages found, and keep each as it comes.

Every search and every page is stored before the next begins, under a key made of what was asked. A session that is
killed and resumed finds them there, so nothing is searched for or fetched twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from deepresearch.evidence.independence import registrable_domain
from deepresearch.model.errors import FetchRefused
from deepresearch.session.snapshots import Snapshots
from deepresearch.session.store import Store
from deepresearch.session.web_records import RefusedPage, WebGathered, WebPage, WebSearch
from deepresearch.settings import Settings

if TYPE_CHECKING:
    from deepresearch.web import Web

#: Queries of one round at most, and results asked for each.
_QUERIES = 12
_RESULTS = 20

#: Pages of one site in one round: many pages of one site are one voice.
_EACH_SITE = 6

_NO_TIME = "the time of the session did not suffice for it"

_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|msclkid|mc_cid|mc_eid)=", re.IGNORECASE)

Progress = Callable[[int, int, str], None]


def site_of(host: str) -> str:
    """The registrable domain of a host, for taking turns and for counting voices."""
    return registrable_domain(f"http://{f'[{host}]' if ':' in host else host}/") or host


class WebPages:
    """Searches and fetches for one session. `web` gives the connection to the web, opened when it is first needed."""

    def __init__(
        self,
        session_id: str,
        store: Store,
        snapshots: Snapshots,
        web: Callable[[], Awaitable[Web]],
        settings: Settings,
    ) -> None:
        self._id = session_id
        self._store = store
        self._snapshots = snapshots
        self._web = web
        self._parallel = settings.web_parallel
        self._under_way: dict[str, asyncio.Lock] = {}
        self._fresh = timedelta(minutes=settings.web_cache_minutes)

    async def gather(
        self,
        queries: Sequence[Sequence[str]],
        limit: int,
        on_progress: Progress,
        known: Collection[str] = (),
        seconds: float | None = None,
    ) -> WebGathered:
        """Search for the queries of each sub-question and fetch the best results, at most `limit` pages.

        Addresses among `known` are passed over. After `seconds` it ends with what it has.
        The sub-questions take turns, so that none uses up the bound alone. Failures are part of what is given back.
        """
        end = math.inf if seconds is None else time.monotonic() + seconds
        searches: list[WebSearch] = []
        found: list[list[str]] = []
        asked = _in_turns(queries)[:_QUERIES]
        for number, query in enumerate(asked):
            if time.monotonic() >= end and searches:
                break
            on_progress(number, len(asked), query)
            search = await self._search(query)
            searches.append(search)
            found.append([url for url in search.urls if url not in known])
        candidates, left_out = _spread(_in_turns(found), limit * 2)
        pages: list[WebPage] = []
        refused: list[RefusedPage] = []
        tried = 0
        on_progress(0, min(limit, len(candidates)), "")
        while tried < len(candidates) and len(pages) < limit and time.monotonic() < end:
            batch = candidates[tried : tried + limit - len(pages)]
            tried += len(batch)
            for outcome in await self._fetch_all(batch, len(pages), min(limit, len(candidates)), on_progress, end):
                if isinstance(outcome, WebPage):
                    pages.append(outcome)
                else:
                    refused.append(outcome)
        return WebGathered(
            searches=tuple(searches),
            pages=tuple(pages),
            refused=tuple(refused),
            left_out=left_out + len(candidates) - tried,
        )

    async def _search(self, query: str) -> WebSearch:
        key = _key("search", query)
        stored = await asyncio.to_thread(self._store.result, self._id, key)
        if stored is not None:
            return WebSearch.model_validate(stored)
        found = await (await self._web()).search(query, _RESULTS)
        search = WebSearch(
            query=query,
            provider=found.provider,
            urls=tuple(dict.fromkeys(_plain(result.url) for result in found.results)),
            failures=found.failures,
        )
        await asyncio.to_thread(self._store.keep_result, self._id, key, search.model_dump(mode="json"))
        return search

    async def _fetch_all(
        self, urls: Sequence[str], before: int, total: int, on_progress: Progress, end: float
    ) -> list[WebPage | RefusedPage]:
        places = asyncio.Semaphore(self._parallel)
        done = before

        async def one(url: str) -> WebPage | RefusedPage:
            nonlocal done
            async with places:
                outcome = await self._page(url)
            done += isinstance(outcome, WebPage)
            on_progress(done, total, url)
            return outcome

        tasks = [asyncio.ensure_future(one(url)) for url in urls]
        try:
            await asyncio.wait(
                tasks,
                timeout=None if end == math.inf else max(0.0, end - time.monotonic()),
                return_when=asyncio.FIRST_EXCEPTION,
            )
            return [
                task.result() if task.done() else RefusedPage(url=url, kind="time", reason=_NO_TIME)
                for url, task in zip(urls, tasks, strict=True)
            ]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _page(self, url: str) -> WebPage | RefusedPage:
        # Two sub-questions that close their gaps at once may have found the same page.
        async with self._under_way.setdefault(url, asyncio.Lock()):
            return await self._page_once(url)

    async def _page_once(self, url: str) -> WebPage | RefusedPage:
        key = _key("page", url)
        stored = await asyncio.to_thread(self._store.result, self._id, key)
        if stored is not None:
            return WebPage.model_validate(stored) if "sha256" in stored else RefusedPage.model_validate(stored)
        outcome: WebPage | RefusedPage | None = await asyncio.to_thread(self._from_other_sessions, key)
        if outcome is None:
            outcome = await self._fetch(url)
        await asyncio.to_thread(self._store.keep_result, self._id, key, outcome.model_dump(mode="json"))
        return outcome

    def _from_other_sessions(self, key: str) -> WebPage | None:
        if not self._fresh:
            return None
        edge = datetime.now(UTC) - self._fresh
        since = edge.isoformat(timespec="microseconds").replace("+00:00", "Z")
        stored = self._store.recent_result(self._id, key, since)
        if stored is None or "sha256" not in stored:
            return None
        page = WebPage.model_validate(stored)
        # A page taken over keeps the time it was fetched at, so it does not live on from session to session.
        if datetime.fromisoformat(page.retrieved) < edge:
            return None
        return self._snapshots.take_over(self._id, page)

    async def _fetch(self, url: str) -> WebPage | RefusedPage:
        try:
            page = await (await self._web()).fetch(url)
        except FetchRefused as error:
            return RefusedPage(url=url, kind=error.kind, reason=error.reason)
        kept = await asyncio.to_thread(self._snapshots.keep, self._id, page)
        if isinstance(kept, WebPage):
            return kept
        return RefusedPage(url=url, kind=kept.kind, reason=kept.reason)


def _key(what: str, text: str) -> str:
    return f"web:{what}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:40]}"


def _in_turns(lists: Sequence[Sequence[str]]) -> list[str]:
    """The first of each list, then the second of each, each text once."""
    return list(dict.fromkeys(text for row in zip_longest(*lists) for text in row if text is not None))


def _plain(url: str) -> str:
    """The address without its fragment and without marks that only tell where a reader came from."""
    address, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and not _TRACKING.match(part)]
    return address + ("?" + "&".join(kept) if kept else "")


def _site_of_url(url: str) -> str:
    try:
        return registrable_domain(url) or url
    except ValueError:  # no well-formed address: the fetcher says so
        return url


def _spread(urls: Sequence[str], limit: int) -> tuple[list[str], int]:
    """The first `limit` addresses, of no site too many; and how many were left out."""
    taken: list[str] = []
    sites: dict[str, int] = {}
    for url in urls:
        site = _site_of_url(url)
        sites[site] = sites.get(site, 0) + 1
        if sites[site] <= _EACH_SITE and len(taken) < limit:
            taken.append(url)
    return taken, len(urls) - len(taken)
