"""Each search provider against a server that speaks its wire format, and against one that misbehaves."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.web import search_services as services
from tests.web.certificates import Authority
from tests.web.search_services import Answer, Asked, Proxy, SearchService

from deepresearch.model.errors import SearchFailed, UsageError
from deepresearch.settings import Settings
from deepresearch.web import Failover, SearchProvider, SearchResult, checked_settings
from deepresearch.web.choosing import provider_names, providers
from deepresearch.web.providers.arxiv import Arxiv
from deepresearch.web.providers.brave import Brave
from deepresearch.web.providers.duckduckgo import DuckDuckGo
from deepresearch.web.providers.exa import Exa
from deepresearch.web.providers.searxng import SearXNG
from deepresearch.web.providers.tavily import Tavily
from deepresearch.web.providers.wikipedia import Wikipedia

DAY = datetime.date(2024, 2, 3)

#: How each provider is made for a server's address, and what serves it.
MADE: dict[str, tuple[Callable[[str], SearchProvider], Answer]] = {
    "searxng": (SearXNG, services.searxng),
    "tavily": (lambda url: Tavily("tvly-secret", url + "/search"), services.tavily),
    "brave": (lambda url: Brave("brave-secret", url + "/res/v1/web/search"), services.brave),
    "exa": (lambda url: Exa("exa-secret", url + "/search"), services.exa),
    "wikipedia": (lambda url: Wikipedia(site=url), services.wikipedia),
    "arxiv": (lambda url: Arxiv(url + "/api/query"), services.arxiv),
}
FERRY = SearchResult(url="https://ferries.example/orkney", title="Orkney ferries", snippet="Sails daily.")


async def search(provider: SearchProvider, query: str = "ferry to Orkney", limit: int = 5) -> list[SearchResult]:
    try:
        return await provider.search(query, limit)
    finally:
        await provider.aclose()


async def test_searxng_is_paged_and_what_is_no_address_is_left_out() -> None:
    with SearchService(services.searxng) as service:
        results = await search(SearXNG(service.url + "/"), "ferry & Orkney?", 15)
    assert [result.url for result in results] == [f"https://site{n}.example/page" for n in range(15)]
    assert results[0] == SearchResult(
        url="https://site0.example/page", title="Title 0", snippet="Snippet 0", published=datetime.date(2024, 5, 1)
    )
    assert [(asked.path, asked.query["q"], asked.query["pageno"]) for asked in service.asked] == [
        ("/search", "ferry & Orkney?", "1"),
        ("/search", "ferry & Orkney?", "2"),
    ]


async def test_tavily() -> None:
    with SearchService(services.tavily) as service:
        assert await search(MADE["tavily"][0](service.url)) == [FERRY]
    assert service.asked[0].method == "POST"
    assert service.asked[0].json["query"] == "ferry to Orkney"


async def test_brave() -> None:
    with SearchService(services.brave) as service:
        assert await search(MADE["brave"][0](service.url), "word " * 70) == [
            FERRY.model_copy(update={"published": DAY})
        ]
    assert len(service.asked[0].query["q"].split()) == 50


async def test_exa() -> None:
    with SearchService(services.exa) as service:
        expected = FERRY.model_copy(update={"published": DAY, "snippet": ""})
        assert await search(MADE["exa"][0](service.url)) == [expected]


async def test_wikipedia() -> None:
    with SearchService(services.wikipedia) as service:
        (result,) = await search(Wikipedia(site=service.url))
    assert result.url == service.url + "/wiki/Orkney_(islands),_a/b%3F"
    assert result.snippet == 'The ferry "Hamnavoe" sails'


async def test_arxiv_gives_the_paper_itself() -> None:
    with SearchService(services.arxiv) as service:
        (result,) = await search(MADE["arxiv"][0](service.url), "How do the ferries sail in rough seas?")
    assert result.url == "https://arxiv.org/pdf/2401.00001v2"
    assert (result.title, result.published) == ("Ferries in rough seas", datetime.date(2024, 1, 2))
    assert service.asked[0].query["search_query"] == "all:ferries AND all:sail AND all:rough AND all:seas"


async def test_duckduckgo_through_its_library(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        SearchService(services.duckduckgo) as service,
        Proxy(service, authority.server("html.duckduckgo.com")) as proxy,
    ):
        (result,) = await search(DuckDuckGo(proxy.url, str(authority.root)))
    assert result.url == "https://ferries.example/orkney"
    assert result.title == "Orkney ferries"
    assert result.snippet == "The ferry sails daily."
    assert proxy.connected == ["html.duckduckgo.com:443"]
    assert service.asked[0].method == "POST"


@pytest.mark.parametrize("status", [403, 500])
async def test_duckduckgo_failing(tmp_path: Path, status: int) -> None:
    authority = Authority(tmp_path)
    with (
        SearchService(lambda _: (status, "text/html", b"<html>no results for robots</html>")) as service,
        Proxy(service, authority.server("html.duckduckgo.com")) as proxy,
    ):
        try:
            assert await search(DuckDuckGo(proxy.url, str(authority.root))) == []
        except SearchFailed as error:
            assert error.provider == "duckduckgo"


async def test_duckduckgo_out_of_reach() -> None:
    with pytest.raises(SearchFailed, match="duckduckgo"):
        await search(DuckDuckGo("http://127.0.0.1:9"))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize(
    "answer",
    [
        (401, "application/json", b'{"error":"tvly-secret brave-secret exa-secret"}'),
        (429, "application/json", b"{}"),
        (500, "text/html", b"<h1>tvly-secret</h1>"),
        (302, "text/html", b""),
        (200, "application/json", b"{not json"),
        (200, "application/json", b"[1, 2]"),
        (200, "text/html", b"<html>log in first</html>"),
        (200, "application/json", b"[" * 200_000),
        (200, "application/json", b'{"results": "' + b"x" * 6_000_000 + b'"}'),
    ],
    ids=["401", "429", "500", "redirect", "no-json", "list", "page", "deep", "huge"],
)
async def test_failures_are_said_and_hold_no_key(name: str, answer: tuple[int, str, bytes]) -> None:
    with SearchService(lambda _: answer) as service, pytest.raises(SearchFailed) as failed:
        await search(MADE[name][0](service.url))
    assert failed.value.provider == name
    assert "secret" not in str(failed.value)
    assert failed.value.lasting is (answer[0] in (401, 429))
    assert len(service.asked) == 1, "a redirect is not followed"


@pytest.mark.parametrize("name", [name for name in MADE if name != "arxiv"])
@pytest.mark.parametrize(
    "value",
    [{}, {"results": None}, {"results": [1, None, "x", {"url": 5}, {"title": []}, {"url": "ftp://x"}]}, {"web": []},
     {"query": {"search": [{"title": 7}]}}, {"results": [{"url": "https://\x00.example"}]}],
)  # fmt: skip
async def test_answers_without_what_they_should_hold_are_empty(name: str, value: object) -> None:
    with SearchService(lambda _: services.as_json(value)) as service:
        assert await search(MADE[name][0](service.url)) == []


async def test_an_xml_bomb_is_no_feed() -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    feed = bomb + ']><feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&j;</title></entry></feed>'
    with SearchService(lambda _: (200, "application/atom+xml", feed.encode())) as service:
        try:
            assert await search(Arxiv(service.url)) == []
        except SearchFailed as error:
            assert "Atom" in str(error)


@pytest.mark.parametrize("name", MADE)
async def test_out_of_reach(name: str) -> None:
    with pytest.raises(SearchFailed, match=name):
        await search(MADE[name][0]("http://127.0.0.1:9"))


async def test_a_searxng_that_allows_no_json_is_told_apart() -> None:
    with (
        SearchService(lambda _: (403, "text/html", b"Forbidden")) as service,
        pytest.raises(SearchFailed, match=r"settings\.yml"),
    ):
        await search(SearXNG(service.url))


async def test_the_next_is_asked_when_one_fails_and_a_lasting_failure_is_not_asked_again() -> None:
    def empty(_: Asked) -> tuple[int, str, bytes]:
        return services.as_json({"results": []})

    with (
        SearchService(lambda _: (429, "application/json", b"{}")) as limited,
        SearchService(lambda _: (500, "text/plain", b"")) as broken,
        SearchService(empty) as nothing,
        SearchService(services.brave) as good,
    ):
        failover = Failover(
            [
                Tavily("tvly-secret", limited.url),
                Exa("exa-secret", broken.url),
                SearXNG(nothing.url),
                Brave("brave-secret", good.url),
            ]
        )
        for _ in range(2):
            found = await failover.search("ferry", 5)
            assert found.provider == "brave"
            assert [failure.partition(":")[0] for failure in found.failures] == ["tavily", "exa"]
        await failover.aclose()
        assert [len(service.asked) for service in (limited, broken, nothing, good)] == [1, 2, 2, 2]


async def test_nothing_found_and_nobody_answering_are_told_apart() -> None:
    with SearchService(lambda _: services.as_json({"results": []})) as nothing:
        failover = Failover([SearXNG(nothing.url)])
        assert await failover.search("x", 5) == (await failover.search("y", 5))
        assert (await failover.search("x", 5)).provider == "searxng"
        await failover.aclose()
    failover = Failover([SearXNG("http://127.0.0.1:9")])
    found = await failover.search("x", 5)
    assert (found.provider, len(found.failures)) == (None, 1)
    await failover.aclose()


def settings(**values: object) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


def test_the_order_is_what_the_settings_say() -> None:
    assert provider_names(settings()) == ["duckduckgo", "wikipedia"]
    assert provider_names(settings(brave_api_key="k", searxng_url="http://s")) == [
        "searxng", "brave", "duckduckgo", "wikipedia",
    ]  # fmt: skip
    assert provider_names(settings(web_search=" Arxiv, wikipedia,arxiv ")) == ["arxiv", "wikipedia"]
    keys = {"tavily_api_key": "k", "brave_api_key": "k", "exa_api_key": "k", "searxng_url": "http://s"}
    names = "exa,searxng,tavily,brave,duckduckgo,wikipedia,arxiv"
    assert [one.name for one in providers(settings(web_search=names, **keys))] == names.split(",")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"web_search": "google"}, "no search provider"),
        ({"web_search": "tavily"}, "DEEPRESEARCH_TAVILY_API_KEY"),
        ({"web_search": "searxng"}, "DEEPRESEARCH_SEARXNG_URL"),
        ({"web_search": "searxng", "searxng_url": "ftp://s"}, "DEEPRESEARCH_SEARXNG_URL"),
        ({"web_allowed_hosts": "http://x"}, "DEEPRESEARCH_WEB_ALLOWED_HOSTS"),
        ({"offline": True}, "DEEPRESEARCH_OFFLINE"),
    ],
)
def test_settings_that_cannot_be_used_are_named(values: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked_settings(settings(**values))


def test_a_key_is_not_shown() -> None:
    assert "tvly-secret" not in repr(settings(tavily_api_key="tvly-secret"))
