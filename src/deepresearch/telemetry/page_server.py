"""A tiny HTTP server with one page, for a program that has none: the worker's ``/metrics`` and ``/healthz``."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def page_server(host: str, port: int, render: Callable[[str], tuple[bytes, str]]) -> ThreadingHTTPServer:
    """A server that gives ``render(accept header)`` at ``/metrics`` and ``ok`` at ``/healthz``.

    Raises `OSError` when the address cannot be taken.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                body, content_type = render(self.headers.get("Accept", ""))
                self._answer(200, body, content_type)
            elif path == "/healthz":
                self._answer(200, b"ok\n", "text/plain; charset=utf-8")
            else:
                self._answer(404, b"only /metrics and /healthz are here\n", "text/plain; charset=utf-8")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Scrapes every few seconds are no news."""

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server
