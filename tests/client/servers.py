"""A scripted server that breaks off, stays silent, or talks nonsense: what a real one does only on a bad day."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: What to answer to a request: status, headers, body pieces; None hangs up without a word.
Script = list[tuple[int, dict[str, str], list[bytes]] | None]


@contextmanager
def scripted(answers: Script) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers one after the other; gives its address and the requests as they come."""
    seen: list[str] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            seen.append(f"{self.command} {self.path}")
            scripted_answer = left.pop(0) if left else None
            if scripted_answer is None:
                self.close_connection = True
                self.connection.close()
                return
            status, headers, pieces = scripted_answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
                self.wfile.flush()
            self.close_connection = True

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
