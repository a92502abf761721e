"""Listening: where, under which conditions, until when."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from deepresearch.api.access import Tokens
from deepresearch.api.app import create_app
from deepresearch.api.gate import is_loopback
from deepresearch.api.slow_clients import PatientProtocol
from deepresearch.model.errors import StorageError, UsageError
from deepresearch.session.queue import SessionQueue
from deepresearch.settings import Settings

_log = logging.getLogger("deepresearch.api")

#: Seconds that open answers get when the server is told to stop.
_GRACE = 5

#: Connections that wait for the program at most.
_BACKLOG = 512


def serve(settings: Settings, addr: str, *, work: bool = True) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises `UsageError` for an address that cannot be meant or listened on, for tokens that cannot be meant, and for an
    address beyond this machine without any token; `StorageError` when the database refuses.
    """
    host, port = parsed_address(addr)
    if not Tokens(settings) and not is_loopback(host):
        raise UsageError(
            f"Without a token the API listens on loopback only, and {host} is reachable from elsewhere. "
            "Set DEEPRESEARCH_API_TOKEN, or use --addr 127.0.0.1:8080."
        )
    # Opened once before anything listens: what the database refuses is told in a sentence.
    SessionQueue(settings).close()
    app = create_app(settings, listening=host, work=work)
    with _listening(host, port) as listener:
        bound = listener.getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        _log.info("listening", extra={"event_name": "api.listening", "address": f"http://{shown}:{bound[1]}"})
        server = _Server(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=_GRACE,
                h11_max_incomplete_event_size=64 * 1024,
                lifespan="on",
            ),
            app,
        )
        server.run(sockets=[listener])
        if not server.started:
            raise StorageError("The server did not start; the log above says why.")


def parsed_address(addr: str) -> tuple[str, int]:
    """HOST:PORT, PORT or :PORT as host and port. Raises `UsageError`."""
    host, _, port = addr.strip().rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(f"{addr!r} is no address to listen on: write HOST:PORT, such as 127.0.0.1:8080.")
    return host, int(port)


class _Server(uvicorn.Server):
    """Ends event streams when it is told to stop; their clients take them up again elsewhere, or later."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        services = getattr(self._app.state, "services", None)
        if services is not None:
            asyncio.get_running_loop().call_soon_threadsafe(services.following.stop)
        # Not the inherited way, which would die of the signal after all is closed: being told to stop is no failure.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"{host}:{port} is taken by another program. Choose another with --addr HOST:PORT, or end that one."
            ) from None
        raise UsageError(f"Nobody can listen on {host}:{port} here: {error.strerror or error}.") from None
    return listener
