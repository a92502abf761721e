"""Connections of clients that begin a request and do not go on: closed, so that nobody can hold many of them for nothing."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientProtocol(H11Protocol):
    """HTTP over one connection, with an end to waiting for its client.

    The head of a request has to be there whole within `head_seconds` of the connection or of the answer before it; a
    body may pause for `body_seconds` at a time. What the program itself takes, for reading a body or for an answer, is
    not counted: event streams stay open as long as both sides like.
    """

    head_seconds: ClassVar[float] = 20.0
    body_seconds: ClassVar[float] = 60.0

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait(anew=True)

    def data_received(self, data: bytes) -> None:
        """Take what came and wait for the rest, if there is one."""
        in_body = self._owes_body()
        super().data_received(data)
        self._wait(anew=in_body or self._owes_body())

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._rest()
        super().connection_lost(exc)

    def _owes_head(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _owes_body(self) -> bool:
        return self.conn.their_state is h11.SEND_BODY

    def _wait(self, *, anew: bool) -> None:
        """Set the deadline for what the client owes; one that runs for a head goes on, whatever trickles in."""
        if not (self._owes_head() or self._owes_body()):
            self._rest()
            return
        if anew or self._deadline is None:
            self._rest()
            seconds = self.body_seconds if self._owes_body() else self.head_seconds
            self._deadline = self.loop.call_later(seconds, self._give_up)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.flow is not None and self.flow.read_paused:
            # The program has not read yet what the client sent.
            self._wait(anew=True)
        elif not self.transport.is_closing():
            self.transport.close()
