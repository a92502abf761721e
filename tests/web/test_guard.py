"""No spelling of an address that is not public leads to a connection; real sockets listen and count."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Self

import pytest
from tests.web.local_web import LocalWeb, MappedResolver

from deepresearch.model.errors import FetchRefused, UsageError
from deepresearch.web import Fetcher, Policy, WebLimits

LIMITS = WebLimits(seconds=5, connect_seconds=1, read_seconds=2, pause_seconds=0)

#: Hosts in every spelling that some program reads as an address of this machine, its network or its cloud.
SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "127.000.000.001", "0177.0.0.1", "0177.0.0.01", "017700000001",
    "0x7f.0.0.1", "0x7f000001", "0x7F.0x0.0x0.0x1", "0X7F000001", "2130706433", "4294967295", "0", "0.0.0.0", "0x0",
    "localhost", "LOCALHOST", "localhost.", "app.localhost", "localhost.localdomain", "printer.local", "router.lan",
    "db.internal", "metadata.google.internal", "metadata", "intranet", "wiki.corp", "127.0.0.1.", "169.254.169.254",
    "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "100.100.100.200",
    "168.63.129.16", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[0000:0000:0000:0000:0000:ffff:7f00:0001]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[fd00:ec2::254]", "[fc00::1]",
    "[ff02::1]", "[::ffff:169.254.169.254]", "[::1", "[::1]x", "[127.0.0.1]", "１２７.０.０.１", "①②⑦.⓪.⓪.①",
    "127。0。0。1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "１２７．１", "%31%32%37.0.0.1", "127.0.0.1%00.example.com", "ⅼocalhost",
)  # fmt: skip

#: Whole addresses that hide where they lead, or what they are. {port} is where the sockets listen.
TRICKS = (
    "http://user@127.0.0.1:{port}/", "http://example.com@127.0.0.1:{port}/", "http://example.com:80@127.0.0.1:{port}/",
    "http://user:secret@example.com:{port}/", "http://127.0.0.1:{port}\\@example.com/", "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/", "http://example.com\\.127.0.0.1:{port}/", "http:\\\\127.0.0.1:{port}\\",
    "http:127.0.0.1:{port}/", "//127.0.0.1:{port}/", "///127.0.0.1:{port}/", "http:///127.0.0.1:{port}/", "127.0.0.1:{port}/",
    "http://127.0.0.1:{port}:80/", "http://127.0.0.1:８０/", "http://127.0.0.1:-1/", "http://127.0.0.1:99999/",
    "http://exa\tmple.com:{port}/", "http://example.com\r\nHost: 127.0.0.1:{port}/", "http://example.com /", "http://example.com\0/",
    "ht\ntp://127.0.0.1:{port}/", "HTTP://127.0.0.1:{port}/", "file:///etc/passwd", "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/_GET", "dict://127.0.0.1:{port}/", "data:text/html,hello",
    "javascript:alert(1)", "unix:///var/run/docker.sock", "ws://127.0.0.1:{port}/", "jar:http://127.0.0.1:{port}/!/a",
    "http://example.com:22/", "http://example.com:6379/", "https://example.com:9200/", "http://", "http://./", "http://../", "http://-/",
    "http://a..b/", "http://.example.com/", "", "   ", "http://" + "a" * 64 + ".com/", "http://example.com/" + "a" * 5_000,
)  # fmt: skip


class Listeners:
    """Sockets on every address of this machine, both families, one port; they count who comes."""

    def __init__(self) -> None:
        self.connections = 0
        self._sockets: list[socket.socket] = []
        first = socket.socket(socket.AF_INET)
        first.bind(("0.0.0.0", 0))
        self.port: int = first.getsockname()[1]
        self._sockets.append(first)
        try:
            second = socket.socket(socket.AF_INET6)
            second.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            second.bind(("::", self.port))
            self._sockets.append(second)
        except OSError:
            pass  # a machine without IPv6: its spellings must be refused all the same
        for one in self._sockets:
            one.listen(64)
            threading.Thread(target=self._accept, args=(one,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            one.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            connection.recv(65_536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret"
            )
            connection.close()


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    with Listeners() as listening:
        yield listening


async def refusals(fetcher: Fetcher, urls: list[str]) -> dict[str, str]:
    """Fetch all; the addresses that were refused, with the kind of the refusal."""
    refused = {}
    async with fetcher:
        for url in urls:
            try:
                await fetcher.fetch(url)
            except FetchRefused as error:
                refused[url] = error.kind
                assert "secret" not in str(error), "a password is not repeated"
    return refused


def test_there_are_enough_spellings() -> None:
    assert len(set(SPELLINGS)) >= 60


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_spelling_is_connected_to(listeners: Listeners, scheme: str) -> None:
    # The system's own resolver: whatever it makes of a spelling must not matter.
    fetcher = Fetcher(Policy(ports=(80, 443, listeners.port)), limits=LIMITS)
    urls = [f"{scheme}://{host}:{listeners.port}/" for host in SPELLINGS]
    refused = await refusals(fetcher, urls)
    assert refused == dict.fromkeys(urls, "address")
    assert listeners.connections == 0


async def test_no_trick_is_connected_to(listeners: Listeners) -> None:
    resolver = MappedResolver({}, ["127.0.0.1"])
    fetcher = Fetcher(Policy(ports=(80, 443, listeners.port)), limits=LIMITS, resolver=resolver)
    urls = [trick.format(port=listeners.port) for trick in TRICKS]
    assert await refusals(fetcher, urls) == dict.fromkeys(urls, "address")
    assert listeners.connections == 0
    assert resolver.asked == [], "all of them are refused by their spelling"


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"], ["::1"], ["0.0.0.0"], ["::"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["10.0.0.1"], ["169.254.169.254"],
        ["fe80::1%lo"], ["1.1.1.1", "127.0.0.1"], ["127.0.0.1", "1.1.1.1"], ["2606:4700::1", "::1"], ["not an address"], ["0x7f.1"],
    ],
)  # fmt: skip
async def test_a_public_name_that_leads_inside_is_not_followed(listeners: Listeners, answer: list[str]) -> None:
    resolver = MappedResolver({"innocent.example.com": answer})
    fetcher = Fetcher(Policy(ports=(80, 443, listeners.port)), limits=LIMITS, resolver=resolver)
    url = f"http://innocent.example.com:{listeners.port}/"
    assert await refusals(fetcher, [url]) == {url: "address"}
    assert resolver.asked == ["innocent.example.com"]
    assert listeners.connections == 0


class Rebinding:
    """A name server that answers with a public address first and with this machine ever after."""

    def __init__(self) -> None:
        self.answers = 0

    async def resolve(self, host: str, port: int) -> list[str]:
        self.answers += 1
        # 192.88.98.1 is public by the registries, and nothing answers there.
        return ["192.88.98.1"] if self.answers == 1 else ["127.0.0.1"]


async def test_a_name_that_changes_its_answer_after_the_check_gains_nothing(listeners: Listeners) -> None:
    resolver = Rebinding()
    fetcher = Fetcher(Policy(ports=(80, 443, listeners.port)), limits=LIMITS, resolver=resolver)
    async with fetcher:
        with pytest.raises(FetchRefused) as first:
            await fetcher.fetch(f"http://rebinding.example.com:{listeners.port}/")
        assert first.value.kind == "robots", "its first answer was tried, and nothing but that"
        assert resolver.answers == 1
        for _ in range(3):
            with pytest.raises(FetchRefused):
                await fetcher.fetch(f"http://www{resolver.answers}.rebinding.example.com:{listeners.port}/")
    assert listeners.connections == 0


async def test_no_redirect_leads_inside(listeners: Listeners) -> None:
    with LocalWeb() as web:
        targets = [f"http://{host}:{listeners.port}/" for host in SPELLINGS]
        targets += [trick.format(port=listeners.port) for trick in TRICKS if ":" in trick and "\n" not in trick]
        for number, target in enumerate(targets):
            web.redirects[f"/to-{number}.html"] = target
        policy = Policy(web.allowed.split(","), ports=(80, 443, listeners.port))
        fetcher = Fetcher(policy, limits=LIMITS, resolver=MappedResolver({}, ["127.0.0.1"]))
        urls = [web.url("hostile.example", f"/to-{number}.html") for number in range(len(targets))]
        refused = await refusals(fetcher, urls)
    assert set(refused) == set(urls)
    # Some are no header at all ("connection"), some lead back to a page that is not there ("status").
    assert set(refused.values()) <= {"address", "status", "redirects", "connection"}
    assert listeners.connections == 0


async def test_a_host_named_in_the_settings_opens_nothing_else(listeners: Listeners) -> None:
    port = listeners.port
    with LocalWeb() as web:
        web.redirects["/to-app.html"] = f"http://app.example:{port}/"
        web.redirects["/home.html"] = web.url("hostile.example", "/injection.html")
        policy = Policy([f"app.example:{port}", *web.allowed.split(",")])
        fetcher = Fetcher(policy, limits=LIMITS, resolver=MappedResolver({}, ["127.0.0.1"]))
        async with fetcher:
            others = [
                f"http://127.0.0.1:{port}/", f"http://other.example:{port}/", f"http://www.app.example:{port}/",
                f"http://localhost:{port}/", "http://app.example/", "https://app.example/", "http://app.example:22/",
                web.url("hostile.example", "/to-app.html"),
            ]  # fmt: skip
            for url in others:
                with pytest.raises(FetchRefused) as refused:
                    await fetcher.fetch(url)
                assert refused.value.kind == "address", url
            assert listeners.connections == 0
            # Itself is open, and so is a redirect that stays on one open host.
            page = await fetcher.fetch(f"http://app.example:{port}/")
            assert page.body == b"secret"
            assert listeners.connections >= 1
            assert (await fetcher.fetch(web.url("hostile.example", "/home.html"))).final_url.endswith("/injection.html")


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "224.0.0.1", "fe80::1", "::", "0.0.0.0"])
async def test_a_host_named_in_the_settings_never_leads_to_a_clouds_metadata(address: str) -> None:
    fetcher = Fetcher(Policy(["app.example"]), limits=LIMITS, resolver=MappedResolver({}, [address]))
    assert await refusals(fetcher, ["http://app.example/"]) == {"http://app.example/": "address"}


@pytest.mark.parametrize(
    "entry", ["", "http://app.example", "app.example/path", "app.example:0", "a b", "*.example", "10.0.0.0/8"]
)
def test_an_entry_of_the_settings_that_is_no_host_is_named(entry: str) -> None:
    with pytest.raises(UsageError, match="DEEPRESEARCH_WEB_ALLOWED_HOSTS"):
        Policy([entry])


async def test_proxies_of_the_environment_are_not_used(listeners: Listeners, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listeners.port}")
    with LocalWeb() as web:
        policy = Policy(web.allowed.split(","))
        async with Fetcher(policy, limits=LIMITS, resolver=MappedResolver({}, ["127.0.0.1"])) as fetcher:
            assert b"berths" in (await fetcher.fetch(web.url("harbours.example", "/tarvik.html"))).body
    assert listeners.connections == 0


def test_one_spelling_for_each_address() -> None:
    policy = Policy()
    for given, canonical in {
        "HTTP://Example.COM": "http://example.com/",
        "http://example.com:80/a#part": "http://example.com/a",
        "https://example.com.:443/?q=1": "https://example.com/?q=1",
        " http://bücher.example.com/ä ": "http://xn--bcher-kva.example.com/ä",
        "http://[2606:4700:4700:0::1111]/": "http://[2606:4700:4700::1111]/",
        "http://8.8.8.8/": "http://8.8.8.8/",
    }.items():
        assert policy.check(given).url == canonical
