"""``/v1/sessions/{id}/events``: what happens, as server-sent events that can be taken up again anywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from deepresearch.api.describing import PROBLEMS
from deepresearch.api.problems import Problem
from deepresearch.api.scopes import READ
from deepresearch.api.services import Called, Served, Services
from deepresearch.model.session import SessionEvent, SessionState

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], responses=PROBLEMS)

#: Seconds between two heartbeat comments: shorter than what proxies wait for.
HEARTBEAT = 10.0

_LARGEST_NUMBER = 2**31 - 1

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/{session_id}/events",
    dependencies=[READ],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One event each: `id` is its number, `event` its kind, `data` the event as JSON. The last is "
            "`end` with the state of the session.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 1\nevent: session.queued\ndata: {"session_id": "…", "number": 1, …}\n\n',
                },
                "application/json": {
                    "schema": {"type": "array", "items": {"$ref": "#/components/schemas/SessionEvent"}}
                },
            },
        }
    },
)
async def events(
    request: Request,
    called: Called,
    services: Served,
    after: Annotated[
        int | None, Query(ge=0, le=_LARGEST_NUMBER, description="Only events with a number above this.")
    ] = None,
    last_event_id: Annotated[str | None, Header(max_length=20, description="As `after`; the larger counts.")] = None,
    follow: Annotated[bool, Query(description="Go on until the session rests; else only what there is.")] = True,
) -> Response:
    """Follow a session: everything from its first event, or from the one after `Last-Event-ID`, live until it rests.

    A client that lost the connection asks again with the last number it saw and misses nothing. With
    ``Accept: application/json`` it is one array of what there is.
    """
    begin = max(after or 0, _number(last_event_id))
    if "application/json" in request.headers.get("accept", ""):
        found = await asyncio.to_thread(services.queue.events, called.id, begin)
        shown = [services.shown.event(event).model_dump(mode="json") for event in found]
        return Response(json.dumps(shown, ensure_ascii=False), media_type="application/json")
    if request.scope.get("head"):
        return Response(media_type="text/event-stream", headers=_HEADERS)
    if not follow:
        found = await asyncio.to_thread(services.queue.events, called.id, begin)
        text = "".join(_event(services.shown.event(event)) for event in found)
        return Response(text, media_type="text/event-stream", headers=_HEADERS)
    if services.streams >= services.settings.api_streams:
        raise Problem(
            429,
            "too-many-streams",
            f"{services.streams} clients follow sessions already, as many as may. Come again, or ask with follow=false.",
            headers={"Retry-After": "5"},
        )
    return StreamingResponse(_stream(services, called.id, begin), media_type="text/event-stream", headers=_HEADERS)


async def _stream(services: Services, session_id: str, after: int) -> AsyncIterator[str]:
    services.streams += 1
    try:
        yield "retry: 1000\n\n"
        async for one in services.following.events(session_id, after, HEARTBEAT):
            if one is None:
                yield ": still here\n\n"
            elif isinstance(one, SessionState):
                yield f"event: end\ndata: {json.dumps({'session_id': session_id, 'state': one})}\n\n"
            else:
                yield _event(services.shown.event(one))
    finally:
        services.streams -= 1


def _event(event: SessionEvent) -> str:
    # JSON on one line holds no line end, so one data line is enough.
    data = json.dumps(event.model_dump(mode="json"), ensure_ascii=True)
    return f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n"


def _number(header: str | None) -> int:
    """The number in ``Last-Event-ID``; anything else begins at the beginning, which loses nothing."""
    text = (header or "").strip()
    return min(int(text), _LARGEST_NUMBER) if text.isascii() and text.isdigit() else 0
