"""Metrics: the process-wide meter provider, pushed by OTLP when an endpoint is set.

`init_meter_provider` is called once by a program (command, API, worker), never by an import;
`shutdown_meter_provider` flushes within a bound, whatever the endpoint does.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader

_log = logging.getLogger("deepresearch.telemetry")
_lock = threading.Lock()
_provider: MeterProvider | None = None
_provider_pid: int | None = None

#: Upper bounds in seconds of `telemetry_sandbox_duration_seconds`.
SANDBOX_DURATION_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)


def init_meter_provider(
    service_name: str,
    endpoint: str | None = None,
    *,
    period_s: float = 15.0,
    export_timeout_s: float = 5.0,
    extra_readers: tuple[MetricReader, ...] = (),
) -> MeterProvider:
    """Install the meter provider of this process and return it; a second call returns the first.

    `endpoint` is the base address of an OTLP/HTTP receiver (``http://host:4318``); metrics go to
    ``/v1/metrics`` there every `period_s` seconds. Without it metrics are only readable through
    `extra_readers` (a Prometheus page, a test).
    """
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
    from opentelemetry.sdk.resources import Resource

    global _provider, _provider_pid
    with _lock:
        if _provider is not None and _provider_pid == os.getpid():
            return _provider
        readers: list[MetricReader] = list(extra_readers)
        if endpoint:
            readers.append(
                PeriodicExportingMetricReader(
                    _exporter(endpoint, export_timeout_s),
                    export_interval_millis=period_s * 1000,
                    export_timeout_millis=export_timeout_s * 1000,
                )
            )
        provider = MeterProvider(
            metric_readers=readers,
            resource=Resource.create(
                {
                    "service.name": service_name,
                    "service.instance.id": f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}",
                }
            ),
            views=[
                View(
                    instrument_name="telemetry.sandbox.duration",
                    aggregation=ExplicitBucketHistogramAggregation(boundaries=SANDBOX_DURATION_BUCKETS),
                )
            ],
            shutdown_on_exit=False,
        )
        metrics.set_meter_provider(provider)
        _provider, _provider_pid = provider, os.getpid()
        return provider


def shutdown_meter_provider(timeout_s: float = 5.0) -> None:
    """Flush and stop. Never raises and never waits much longer than `timeout_s` seconds."""
    global _provider
    with _lock:
        provider, _provider = _provider, None
    if provider is None:
        return
    stopped = threading.Event()

    def stop() -> None:
        try:
            provider.shutdown(timeout_millis=timeout_s * 1000)
        except Exception:
            _log.warning("meter provider did not stop cleanly", exc_info=True)
        finally:
            stopped.set()

    threading.Thread(target=stop, name="meter-shutdown", daemon=True).start()
    if not stopped.wait(timeout_s + 0.5):
        _log.warning("metrics were not flushed within %.1f s; going on without", timeout_s)


def _exporter(endpoint: str, timeout_s: float) -> MetricExporter:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    # The HTTP exporter takes a constructor argument as it is: the path has to be there.
    address = endpoint.rstrip("/")
    if not address.endswith("/v1/metrics"):
        address += "/v1/metrics"
    return OTLPMetricExporter(endpoint=address, timeout=timeout_s)
