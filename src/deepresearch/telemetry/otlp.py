"""OTLP exporters for metrics and spans: HTTP always, gRPC with its extra, and refusals that say what to do."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deepresearch.model.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

_GRPC = "opentelemetry.exporter.otlp.proto.grpc"

PROTOCOLS = ("http", "grpc")


def metric_exporter(endpoint: str, protocol: str, timeout_s: float) -> MetricExporter:
    """An exporter of metrics. Raises `UsageError` for an address or protocol that cannot be used."""
    check_endpoint(endpoint, protocol)
    if protocol == "grpc":
        over_grpc = importlib.import_module(f"{_GRPC}.metric_exporter")
        exporter: MetricExporter = over_grpc.OTLPMetricExporter(
            endpoint=endpoint, insecure=endpoint.startswith("http://"), timeout=timeout_s
        )
        return exporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter(endpoint=signal_address(endpoint, "metrics"), timeout=timeout_s)


def span_exporter(endpoint: str, protocol: str, timeout_s: float) -> SpanExporter:
    """An exporter of spans. Raises `UsageError` for an address or protocol that cannot be used."""
    check_endpoint(endpoint, protocol)
    if protocol == "grpc":
        over_grpc = importlib.import_module(f"{_GRPC}.trace_exporter")
        exporter: SpanExporter = over_grpc.OTLPSpanExporter(
            endpoint=endpoint, insecure=endpoint.startswith("http://"), timeout=timeout_s
        )
        return exporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=signal_address(endpoint, "traces"), timeout=timeout_s)


def signal_address(endpoint: str, signal: str) -> str:
    """Where one signal goes over HTTP: the exporter takes its address as it is, so the path has to be there."""
    address = endpoint.rstrip("/")
    return address if address.endswith(f"/{signal}") else f"{address}/v1/{signal}"


def check_endpoint(endpoint: str, protocol: str) -> None:
    """Raise `UsageError` when nothing could ever be sent to this address with this protocol."""
    if protocol not in PROTOCOLS:
        raise UsageError(
            f"The OTLP protocol {protocol!r} is not known; set DEEPRESEARCH_OTEL_PROTOCOL to http or grpc."
        )
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f"The OTLP endpoint {endpoint!r} is no address; write http://HOST:4318, "
            "or http://HOST:4317 together with DEEPRESEARCH_OTEL_PROTOCOL=grpc."
        )
    if protocol == "grpc":
        try:
            importlib.import_module(_GRPC)
        except ImportError:
            raise UsageError(
                "OTLP over gRPC needs a library that is not installed: pip install 'deepresearch[otlp-grpc]', "
                "or use HTTP (port 4318) with DEEPRESEARCH_OTEL_PROTOCOL=http."
            ) from None
