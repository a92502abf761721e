"""A scripted language model on loopback: the chat-completions wire, with streaming and tools, and its worst days."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deepresearch.testing.behaviour import diligent
from deepresearch.testing.request_view import RequestView, count_tokens, view
from deepresearch.testing.scenario import Answer, Scenario
from deepresearch.testing.twists import twisted
from deepresearch.testing.wire import Completion, error_body

_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Served:
    """One request as the log keeps it. `usage` is what the answer reported (input, output), None when it did not."""

    number: int
    model: str
    task: str
    repair: bool
    outcome: str
    usage: tuple[int, int] | None
    request: dict[str, Any]


class ModelServer:
    """Serves a scenario at `url` while it is open.

        with ModelServer(load_scenario(Path("invents-quotes.yaml"))) as server:
            ...  # DEEPRESEARCH_MODEL_BASE_URL=server.url, --team openai:scripted
            assert len(server.log) == 3

    `port` 0 takes a free one. Every request is in `log`, and as a line of JSON in the file `log_to` when given.
    """

    def __init__(self, scenario: Scenario | None = None, *, port: int = 0, log_to: Path | None = None) -> None:
        self.scenario = scenario or Scenario()
        self.log: list[Served] = []
        self._log_to = log_to
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._given = [0] * len(self.scenario.rules)
        self._seen = 0
        #: Requests that are being made to wait.
        self.waiting = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name="model-server", daemon=True
        )

    @property
    def url(self) -> str:
        """The base address, as `DEEPRESEARCH_MODEL_BASE_URL` wants it."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; who waits is answered at once."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()

    def serve_forever(self) -> None:
        """Serve on this thread until interrupted."""
        try:
            self._http.serve_forever()
        finally:
            self._http.server_close()

    def calls(self, task: str | None = None) -> int:
        """How many requests of this task (of any, without one) were made."""
        with self._lock:
            return sum(task is None or served.task == task for served in self.log)

    def reported(self) -> tuple[int, int]:
        """The input and output tokens that all answers together reported."""
        with self._lock:
            known = [served.usage for served in self.log if served.usage is not None]
        return sum(usage[0] for usage in known), sum(usage[1] for usage in known)

    def refusal(self, request: RequestView, authorization: str) -> tuple[int, dict[str, Any]] | None:
        """The status and body for a request that the scenario does not serve at all, else None."""
        scenario = self.scenario
        if scenario.key is not None and authorization != f"Bearer {scenario.key}":
            given = authorization.removeprefix("Bearer ")
            return 401, error_body(401, f"Incorrect API key provided: {given}.", "invalid_api_key")
        if scenario.models and request.model not in scenario.models:
            return 404, error_body(404, f"The model `{request.model}` does not exist.", "model_not_found")
        if request.tool is not None and not scenario.tools:
            return 400, error_body(400, f"{request.model} does not support tools", None)
        if request.sets_temperature and not scenario.temperature:
            return 400, error_body(400, "Unsupported parameter: 'temperature' is not supported with this model.", None)
        if scenario.context is not None and request.tokens > scenario.context:
            message = (
                f"This model's maximum context length is {scenario.context} tokens. However, your messages resulted "
                f"in {request.tokens} tokens. Please reduce the length of the messages."
            )
            return 400, error_body(400, message, "context_length_exceeded")
        return None

    def answer(self, request: RequestView) -> tuple[int, Answer]:
        """The number of this request and the answer that the scenario has for it."""
        with self._lock:
            self._seen += 1
            number = self._seen
            for position, rule in enumerate(self.scenario.rules):
                given = self._given[position]
                if not _fits(rule.when, request, number) or (given >= len(rule.then) and not rule.forever):
                    continue
                self._given[position] += 1
                return number, rule.then[min(given, len(rule.then) - 1)]
        return number, Answer()

    def completion(self, number: int, request: RequestView, answer: Answer) -> Completion:
        """What is said, with its tokens counted."""
        arguments = diligent(request)
        twists = answer.twists
        if any(marker in request.text for marker in self.scenario.obeys):
            twists = (*twists, "obey")
        for twist in twists:
            arguments = twisted(twist, arguments, request)
        arguments.update(answer.arguments or {})
        shown = json.dumps(arguments, ensure_ascii=False) if answer.raw is None else answer.raw
        plain = answer.text is not None or answer.refusal is not None or answer.nothing
        tool = None if plain or request.tool is None else answer.tool or request.tool
        text = answer.text if plain else shown if tool is None else None
        said = f"{text or ''}{answer.refusal or ''}{shown if tool else ''}"
        used = answer.usage or (request.tokens, count_tokens(said))
        return Completion(
            model=request.model,
            number=number,
            text=text,
            refusal=answer.refusal,
            tool=tool,
            arguments=shown if tool else "",
            input_tokens=used[0],
            output_tokens=used[1],
            usage_known=not answer.usage_missing,
        )

    def hold(self, seconds: float) -> None:
        """Make a request wait."""
        with self._lock:
            self.waiting += 1
        self._closing.wait(seconds)
        with self._lock:
            self.waiting -= 1

    def keep(self, served: Served) -> None:
        """Put a request into the log."""
        with self._lock:
            self.log.append(served)
            if self._log_to is not None:
                with self._log_to.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(served.__dict__, ensure_ascii=False) + "\n")


