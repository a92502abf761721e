"""A receiver of metrics and spans by OTLP over HTTP that keeps what it gets."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Receiver:
    """Listens on a free port of the loopback until `close`."""

    def __init__(self) -> None:
        self._metrics: list[ExportMetricsServiceRequest] = []
        self._traces: list[ExportTraceServiceRequest] = []
        kept_metrics, kept_traces = self._metrics, self._traces

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/metrics":
                    kept_metrics.append(ExportMetricsServiceRequest.FromString(body))
                elif self.path == "/v1/traces":
                    kept_traces.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def points(self, name: str) -> dict[str, float]:
        """The last values of a counter by its only label."""
        found: dict[str, float] = {}
        for request in self._metrics:
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        if metric.name == name:
                            for point in metric.sum.data_points:
                                label = point.attributes[0].value.string_value if point.attributes else ""
                                found[label] = point.as_int or point.as_double
        return found

    def resource(self, key: str) -> set[str]:
        """All values of an attribute of who sent metrics."""
        return {
            pair.value.string_value
            for request in self._metrics
            for resource in request.resource_metrics
            for pair in resource.resource.attributes
            if pair.key == key
        }

    def spans(self) -> list[Any]:
        """All spans in the order they came."""
        return [
            span
            for request in self._traces
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @staticmethod
    def attribute(span: Any, key: str) -> Any:
        """The value of a span's attribute, None without it."""
        for pair in span.attributes:
            if pair.key == key:
                return getattr(pair.value, pair.value.WhichOneof("value"))
        return None

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
