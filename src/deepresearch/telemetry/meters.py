"""Metrics: the process-wide meter provider, readable as a Prometheus page and pushed by OTLP when an endpoint is set.

`init_meter_provider` is called once by a program (command, API, worker), never by an import;
`shutdown_meter_provider` flushes within a bound, whatever the endpoint does.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from deepresearch.telemetry.bounded import finish_within
from deepresearch.telemetry.resource import service_resource

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader

    from deepresearch.telemetry.prometheus import MetricsPage

_lock = threading.Lock()
_provider: MeterProvider | None = None
_provider_pid: int | None = None
_page: MetricsPage | None = None

#: Upper bounds in seconds of `telemetry_sandbox_duration_seconds`.
SANDBOX_DURATION_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)

#: Upper bounds in seconds of whole sessions.
SESSION_DURATION_BUCKETS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)

#: Upper bounds in seconds of what takes moments: stages, model calls, searches.
SHORT_DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

#: Upper bounds of tokens of one model call, the ones the GenAI conventions advise.
TOKEN_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)

_BUCKETS: dict[str, tuple[float, ...]] = {
    "telemetry.sandbox.duration": SANDBOX_DURATION_BUCKETS,
    "deepresearch.session.duration": SESSION_DURATION_BUCKETS,
    "deepresearch.session.step.duration": SHORT_DURATION_BUCKETS,
    "deepresearch.retrieval.duration": SHORT_DURATION_BUCKETS,
    "gen_ai.client.operation.duration": SHORT_DURATION_BUCKETS,
    "gen_ai.client.token.usage": TOKEN_BUCKETS,
}


def init_meter_provider(
    service_name: str,
    endpoint: str | None = None,
    *,
    protocol: str = "http",
    period_s: float = 15.0,
    export_timeout_s: float = 5.0,
    extra_readers: tuple[MetricReader, ...] = (),
) -> MeterProvider:
    """Install the meter provider of this process and return it; a second call returns the first.

    `endpoint` is the base address of an OTLP receiver; over HTTP (``http://host:4318``) metrics go to
    ``/v1/metrics`` there, or to the address as it stands when it ends in ``/metrics``, every `period_s` seconds.
    `protocol` is ``http`` or ``grpc``. With and without an endpoint `prometheus.render_page` reads the metrics;
    `extra_readers` are for tests. Raises `UsageError` for an address or protocol that cannot be used; an endpoint that does not
    answer is no error: the process goes on and the exporter says so in the log, once a minute at most.
    """
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View

    from deepresearch.telemetry.otlp import metric_exporter
    from deepresearch.telemetry.prometheus import MetricsPage

    global _provider, _provider_pid, _page
    with _lock:
        if _provider is not None and _provider_pid == os.getpid():
            return _provider
        page = MetricsPage()
        readers: list[MetricReader] = [page.reader, *extra_readers]
        if endpoint:
            readers.append(
                PeriodicExportingMetricReader(
                    metric_exporter(endpoint, protocol, export_timeout_s),
                    export_interval_millis=period_s * 1000,
                    export_timeout_millis=export_timeout_s * 1000,
                )
            )
        provider = MeterProvider(
            metric_readers=readers,
            resource=service_resource(service_name),
            views=[
                View(instrument_name=name, aggregation=ExplicitBucketHistogramAggregation(boundaries=bounds))
                for name, bounds in _BUCKETS.items()
            ],
            shutdown_on_exit=False,
        )
        if _provider_pid is None:
            # OpenTelemetry keeps the first provider of a process for ever; our own instruments ask `meter` below.
            metrics.set_meter_provider(provider)
        _provider, _provider_pid, _page = provider, os.getpid(), page
    _start_instruments()
    return provider


def shutdown_meter_provider(timeout_s: float = 5.0) -> None:
    """Flush and stop. Never raises and never waits much longer than `timeout_s` seconds."""
    global _provider, _page
    with _lock:
        provider, _provider, _page = _provider, None, None
    if provider is not None:
        finish_within(timeout_s, lambda: provider.shutdown(timeout_millis=timeout_s * 1000), what="metrics")


def meter(name: str) -> Meter:
    """The meter of the provider that `init_meter_provider` made, else of the one the surrounding program installed."""
    from opentelemetry import metrics

    provider = _provider
    if provider is not None:
        return provider.get_meter(name)
    if _surroundings() != "another's":
        return metrics.NoOpMeterProvider().get_meter(name)
    return metrics.get_meter(name)


def _surroundings() -> str:
    """What a process without a present provider of ours has: ``another's``, ``none``, or ours that has ``ended``."""
    from opentelemetry import metrics

    if _provider_pid is not None:
        return "ended"
    # An instrument of the stand-in would come to life in the first provider installed, beside the one made for it.
    is_stand_in = type(metrics.get_meter_provider()).__name__ == "_ProxyMeterProvider"
    return "none" if is_stand_in else "another's"


def current_page() -> MetricsPage | None:
    """The Prometheus page of the present provider, None without one."""
    return _page


Instruments = TypeVar("Instruments")
_makers: list[Callable[[], Any]] = []


def instruments(make: Callable[[], Instruments]) -> Callable[[], Instruments]:
    """Decorate a class (or function) that makes instruments: calling it gives the ones of the present provider.

    They are made when the provider is installed, so that every counter is born at zero before anything happens:
    a counter that is born at 1 hides the first failure of a process from rates.
    """
    made: weakref.WeakKeyDictionary[object, Instruments] = weakref.WeakKeyDictionary()
    without_provider: dict[str, Instruments] = {}
    guard = threading.Lock()

    def current() -> Instruments:
        provider = _provider
        if provider is None:
            around = _surroundings()
            found = without_provider.get(around)
            if found is None:
                with guard:
                    found = without_provider.get(around)
                    if found is None:
                        found = without_provider[around] = make()
            return found
        found = made.get(provider)
        if found is None:
            with guard:
                found = made.get(provider)
                if found is None:
                    found = made[provider] = make()
        return found

    _makers.append(current)
    return current


def _start_instruments() -> None:
    # Imported here and not above: these modules need this one.
    from deepresearch.telemetry import model_calls, retrieval, sandbox, sessions

    del model_calls, retrieval, sandbox, sessions
    for maker in _makers:
        maker()
