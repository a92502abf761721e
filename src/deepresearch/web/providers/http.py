"""What all providers over HTTP share: one bounded request, and errors in words without keys."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Mapping
from typing import Any

import httpx

from deepresearch.model.errors import SearchFailed
from deepresearch.web.policy import MAX_URL

#: An answer of a search is small; a larger one is none.
_MAX_BYTES = 5_000_000
_SECONDS = 20.0


class Caller:
    """Sends requests to one provider's address, which a person configured: no redirect is followed from there."""

    def __init__(self, provider: str, *, headers: Mapping[str, str] | None = None) -> None:
        self._provider = provider
        self._client = httpx.AsyncClient(
            headers={"User-Agent": "DeepResearch", "Accept-Encoding": "gzip", **(headers or {})},
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(10.0),
        )

    async def json(self, method: str, url: str, **arguments: Any) -> dict[str, Any]:
        """The JSON object of an answer. Raises `SearchFailed`."""
        body = await self.text(method, url, **arguments)
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self.failed("its answer is no JSON") from error
        if not isinstance(value, dict):
            raise self.failed("its answer is not what it should be")
        return value

    async def text(self, method: str, url: str, **arguments: Any) -> str:
        """The text of an answer with a status of success. Raises `SearchFailed`."""
        try:
            async with asyncio.timeout(_SECONDS), self._client.stream(method, url, **arguments) as response:
                self._check(response)
                body = bytearray()
                async for part in response.aiter_bytes(65_536):
                    body += part
                    if len(body) > _MAX_BYTES:
                        raise self.failed("its answer is too large")
                return body.decode(response.encoding or "utf-8", "replace")
        except (TimeoutError, httpx.TimeoutException) as error:
            raise self.failed("it did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, LookupError) as error:
            raise self.failed("it cannot be reached") from error

    def failed(self, reason: str, *, lasting: bool = False) -> SearchFailed:
        """The failure in words."""
        return SearchFailed(self._provider, reason, lasting=lasting)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _check(self, response: httpx.Response) -> None:
        status = response.status_code
        if status in (401, 403):
            raise self.failed(f"it does not accept the key or the request (status {status})", lasting=True)
        if status in (402, 429, 432, 433):
            raise self.failed(f"its limit of requests is reached (status {status})", lasting=True)
        if not 200 <= status < 300:
            raise self.failed(f"it answered with status {status}")


def listed(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list; nothing for anything else."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def words(value: Any) -> str:
    """A JSON string on one line, cut to a length a person reads; empty for anything else."""
    text = " ".join(value.split())[:1_000] if isinstance(value, str) else ""
    return "".join(character for character in text if character.isprintable())


def address(value: Any) -> str:
    """A JSON string that looks like an address of the web and can be shown; empty for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.startswith(("http://", "https://")) and text.isprintable() and len(text) <= MAX_URL else ""


def day(value: Any) -> datetime.date | None:
    """The date at the beginning of an ISO 8601 text."""
    try:
        return datetime.date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
