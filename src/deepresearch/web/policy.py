"""Which addresses of the web may be asked for: spelling, scheme, port, host, and the IP address behind the host."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import idna

from deepresearch.model.errors import FetchRefused, UsageError
from deepresearch.web.addresses import IPAddress, may_be_allowed, why_not_public

#: Longer addresses are a way to carry something else.
MAX_URL = 4_000

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\\\u00a0\u2000-\u200f\u2028-\u202f\u2060\u3000\ufeff]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_STRICT_V4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")

#: Names that are answered inside a machine, a house or a data centre (RFC 6761, 6762, 8375, 9476 and custom).
_LOCAL_NAMES = (
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "home.arpa",
    "in-addr.arpa",
    "ip6.arpa",
    "test",
    "invalid",
    "alt",
    "onion",
)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was found fit to be asked for. `url` is its one spelling, without fragment."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port: what a robots.txt speaks for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class Policy:
    """The rules, with the hosts that a person has opened by name.

    `allowed` are entries ``host`` or ``host:port``. Each opens that very host (and that port, else the usual ones) for
    addresses asked for directly or from the same host; nothing becomes reachable through another host's redirect.
    `ports` are those of the public hosts. Raises `UsageError` for an entry that is no host.
    """

    def __init__(self, allowed: Iterable[str] = (), ports: Iterable[int] = (80, 443)) -> None:
        self._ports = frozenset(ports)
        self._allowed: dict[str, set[int]] = {}
        for entry in allowed:
            host, port = _allowed_entry(entry)
            self._allowed.setdefault(host, set()).update({port} if port else set(_PORTS.values()))

    def check(self, url: str, came_from: Target | None = None) -> Target:
        """The target that `url` spells; `came_from` is the one that redirected to it.

        Raises `FetchRefused` (kind ``address``) for anything but a plain http or https address of a public host on
        its usual port. Says nothing yet about where the host's name leads: that is seen when it is connected to.
        """
        shown = _shown(url)
        text = url.strip()
        if not text or len(text) > MAX_URL:
            raise _refused(shown, f"an address has between 1 and {MAX_URL:,} characters")
        if _CONTROL.search(text):
            raise _refused(shown, "it holds white space, control characters or backslashes")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise _refused(shown, "it is no well-formed address") from error
        scheme = parts.scheme.lower()
        if scheme not in _PORTS:
            raise _refused(shown, "only http and https addresses are fetched")
        if "@" in parts.netloc:
            raise _refused(shown, "it carries a user name or password")
        host = canonical_host(_host_part(parts.netloc, shown), shown)
        port = _PORTS[scheme] if port is None else port
        if self.allows(host, port):
            if came_from is not None and came_from.host != host:
                raise _refused(
                    shown, f"{came_from.host} redirects to a host that is open only to those who ask for it directly"
                )
        else:
            if port not in self._ports:
                raise _refused(shown, f"port {port} is not one of the usual ports of the web")
            _check_host(host, shown)
        netloc = f"[{host}]" if ":" in host else host
        if port != _PORTS[scheme]:
            netloc += f":{port}"
        query = f"?{parts.query}" if parts.query else ""
        return Target(url=f"{scheme}://{netloc}{parts.path or '/'}{query}", scheme=scheme, host=host, port=port)

    def allows(self, host: str, port: int) -> bool:
        """Whether a person has opened this host and port by name."""
        return port in self._allowed.get(host, ())

    def check_ip(self, host: str, port: int, address: str) -> IPAddress:
        """The IP address behind a host as it is about to be connected to. Raises `FetchRefused` (kind ``address``)."""
        try:
            ip = ip_address(address)
        except ValueError as error:
            raise _refused(host, "its name leads to something that is no IP address") from error
        kind = why_not_public(ip)
        if kind is None or (self.allows(host, port) and may_be_allowed(ip)):
            return ip
        raise _refused(host, f"it leads to {ip}, which is not on the public internet ({kind})")


def canonical_host(text: str, shown: str) -> str:
    """One spelling for a host: ASCII, lower case, no trailing dot, an IP address in its shortest form.

    Raises `FetchRefused` for numbers that only some programs read as an address (``0x7f.1``, ``2130706433``).
    """
    if text.startswith("["):
        try:
            if not text.endswith("]") or "%" in text:
                raise ValueError(text)
            return str(IPv6Address(text[1:-1]))
        except ValueError as error:
            raise _refused(shown, "its host is no IPv6 address") from error
    if "%" in text:
        raise _refused(shown, "its host is percent-encoded")
    host = text
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise _refused(shown, "its host holds characters that no host name has") from error
    host = host.lower()
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(shown, "its host is no host name")
    if _NUMBER.fullmatch(labels[-1]):
        # A name whose last part is a number is an address to some programs (URL Standard, host parser).
        if not _STRICT_V4.fullmatch(host):
            raise _refused(shown, "its host is a number, which programs read differently")
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise _refused(shown, "its host is no IPv4 address") from error
    return host


def _check_host(host: str, shown: str) -> None:
    """Refuse what is not public by its very spelling."""
    try:
        ip = ip_address(host)
    except ValueError:
        if "." not in host or any(host == name or host.endswith("." + name) for name in _LOCAL_NAMES):
            raise _refused(shown, f"{host} is a name of a local network") from None
        return
    kind = why_not_public(ip)
    if kind is not None:
        raise _refused(shown, f"{ip} is not on the public internet ({kind})")


def _host_part(netloc: str, shown: str) -> str:
    if netloc.startswith("["):
        host, bracket, rest = netloc.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _refused(shown, "its host is no IPv6 address")
        return host + bracket
    return netloc.partition(":")[0]


def _allowed_entry(entry: str) -> tuple[str, int | None]:
    text = entry.strip()
    host, separator, port = text.rpartition(":")
    if not separator or text.endswith("]"):
        host, port = text, ""
    try:
        name = canonical_host(host, text)
        number = int(port) if port else None
        if number is not None and not 0 < number < 65536:
            raise ValueError(port)
    except (FetchRefused, ValueError) as error:
        raise UsageError(
            f"DEEPRESEARCH_WEB_ALLOWED_HOSTS: {text!r} is no host. Write names or addresses, with a port if it is not "
            "80 or 443, parted by commas: wiki.example.org, 10.0.0.5:8080"
        ) from error
    return name, number


def _shown(url: str) -> str:
    """The address for a message: without a password, and not endless."""
    text = re.sub(r"(?<=//)[^/?#@]*@", "…@", url.strip())
    text = _CONTROL.sub("�", text)
    return text if len(text) <= 200 else text[:199] + "…"


def _refused(url: str, reason: str) -> FetchRefused:
    return FetchRefused(url, "address", reason)