def _fits(when: Any, request: RequestView, number: int) -> bool:
    return (
        (when.task is None or when.task == request.task)
        and (when.contains is None or when.contains in request.text)
        and (when.model is None or when.model == request.model)
        and (when.repair is None or when.repair == request.repair)
        and (when.call is None or when.call == number)
    )


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Pieces of a stream go out as they are written, not after the acknowledgement of the one before.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if self.path.rstrip("/").endswith("/models"):
                names = server.scenario.models or ("scripted",)
                models = [{"id": name, "object": "model", "created": 0, "owned_by": "scripted"} for name in names]
                self._send(200, {"object": "list", "data": models})
            else:
                self._send(200, "<!doctype html><title>A web page</title><p>Nothing to see.", kind="text/html")

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            try:
                body = json.loads(self.rfile.read(min(length, _MOST_BYTES)))
            except ValueError:
                body = None
            if not self.path.rstrip("/").endswith("/v1/chat/completions"):
                self._send(404, "<!doctype html><title>Not found</title>", kind="text/html")
            elif not isinstance(body, dict):
                self._send(400, error_body(400, "The request is no JSON object."))
            else:
                self._serve(body)

        def _serve(self, body: dict[str, Any]) -> None:
            request = view(body)
            refused = server.refusal(request, self.headers.get("Authorization", ""))
            number, answer = server.answer(request) if refused is None else (0, Answer())

            def keep(outcome: str, usage: tuple[int, int] | None = None) -> None:
                server.keep(Served(number, request.model, request.task, request.repair, outcome, usage, body))

            if refused is not None:
                keep(f"status {refused[0]}")
                self._send(*refused)
                return
            if answer.delay:
                server.hold(answer.delay)
            if answer.hang_up:
                keep("hung up")
                self.close_connection = True
            elif answer.page is not None:
                keep("page")
                self._send(200, answer.page, kind="text/html; charset=utf-8")
            elif answer.status is not None:
                keep(f"status {answer.status}")
                told = answer.body if answer.body is not None else error_body(answer.status, "scripted error")
                self._send(answer.status, told, headers=answer.headers)
            else:
                self._complete(number, request, answer, keep)

        def _complete(self, number: int, request: RequestView, answer: Answer, keep: Any) -> None:
            said = server.completion(number, request, answer)
            usage = (said.input_tokens, said.output_tokens) if said.usage_known else None
            if not request.stream:
                keep("answered", usage)
                self._send(200, said.as_object())
                return
            events = said.as_events(with_usage=request.wants_usage)
            cut = answer.cut_after
            if cut is not None:
                events = events[: int(cut * (len(events) - (2 if request.wants_usage and said.usage_known else 1)))]
                if answer.usage_before_cut:
                    events.append(said.usage_event())
            whole = cut is None
            keep(
                "answered" if whole else "cut",
                usage if (whole and request.wants_usage) or answer.usage_before_cut else None,
            )
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for event in [*events, *(["[DONE]"] if whole else [])]:
                self._chunk(f"data: {event}\n\n".encode())
            if whole:
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.close_connection = True

        def _chunk(self, data: bytes) -> None:
            try:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
            except OSError:
                self.close_connection = True

        def _send(
            self, status: int, body: Any, *, kind: str = "application/json", headers: Mapping[str, str] | None = None
        ) -> None:
            data = body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(data)
            except OSError:
                self.close_connection = True

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing: the log is `ModelServer.log`."""

    return Handler
