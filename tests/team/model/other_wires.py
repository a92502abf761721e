"""The wires of Anthropic and Google in front of the scripted model: enough of them to answer one streamed request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from deepresearch.testing.behaviour import diligent
from deepresearch.testing.request_view import view


@contextmanager
def served() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The base address, and every request body with its path and headers."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append({"path": self.path, "body": body, "headers": dict(self.headers)})
            events = _anthropic(body) if self.path.startswith("/v1/messages") else _google(body)
            data = "".join(events).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()


def _answer(user: str, tool: str) -> dict[str, Any]:
    return diligent(view({"messages": [{"role": "user", "content": user}], "tools": [{"function": {"name": tool}}]}))


def _anthropic(body: dict[str, Any]) -> list[str]:
    content = body["messages"][0]["content"]
    user = content if isinstance(content, str) else content[0]["text"]
    tool = body["tools"][0]["name"]
    arguments = json.dumps(_answer(user, tool))
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {
                "id": "m", "type": "message", "role": "assistant", "model": body["model"], "content": [],
                "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 1},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": tool, "input": {}}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": arguments}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}, "usage": {"output_tokens": 10}},
        {"type": "message_stop"},
    ]  # fmt: skip
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events]


def _google(body: dict[str, Any]) -> list[str]:
    user = body["contents"][0]["parts"][0]["text"]
    tool = body["tools"][0]["functionDeclarations"][0]["name"]
    call = {"functionCall": {"name": tool, "args": _answer(user, tool)}}
    event = {
        "candidates": [{"content": {"role": "model", "parts": [call]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 10, "totalTokenCount": 110},
        "modelVersion": "x",
    }
    return [f"data: {json.dumps(event)}\r\n\r\n"]
