"""The fetcher against pages that mean harm, and its manners towards those that do not."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import resource
import zlib
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

import pytest
from tests.web.local_web import HOSTILE, ISLANDS, LocalWeb, MappedResolver

from deepresearch.model.errors import FetchRefused
from deepresearch.web import Fetcher, Policy, WebLimits

LIMITS = WebLimits(
    seconds=2, connect_seconds=1, read_seconds=1, pause_seconds=0, page_bytes=2_000_000, pdf_bytes=4_000_000
)


@pytest.fixture
def web() -> Iterator[LocalWeb]:
    with LocalWeb() as served:
        yield served


@pytest.fixture
async def fetcher(web: LocalWeb) -> AsyncIterator[Fetcher]:
    async with fetcher_for(web) as one:
        yield one


def fetcher_for(web: LocalWeb, limits: WebLimits = LIMITS) -> Fetcher:
    return Fetcher(Policy(web.allowed.split(",")), limits=limits, resolver=MappedResolver({}, ["127.0.0.1"]))


async def refused(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(FetchRefused) as error:
        await fetcher.fetch(url)
    return error.value.kind


async def test_a_page_comes_with_its_hash_its_type_and_its_time(web: LocalWeb, fetcher: Fetcher) -> None:
    page = await fetcher.fetch(web.url("harbours.example", "/tarvik.html#berths"))
    assert page.url.endswith("#berths")
    assert page.final_url == web.url("harbours.example", "/tarvik.html")
    assert (page.media_type, page.charset) == ("text/html", "utf-8")
    assert page.sha256 == hashlib.sha256(page.body).hexdigest()
    assert b"12 berths" in page.body
    assert page.fetched_at.tzinfo is not None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/endless.html", "size"), ("/loop-a.html", "redirects"), ("/bomb.html", "size"), ("/nested-bomb.html", "encoding"),
        ("/movie.html", "type"), ("/liar.html", "type"), ("/private/tarvik.html", "robots"), ("/busy.html", "busy"),
        ("/broken.html", "status"), ("/slow.html", "time"), ("/drip.html", "time"), ("/headers.html", "connection"),
        ("/garbage.html", "connection"), ("/empty.html", "type"), ("/short.html", "connection"), ("/absent.html", "status"),
    ],
)  # fmt: skip
async def test_what_is_hostile_is_refused_with_a_reason(web: LocalWeb, fetcher: Fetcher, path: str, kind: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert await refused(fetcher, web.url(HOSTILE, path)) == kind
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150_000, "kilobytes: a bomb of 320 MB was not unpacked"


async def test_redirects_are_followed_only_so_far(web: LocalWeb, fetcher: Fetcher) -> None:
    for number in range(6):
        web.redirects[f"/chain-{number}.html"] = f"/chain-{number + 1}.html"
    web.redirects["/chain-6.html"] = "/injection.html"
    assert await refused(fetcher, web.url(HOSTILE, "/chain-0.html")) == "redirects"
    assert (await fetcher.fetch(web.url(HOSTILE, "/chain-2.html"))).final_url.endswith("/injection.html")


async def test_robots_are_asked_once_for_a_site_and_obeyed(web: LocalWeb, fetcher: Fetcher) -> None:
    for _ in range(3):
        assert await refused(fetcher, web.url(HOSTILE, "/private/tarvik.html")) == "robots"
    await fetcher.fetch(web.url(HOSTILE, "/injection.html"))
    assert web.seen.requests[f"{HOSTILE}/robots.txt"] == 1
    assert web.seen.requests[f"{HOSTILE}/private/tarvik.html"] == 0


@pytest.mark.parametrize(("status", "reads"), [(404, True), (403, True), (500, False), (503, False), (429, False)])
async def test_robots_that_cannot_be_had(web: LocalWeb, fetcher: Fetcher, status: int, reads: bool) -> None:
    web.robots["harbours.example"] = (status, "User-agent: *\nDisallow: /")
    url = web.url("harbours.example", "/tarvik.html")
    if reads:
        assert (await fetcher.fetch(url)).body
    else:
        assert await refused(fetcher, url) == "robots"


async def test_robots_may_speak_of_this_program_by_name(web: LocalWeb, fetcher: Fetcher) -> None:
    web.robots["harbours.example"] = (200, "User-agent: *\nAllow: /\n\nUser-agent: DeepResearch\nDisallow: /\n")
    web.robots["travel.example"] = (
        200,
        "User-agent: *\nDisallow: /\n\nUser-agent: deepresearch\nDisallow: /\nAllow: /tar*.html$\n",
    )
    web.robots["ferries.example"] = (200, "<html>not found, but with status 200" + "x" * 2_000_000)
    assert await refused(fetcher, web.url("harbours.example", "/tarvik.html")) == "robots"
    assert (await fetcher.fetch(web.url("travel.example", "/tarvik.html"))).body
    assert await refused(fetcher, web.url("travel.example", "/elsoy.html")) == "robots"
    assert (await fetcher.fetch(web.url("ferries.example", "/tarvik.html"))).body


async def test_one_request_at_a_time_to_a_site_with_a_pause_between(web: LocalWeb) -> None:
    limits = LIMITS.model_copy(update={"pause_seconds": 0.1})
    async with fetcher_for(web, limits) as fetcher:
        urls = [
            web.url(site, f"/{name.lower()}.html")
            for site in ("harbours.example", "travel.example")
            for name in ISLANDS[:5]
        ]
        await asyncio.gather(*(fetcher.fetch(url) for url in urls))
    assert web.seen.most["harbours.example"] == web.seen.most["travel.example"] == 1
    times = sorted(web.seen.times["harbours.example"])[1:]  # after its robots.txt
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) >= 0.09


async def test_a_busy_site_is_asked_again_after_what_it_says_and_left_alone_when_that_is_long(
    web: LocalWeb, fetcher: Fetcher
) -> None:
    web.retry_after = "0.2"  # no valid number: left alone for a while
    assert await refused(fetcher, web.url(HOSTILE, "/busy.html")) == "busy"
    assert await refused(fetcher, web.url(HOSTILE, "/injection.html")) == "busy"
    assert web.seen.requests[f"{HOSTILE}/injection.html"] == 0
    async with fetcher_for(web) as another:
        web.retry_after = "1"
        web.busy_times = 1
        page = await another.fetch(web.url(HOSTILE, "/busy.html"))
        assert b"4444" in page.body
    assert web.seen.requests[f"{HOSTILE}/busy.html"] == 3


async def test_no_cookie_is_carried_and_the_program_says_who_it_is(web: LocalWeb, fetcher: Fetcher) -> None:
    for name in ISLANDS[:3]:
        await fetcher.fetch(web.url("harbours.example", f"/{name.lower()}.html"))
    assert not any("cookie" in headers or "authorization" in headers for headers in web.seen.headers)
    assert all(headers["user-agent"].startswith("DeepResearch/") for headers in web.seen.headers)


@pytest.mark.parametrize(
    ("body", "declared", "path", "expected"),
    [
        (b"<p>The sea.</p>", "text/html", "/a", "text/html"),
        (b"<p>The sea.</p>", "TEXT/HTML;Charset=UTF-8", "/a", "text/html"),
        (b"The sea.", "", "/a.txt", "text/plain"),
        (b"# The sea", "application/octet-stream", "/a.md", "text/markdown"),
        (b"%PDF-1.4 x", "text/html", "/a", "application/pdf"),
        (b"%PDF-1.4 x", "", "/a", "application/pdf"),
        (b"PK\x03\x04 x", "", "/a.docx", "application/octet-stream"),
        (b"PK\x03\x04 x", "text/html", "/a", None),
        (b"The sea.", "application/pdf", "/a.pdf", None),
        (b"\0\1\2\3", "text/plain", "/a", None),
        (b"\xff\xfeT\0h\0e\0", "text/plain", "/a", "text/plain"),
        (b"GIF89a", "text/plain", "/a", None),
        (b"x", "image/png", "/a", None),
        (b"x", "application/zip", "/a", None),
        (b"<svg/>", "image/svg+xml", "/a", None),
    ],
)
async def test_the_type_is_what_the_server_says_and_the_bytes_do_not_deny(
    web: LocalWeb, fetcher: Fetcher, body: bytes, declared: str, path: str, expected: str | None
) -> None:
    web.files["harbours.example", path] = (declared, body, "")
    url = web.url("harbours.example", path)
    if expected is None:
        assert await refused(fetcher, url) == "type"
    else:
        assert (await fetcher.fetch(url)).media_type == expected


@pytest.mark.parametrize(
    "coding", ["gzip", "x-gzip", "deflate", "raw deflate", "identity", "br", "zstd", "gzip, gzip", "gzip broken"]
)
async def test_codings(web: LocalWeb, fetcher: Fetcher, coding: str) -> None:
    text = b"<p>" + b"The harbour has 12 berths. " * 500 + b"</p>"
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text), "x-gzip": gzip.compress(text), "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(), "identity": text, "br": b"\x0b\x02", "zstd": b"\x28\xb5\x2f\xfd",
        "gzip, gzip": gzip.compress(gzip.compress(text)), "gzip broken": gzip.compress(text)[:100] + b"\xff" * 100,
    }[coding]  # fmt: skip
    said = {"raw deflate": "deflate", "gzip broken": "gzip"}.get(coding, coding)
    web.files["harbours.example", "/packed.html"] = ("text/html", packed, said)
    url = web.url("harbours.example", "/packed.html")
    if coding in ("br", "zstd", "gzip, gzip", "gzip broken"):
        assert await refused(fetcher, url) == "encoding"
    else:
        assert (await fetcher.fetch(url)).body == text


async def test_a_page_announced_too_large_is_not_read(web: LocalWeb, fetcher: Fetcher) -> None:
    web.files["harbours.example", "/large.html"] = ("text/html", b"<p>" + b"x" * 5_000_000, "")
    assert await refused(fetcher, web.url("harbours.example", "/large.html")) == "size"


async def test_no_server_no_name_no_certificate(web: LocalWeb, fetcher: Fetcher) -> None:
    assert await refused(fetcher, web.url("harbours.example", "/tarvik.html").replace("http:", "https:")) == "robots"
    port = web.port
    web.close()
    assert await refused(fetcher, f"http://travel.example:{port}/tarvik.html") == "robots"


async def test_many_at_once_and_cancelled(web: LocalWeb, fetcher: Fetcher) -> None:
    work = asyncio.gather(*(fetcher.fetch(web.url(HOSTILE, "/drip.html")) for _ in range(20)), return_exceptions=True)
    await asyncio.sleep(0.2)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (await fetcher.fetch(web.url(HOSTILE, "/injection.html"))).body
