"""Search services on this machine that answer in the wire format of the real ones."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class Asked:
    """One request as it came."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method = handler.command
        self.path = urlsplit(handler.path).path
        self.query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        length = int(handler.headers.get("content-length") or 0)
        self.body = handler.rfile.read(length)

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


Answer = Callable[[Asked], tuple[int, str, bytes]]


class SearchService:
    """One service. `answer` gives status, media type and body for a request; `asked` are all that came."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[Asked] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Asked(self)
                service.asked.append(asked)
                status, kind, body = answer(asked)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if status in (301, 302):
                    self.send_header("Location", "http://127.0.0.1:9/")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._handler = Handler
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve_one(self, connection: socket.socket) -> None:
        """Answer the requests of a connection that came another way."""
        self._handler(connection, ("127.0.0.1", 0), self._server)


class Proxy:
    """A proxy that answers CONNECT with the service itself behind a certificate of the test's authority."""

    def __init__(self, service: SearchService, context: ssl.SSLContext) -> None:
        self.connected: list[str] = []
        self._service = service
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._tunnel, args=(connection,), daemon=True).start()

    def _tunnel(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(4096)
            if not part:
                return
            head += part
        self.connected.append(head.split(b" ")[1].decode())
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            with self._context.wrap_socket(connection, server_side=True) as encrypted:
                self._service.serve_one(encrypted)
        except OSError:
            return


def as_json(value: Any, status: int = 200) -> tuple[int, str, bytes]:
    """An answer in JSON."""
    return status, "application/json", json.dumps(value).encode()


def searxng(asked: Asked) -> tuple[int, str, bytes]:
    if asked.query.get("format") != "json":
        return 200, "text/html", b"<html>a page for people</html>"
    page = int(asked.query.get("pageno", "1"))
    results = [
        {
            "url": f"https://site{n}.example/page", "title": f"Title {n}", "content": f"Snippet {n}",
            "publishedDate": f"2024-05-0{n % 9 + 1}T00:00:00", "thumbnail": "", "engine": "bing", "template": "default.html",
            "parsed_url": ["https", f"site{n}.example", "/page", "", "", ""], "img_src": "", "priority": "",
            "engines": ["bing", "brave"], "positions": [1, 2], "score": 3.5, "category": "general",
        }
        for n in range(10 * page - 10, 10 * page)
    ]  # fmt: skip
    results.insert(0, {"url": "javascript:alert(1)", "title": "no address"})
    results.insert(0, {"url": "https://site.example/\x1b[2J", "title": "drives a terminal"})
    return as_json({"query": asked.query["q"], "number_of_results": 0, "results": results, "answers": [], "corrections": [],
                    "infoboxes": [], "suggestions": [], "unresponsive_engines": [["google", "timeout"]]})  # fmt: skip


def tavily(asked: Asked) -> tuple[int, str, bytes]:
    if asked.headers.get("authorization") != "Bearer tvly-secret":
        return as_json({"detail": {"error": "Unauthorized: missing or invalid API key."}}, 401)
    return as_json(
        {
            "query": asked.json["query"], "follow_up_questions": None, "answer": None, "images": [],
            "results": [{"title": "Orkney ferries", "url": "https://ferries.example/orkney", "content": "Sails daily.",
                         "score": 0.98, "raw_content": None, "favicon": "https://ferries.example/i.ico"}],
            "response_time": 1.2, "request_id": "1",
        }
    )  # fmt: skip


def brave(asked: Asked) -> tuple[int, str, bytes]:
    if asked.headers.get("x-subscription-token") != "brave-secret":
        return as_json({"type": "ErrorResponse", "error": {"status": 422, "code": "SUBSCRIPTION_TOKEN_INVALID"}}, 403)
    return as_json(
        {
            "type": "search", "query": {"original": asked.query["q"], "more_results_available": True},
            "mixed": {"type": "mixed", "main": [{"type": "web", "index": 0, "all": False}]},
            "web": {"type": "search", "family_friendly": True, "results": [
                {"title": "Orkney ferries", "url": "https://ferries.example/orkney", "is_source_local": False,
                 "description": "Sails daily.", "page_age": "2024-02-03T10:00:00", "age": "February 3, 2024", "language": "en",
                 "profile": {"name": "Ferries", "url": "https://ferries.example/orkney"}, "type": "search_result"}]},
        }
    )  # fmt: skip


def exa(asked: Asked) -> tuple[int, str, bytes]:
    if asked.headers.get("x-api-key") != "exa-secret":
        return as_json({"error": "x-api-key header is invalid"}, 401)
    return as_json(
        {
            "requestId": "1", "resolvedSearchType": "neural",
            "results": [{"id": "https://ferries.example/orkney", "title": "Orkney ferries", "url": "https://ferries.example/orkney",
                         "publishedDate": "2024-02-03T10:00:00.000Z", "author": None}],
            "costDollars": {"total": 0.005},
        }
    )  # fmt: skip


def wikipedia(asked: Asked) -> tuple[int, str, bytes]:
    if (asked.query.get("action"), asked.query.get("list")) != ("query", "search"):
        return as_json({"error": {"code": "badparameter", "info": "Unrecognised value."}})
    return as_json(
        {
            "batchcomplete": True, "continue": {"sroffset": 10, "continue": "-||"},
            "query": {"searchinfo": {"totalhits": 812}, "search": [
                {"ns": 0, "title": "Orkney (islands), a/b?", "pageid": 22645, "size": 1, "wordcount": 1,
                 "snippet": 'The <span class="searchmatch">ferry</span> &quot;Hamnavoe&quot; sails', "timestamp": "2024-02-03T10:00:00Z"}]},
        }
    )  # fmt: skip


ARXIV = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <link href="http://arxiv.org/api/query?x" rel="self" type="application/atom+xml"/>
  <title type="html">ArXiv Query</title><id>http://arxiv.org/api/x</id><updated>2024-06-01T00:00:00-04:00</updated>
  <opensearch:totalResults xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">1</opensearch:totalResults>
  <entry>
    <id>http://arxiv.org/abs/2401.00001v2</id><updated>2024-03-01T00:00:00Z</updated><published>2024-01-02T03:04:05Z</published>
    <title>Ferries in
  rough seas</title><summary>  We study ferries. </summary><author><name>A. Sailor</name></author>
    <link href="http://arxiv.org/abs/2401.00001v2" rel="alternate" type="text/html"/>
    <link title="pdf" href="http://arxiv.org/pdf/2401.00001v2" rel="related" type="application/pdf"/>
  </entry>
</feed>"""


def arxiv(asked: Asked) -> tuple[int, str, bytes]:
    return 200, "application/atom+xml; charset=UTF-8", ARXIV.encode()


def duckduckgo(asked: Asked) -> tuple[int, str, bytes]:
    page = """<!DOCTYPE html><html><body class="body--html"><div id="links" class="results">
    <div class="result results_links results_links_deep result--ad"><div class="links_main links_deep result__body">
      <h2 class="result__title"><a class="result__a" href="https://duckduckgo.com/y.js?ad_domain=x">Advertisement</a></h2>
      <a class="result__snippet" href="https://duckduckgo.com/y.js?ad_domain=x">Buy</a></div></div>
    <div class="result results_links results_links_deep web-result"><div class="links_main links_deep result__body">
      <h2 class="result__title"><a rel="nofollow" class="result__a" href="https://ferries.example/orkney">Orkney ferries</a></h2>
      <a class="result__snippet" href="https://ferries.example/orkney">The <b>ferry</b> sails daily.</a></div></div>
    </div></body></html>"""
    return 200, "text/html; charset=UTF-8", page.encode()
