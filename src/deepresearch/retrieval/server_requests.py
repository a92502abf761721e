"""Requests to a Qdrant server: tried again while it restarts; a failure is a sentence that says what to do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TypeVar

from deepresearch.model.errors import IndexingError

_Result = TypeVar("_Result")

#: Seconds a server may take to come back, when a request is part of a longer work.
PATIENCE = 30.0

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_LONGEST_REASON = 200
_BUSY = (408, 429, 502, 503, 504)
_RUNNING = (
    "see that it runs (`docker compose up -d qdrant`), or unset DEEPRESEARCH_QDRANT_URL to use the embedded index."
)


class RequestTooLarge(IndexingError):
    """The server, or something before it, allows less in a request."""


def ask(where: str, request: Callable[[], _Result], patience: float = 0.0) -> _Result:
    """What the request gives. `where` names the server or collection in messages.

    A request that meets no server, a busy one or one that breaks off is made again for `patience` seconds: it has to
    be one that does no harm when it is carried out twice. Raises `IndexingError`.
    """
    end = time.monotonic() + patience
    pause = _FIRST_PAUSE
    while True:
        try:
            return request()
        except IndexingError:
            raise
        except Exception as error:  # httpx and the client each raise their own
            if not _passes(error) or time.monotonic() + pause > end:
                kind = RequestTooLarge if _is_too_large(error) else IndexingError
                raise kind(_sentence(where, error)) from error
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def status_of(error: BaseException | None) -> int | None:
    """The HTTP status the server answered with, when `error` is its refusal or was raised from it."""
    while error is not None:
        status = getattr(error, "status_code", None)
        if isinstance(status, int):
            return status
        error = error.__cause__
    return None


def _passes(error: Exception) -> bool:
    """Whether the same request may well succeed a little later."""
    import httpx
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse

    source = getattr(error, "source", error)  # the client wraps what it meets
    if isinstance(source, httpx.TransportError):
        return not isinstance(source, httpx.UnsupportedProtocol)
    return isinstance(error, ResourceExhaustedResponse) or status_of(error) in _BUSY


def _is_too_large(error: Exception) -> bool:
    # Qdrant's own refusals are a 400, of a body or of a number that its strict mode limits; proxies send a 413.
    status = status_of(error)
    reason = _reason(error)
    return status == 413 or (status == 400 and ("larger than allowed" in reason or "Limit exceeded" in reason))


def _sentence(where: str, error: Exception) -> str:
    from qdrant_client.common.client_exceptions import QdrantException
    from qdrant_client.http.exceptions import ApiException

    status, reason = status_of(error), _reason(error)
    if _is_strange(error):
        return (
            f"What answers is no Qdrant server ({where}: {reason}); "
            "write the address of its REST port, http://HOST:6333, in DEEPRESEARCH_QDRANT_URL."
        )
    if status in (401, 403):
        return (
            f"The Qdrant server ({where}) refuses the key ({reason}); "
            "set DEEPRESEARCH_QDRANT_API_KEY to one that may read and write there."
        )
    if _is_too_large(error):
        return (
            f"The Qdrant server ({where}) allows less in a request ({reason}); raise `max_request_size_mb`, or the limit "
            "of its strict mode, in its configuration."
        )
    if "no space left" in reason.lower():
        return f"The Qdrant server ({where}) cannot store more ({reason}); make room on its disk, then run this again."
    if status == 404 and _own_words(error) is not None:
        return (
            f"The Qdrant server ({where}) no longer has what was asked for ({reason}); run this again, it is made anew."
        )
    if status is not None and status not in (404, *_BUSY):
        return f"The Qdrant server ({where}) refuses a request ({reason}); its log says more."
    if not isinstance(error, ApiException | QdrantException):  # it never left this machine
        return f"The Qdrant server ({where}) cannot be asked for this: {reason}."
    return f"The Qdrant server ({where}) does not answer as it should ({reason}); {_RUNNING}"


def _reason(error: Exception) -> str:
    """Half a line: the server's own words where it sent some."""
    line = (_own_words(error) or str(error)).strip().split("\n", 1)[0].removeprefix("Unexpected Response: ")
    status = status_of(error)
    if status is not None and str(status) not in line:
        line = f"{status}: {line}"
    return line[:_LONGEST_REASON].rstrip(".!") or type(error).__name__


def _is_strange(error: Exception) -> bool:
    """Whether it was something else that answered."""
    if isinstance(error, json.JSONDecodeError) or isinstance(getattr(error, "source", None), ValueError):
        return True
    status = status_of(error)
    return status is not None and (status < 400 or status in (404, 405)) and _own_words(error) is None


def _own_words(error: Exception) -> str | None:
    """What a Qdrant server says in a refusal; None when it was something else that answered."""
    try:
        return str(json.loads(getattr(error, "content", b""))["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return None
