"""Traces: spans by OTLP when an endpoint is set, and nothing at all when none is.

`span` is called everywhere and costs a comparison unless `init_tracer_provider` was called. Names and attributes follow
the OpenTelemetry semantic conventions for generative AI where they have one, as of schema 1.44 (still in development,
hence spelt out here and not imported); contents of prompts, scripts and documents are never recorded.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

from deepresearch.telemetry.bounded import finish_within
from deepresearch.telemetry.resource import service_resource

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

Value = str | bool | int | float

_lock = threading.Lock()
_provider: TracerProvider | None = None
_provider_pid: int | None = None


class Span(Protocol):
    """The part of a span that callers use."""

    def set_attribute(self, key: str, value: Value) -> None:
        """Add what is known only later."""


class _Nothing:
    """A span that nobody records."""

    def set_attribute(self, key: str, value: Value) -> None:
        """Do nothing."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_error: object) -> None:
        return None


_NOTHING = _Nothing()


def init_tracer_provider(
    service_name: str,
    endpoint: str | None,
    *,
    protocol: str = "http",
    export_timeout_s: float = 5.0,
    processors: tuple[SpanProcessor, ...] = (),
) -> TracerProvider | None:
    """Install the tracer provider of this process and return it; a second call returns the first.

    `endpoint` is the base address of an OTLP receiver (``/v1/traces`` is appended over HTTP), `protocol` ``http`` or
    ``grpc``. Without an endpoint and without `processors` nothing is installed and None is returned. Spans are sent
    from a thread; a queue of 2048 that fills because the endpoint is dead drops spans, it never blocks. Raises
    `UsageError` for an address or protocol that cannot be used.
    """
    global _provider, _provider_pid
    if not endpoint and not processors:
        return None
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from deepresearch.telemetry.otlp import span_exporter

    with _lock:
        if _provider is not None and _provider_pid == os.getpid():
            return _provider
        provider = TracerProvider(resource=service_resource(service_name), shutdown_on_exit=False)
        for processor in processors:
            provider.add_span_processor(processor)
        if endpoint:
            provider.add_span_processor(
                BatchSpanProcessor(
                    span_exporter(endpoint, protocol, export_timeout_s),
                    export_timeout_millis=export_timeout_s * 1000,
                )
            )
        if _provider_pid is None:
            trace.set_tracer_provider(provider)
        _provider, _provider_pid = provider, os.getpid()
        return provider


def shutdown_tracer_provider(timeout_s: float = 5.0) -> None:
    """Send what is left and stop. Never raises and never waits much longer than `timeout_s` seconds."""
    global _provider
    with _lock:
        provider, _provider = _provider, None
    if provider is not None:
        finish_within(timeout_s, provider.shutdown, what="spans")


def span(name: str, attributes: Mapping[str, Value] | None = None) -> AbstractContextManager[Span]:
    """A span around a block; an error that leaves the block is recorded with its type as ``error.type``.

    Attributes with an empty string are left out. Free when no tracer provider is installed.
    """
    provider = _provider
    if provider is None:
        return _NOTHING
    return _recorded(provider, name, attributes or {})


@contextmanager
def _recorded(provider: TracerProvider, name: str, attributes: Mapping[str, Value]) -> Iterator[Span]:
    from opentelemetry.trace import Status, StatusCode

    tracer = provider.get_tracer("deepresearch")
    present = {key: value for key, value in attributes.items() if value != ""}
    # The text of an error may hold what a document says: only its type is recorded.
    with tracer.start_as_current_span(
        name, attributes=present, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def current_trace() -> tuple[str, str] | None:
    """Trace id and span id of the running block in hexadecimal, for log lines; None without a span."""
    if _provider is None:
        return None
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None
