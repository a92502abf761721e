"""Telemetry of a whole program: one block around its life, from the settings to the last flush.

with telemetry_of_service(settings, "deepresearch-api"):
    serve()
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings
from deepresearch.telemetry.logs import configure_logging
from deepresearch.telemetry.meters import init_meter_provider, shutdown_meter_provider
from deepresearch.telemetry.traces import init_tracer_provider, shutdown_tracer_provider

#: Seconds that ending may wait for an endpoint, metrics and spans each.
SERVICE_FLUSH_SECONDS = 5.0
COMMAND_FLUSH_SECONDS = 2.0

#: The name of one-shot commands in metrics, traces and logs.
COMMAND = "deepresearch-cli"


@contextmanager
def telemetry_of_service(settings: Settings, service_name: str, *, own_page: bool = False) -> Iterator[None]:
    """Around the life of a service (``deepresearch-api``, ``deepresearch-worker``).

    Log lines go to standard output and the log folder; metrics are there for `prometheus.render_page` and pushed when
    ``DEEPRESEARCH_OTEL_METRICS_ENDPOINT`` is set; spans are pushed when ``DEEPRESEARCH_OTEL_TRACES_ENDPOINT`` is. With
    `own_page` the page is served at ``DEEPRESEARCH_METRICS_ADDR`` too, for a program without an HTTP server.

    Raises `UsageError` when an endpoint or address cannot be used.
    """
    configure_logging(
        stream=sys.stdout,
        level=settings.log_level or "info",
        log_format=settings.log_format,
        log_dir=settings.log_dir,
        retention_days=settings.log_retention_days,
        service_name=service_name,
    )
    init_meter_provider(
        service_name,
        settings.otel_metrics_endpoint,
        protocol=settings.otel_protocol,
        period_s=settings.otel_period_seconds,
    )
    page = None
    try:
        init_tracer_provider(service_name, settings.otel_traces_endpoint, protocol=settings.otel_protocol)
        if own_page and settings.metrics_addr:
            from deepresearch.telemetry.prometheus import serve_page

            host, port = _host_and_port(settings.metrics_addr)
            try:
                page = serve_page(host, port)
            except OSError as taken:
                raise UsageError(
                    f"The metrics address {settings.metrics_addr} cannot be used: {taken.strerror}. "
                    "Set DEEPRESEARCH_METRICS_ADDR to a free HOST:PORT, or leave it empty."
                ) from None
        yield
    finally:
        if page is not None:
            page.shutdown()
            page.server_close()
        shutdown_tracer_provider(SERVICE_FLUSH_SECONDS)
        shutdown_meter_provider(SERVICE_FLUSH_SECONDS)


@contextmanager
def telemetry_of_command(settings: Settings) -> Iterator[None]:
    """Around the work of a one-shot command.

    A command is quiet: its lines go to the log folder when one is set, and to standard error only when
    ``DEEPRESEARCH_LOG_LEVEL`` is set. Metrics and spans are pushed to the endpoints that are set, and flushed at the
    end within `COMMAND_FLUSH_SECONDS` each. Free when nothing is set.

    Raises `UsageError` when an endpoint cannot be used.
    """
    if settings.log_level or settings.log_dir is not None:
        configure_logging(
            stream=sys.stderr,
            to_stream=bool(settings.log_level),
            level=settings.log_level or "info",
            log_format=settings.log_format,
            log_dir=settings.log_dir,
            retention_days=settings.log_retention_days,
            service_name=COMMAND,
        )
    try:
        if settings.otel_metrics_endpoint:
            init_meter_provider(
                COMMAND,
                settings.otel_metrics_endpoint,
                protocol=settings.otel_protocol,
                period_s=settings.otel_period_seconds,
            )
        init_tracer_provider(COMMAND, settings.otel_traces_endpoint, protocol=settings.otel_protocol)
        yield
    finally:
        shutdown_tracer_provider(COMMAND_FLUSH_SECONDS)
        shutdown_meter_provider(COMMAND_FLUSH_SECONDS)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UsageError(
            f"The metrics address {address!r} is no HOST:PORT; set DEEPRESEARCH_METRICS_ADDR to 0.0.0.0:9464 or the like."
        )
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - as asked for
