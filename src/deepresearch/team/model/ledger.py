"""The record of paid calls, as the cast needs it. Who keeps it is not the cast's business: the session does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from deepresearch.model.base import Value


class CallKey(Value):
    """Which call this is: the `ordinal`-th (from 0) of a role within a step, with the digest of what is asked.

    The model is no part of it: an answer that was paid for is good, whichever model gave it.
    """

    step: str
    role: str
    ordinal: int
    digest: str


class Reply(Value):
    """What a model said: the call of a tool (`tool` with its `arguments` as they came), or `text`.

    `model` is who said it, as ``PROVIDER:MODEL``; `stopped` why it ended (``length`` when it was cut at its longest).
    """

    model: str
    tool: str | None = None
    arguments: str = ""
    text: str = ""
    stopped: str = ""


class Spent(Value):
    """What a session has used. `cost_usd` is None as soon as the price of one call is unknown.

    `calls` counts every request that was sent; `unreported` those whose usage the provider never told.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    unreported: int = 0

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


class Outcome(Value):
    """How a call ended: with a `reply`, or with an `error` in words. Tokens are None where none were told."""

    reply: Reply | None
    error: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None


class Ledger(Protocol):
    """Keeps every call of one session. Methods may block for a moment; they are called on a thread of their own."""

    def answered(self, key: CallKey) -> Reply | None:
        """The reply to this very call, when it was paid for already."""

    def begin(self, key: CallKey, model: str) -> int:
        """Note that a call is about to be sent; gives its number."""

    def end(self, number: int, outcome: Outcome) -> None:
        """Note how it ended."""

    def spent(self) -> Spent:
        """All calls of the session together, those of former processes too."""


class Notebook(Protocol):
    """Takes down who decided what, as events of the session."""

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Keep one decision. `kind` is ``team.decided``, ``team.limit`` or ``team.call``."""

    def used(self, spent: Spent) -> None:
        """Show what is used so far."""


def digest(*parts: Any) -> str:
    """SHA-256 of values as canonical JSON."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
