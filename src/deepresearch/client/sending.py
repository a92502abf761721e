"""What both faces do alike: how a call becomes a request, and when it is worth sending again."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx

from deepresearch import __version__
from deepresearch.client.answers import PASSING, error_of, retry_after
from deepresearch.client.calls import Call
from deepresearch.model.errors import DeepResearchError, UsageError

#: Seconds between the attempts of a call that may be sent again.
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)

#: Seconds without any sign of life after which a followed server counts as gone: some of its heartbeats.
SILENCE = 35.0

#: The longest wait between two attempts to take up a stream of events again.
LONGEST_PAUSE = 5.0

SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """Where a server is and what opens it. Raises `UsageError` for an address that is none."""

    base: str
    token: str | None = None

    def __post_init__(self) -> None:
        try:
            url = httpx.URL(self.base)
        except httpx.InvalidURL as error:
            raise UsageError(f"{self.base!r} is no address of a server: {error}.") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise UsageError(f"{self.base!r} is no address of a server: write http://HOST:PORT or https://HOST.")

    def options(self) -> dict[str, Any]:
        """Options for either client of httpx. Proxies and certificates come from the environment as usual."""
        headers = {"User-Agent": f"deepresearch/{__version__}"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return {"base_url": self.base.rstrip("/"), "headers": headers, "timeout": SECONDS, "follow_redirects": False}


def request_options(call: Call[Any], stack: ExitStack) -> dict[str, Any]:
    """Options for `request`; files stay open as long as the stack."""
    options: dict[str, Any] = {"params": dict(call.params)}
    if call.seconds is not None:
        options["timeout"] = httpx.Timeout(call.seconds, connect=10.0)
    if call.fields is not None:
        options["data"] = {name: _field(value) for name, value in call.fields.items()}
        options["files"] = call.upload.opened(stack) if call.upload is not None else list(call.parts)
    elif call.body is not None:
        options["json"] = call.body
    return options


def pause_before_retry(call: Call[Any], attempt: int, answer: httpx.Response | None) -> float | None:
    """Seconds to wait before sending again, None when that would not help. Without an answer the connection broke."""
    if not call.safe or attempt >= len(PAUSES):
        return None
    if answer is None or answer.status_code in PASSING:
        return PAUSES[attempt]
    wait = retry_after(answer)
    if answer.status_code == 429 and wait is not None and wait <= 10 and "too-many-requests" in answer.text:
        return float(wait)
    return None


def pause_before_following(attempt: int) -> float:
    """Seconds to wait before a stream is taken up again."""
    return float(min(LONGEST_PAUSE, 0.1 * 2**attempt))


def error_of_stream(answer: httpx.Response) -> DeepResearchError | None:
    """The error of a stream that was refused; None when it is worth trying again."""
    if answer.status_code in PASSING or answer.status_code == 429:
        return None
    return error_of(answer)


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return str(value)
