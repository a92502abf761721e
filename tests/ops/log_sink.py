"""A receiver of logs by OTLP over HTTP, as the collector sends them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest


class LogSink:
    """Keeps every record it gets as a flat dictionary of its attributes, with ``_severity`` and ``_service``."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        kept = self.records

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                for part in ExportLogsServiceRequest.FromString(body).resource_logs:
                    service = next(
                        (a.value.string_value for a in part.resource.attributes if a.key == "service.name"), ""
                    )
                    for scope in part.scope_logs:
                        for record in scope.log_records:
                            found = {pair.key: _value(pair.value) for pair in record.attributes}
                            kept.append(
                                {**found, "_severity": record.severity_number, "_service": service,
                                 "_time": record.time_unix_nano}
                            )  # fmt: skip
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind else None


@pytest.fixture
def log_sink() -> Iterator[LogSink]:
    """A receiver of logs."""
    sink = LogSink()
    yield sink
    sink.close()
