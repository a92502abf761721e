"""How large and how slow a request's body may be: refused at the first sign, never gathered first."""

from __future__ import annotations

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deepresearch.api.problems import Problem

MEGABYTE = 1024 * 1024

#: Bytes of a body that is JSON.
JSON_LIMIT = 2 * MEGABYTE

#: Seconds a body may take, and the bytes a second that give it more.
_PATIENCE = 30.0
_SLOWEST = 64 * 1024
#: Seconds without a single byte.
_SILENCE = 15.0


class BodyLimit:
    """Answers 413 to a body that is or becomes too large and 408 to one that never arrives."""

    def __init__(self, app: ASGIApp, upload_limit: int) -> None:
        self._app = app
        self._upload_limit = upload_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a body that is counted as it comes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        limit = self._upload_limit if headers.get(b"content-type", b"").startswith(b"multipart/") else JSON_LIMIT
        declared = headers.get(b"content-length")
        if declared is not None and (not declared.isdigit() or int(declared) > limit):
            raise too_large(limit)
        await self._app(scope, _Counted(receive, limit), send)


class _Counted:
    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._count = 0
        self._begun = time.monotonic()
        self._done = False

    async def __call__(self) -> Message:
        if self._done:
            return await self._receive()
        left = self._begun + _PATIENCE + self._count / _SLOWEST - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), max(0.01, min(left, _SILENCE)))
        except TimeoutError:
            raise Problem(
                408,
                "slow-body",
                "The body of the request did not arrive in time. Send it again over a faster connection.",
                headers={"Connection": "close"},
            ) from None
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._done = not message.get("more_body", False)
            if self._count > self._limit:
                raise too_large(self._limit)
        else:
            self._done = True
        return message


def too_large(limit: int) -> Problem:
    """The problem of a body beyond the limit. The connection ends, so that nobody goes on sending."""
    return Problem(
        413,
        "body-too-large",
        f"The body is larger than the {limit // MEGABYTE} MB taken here. Send fewer or smaller files at once.",
        headers={"Connection": "close"},
        exit_code=2,
    )
