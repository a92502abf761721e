"""Who is calling: bearer tokens, each of a tenant and with scopes."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum

from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings

#: The tenant of `DEEPRESEARCH_API_TOKEN`, and of everybody while there is no token at all.
DEFAULT_TENANT = "default"

_TENANT = re.compile(r"[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?")


class Scope(StrEnum):
    """What a token may be good for."""

    READ = "read"
    WRITE = "write"
    REVIEW = "review"
    SANDBOX = "sandbox"
    METRICS = "metrics"


@dataclass(frozen=True)
class Caller:
    """Who a request comes from. `name` tells tokens apart in logs and says nothing about their text."""

    tenant: str
    scopes: frozenset[Scope]
    name: str


#: Everybody on this machine while no token is set; the server then listens on loopback only.
LOCAL_CALLER = Caller(tenant=DEFAULT_TENANT, scopes=frozenset(Scope), name="local")


class Tokens:
    """The tokens of a server, kept as SHA-256 only.

    Written ``token:tenant:scope+scope``, one after the other with white space, commas or semicolons between; without
    scopes a token is good for everything. Raises `UsageError` for an entry that cannot be meant.
    """

    def __init__(self, settings: Settings) -> None:
        self._known: list[tuple[bytes, Caller]] = []
        if settings.api_token and (single := settings.api_token.get_secret_value().strip()):
            self._add(single, DEFAULT_TENANT, frozenset(Scope))
        if settings.api_tokens:
            for number, entry in enumerate(_entries(settings.api_tokens.get_secret_value()), 1):
                self._add(*_parsed(entry, number))

    def __bool__(self) -> bool:
        return bool(self._known)

    def caller(self, presented: str) -> Caller | None:
        """Whose token this is. Takes the same time whichever token it is, or none."""
        digest = _digest(presented)
        found: Caller | None = None
        for known, caller in self._known:
            if hmac.compare_digest(known, digest):
                found = caller
        return found

    def _add(self, token: str, tenant: str, scopes: frozenset[Scope]) -> None:
        digest = _digest(token)
        if any(known == digest for known, _ in self._known):
            raise UsageError(
                "The same token stands twice in DEEPRESEARCH_API_TOKEN(S). Give each tenant one of its own."
            )
        self._known.append((digest, Caller(tenant, scopes, f"{tenant}/{len(self._known) + 1}")))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _entries(text: str) -> list[str]:
    """The entries; a piece after a comma that has no colon is a further scope of the entry before it."""
    entries: list[str] = []
    for word in re.split(r"[\s;]+", text.strip()):
        for piece in filter(None, word.split(",")):
            if ":" not in piece and entries and entries[-1].count(":") >= 2:
                entries[-1] += f"+{piece}"
            else:
                entries.append(piece)
    return entries


def _parsed(entry: str, number: int) -> tuple[str, str, frozenset[Scope]]:
    token, _, rest = entry.partition(":")
    tenant, _, scopes = rest.partition(":")
    where = f"Entry {number} of DEEPRESEARCH_API_TOKENS"
    if not token or not tenant:
        raise UsageError(f"{where} is not of the form token:tenant:scopes, such as a1b2c3:acme:read+write.")
    if not _TENANT.fullmatch(tenant):
        raise UsageError(f"{where} names the tenant {tenant!r}: use up to 24 small letters, digits and inner dashes.")
    wanted = [scope for scope in re.split(r"[+|]", scopes) if scope]
    if not wanted or "*" in wanted:
        return token, tenant, frozenset(Scope)
    if unknown := [scope for scope in wanted if scope not in set(Scope)]:
        raise UsageError(f"{where} has the scope {unknown[0]!r}; there are {', '.join(Scope)}.")
    return token, tenant, frozenset(Scope(scope) for scope in wanted)
