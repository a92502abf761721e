"""The metrics of this process as a page that Prometheus reads.

init_meter_provider("deepresearch-api", endpoint)
body, content_type = render_page(request.headers.get("accept", ""))
"""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING

from deepresearch.telemetry.resource import LABELLED_ATTRIBUTES

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader


class MetricsPage:
    """Reads the meter provider that it is given to as an extra reader, and writes what it finds as text.

    Every series carries ``service_name`` and ``service_instance_id``, so that rules read the same labels whether
    series were scraped here or pushed by OTLP.
    """

    def __init__(self) -> None:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import CollectorRegistry

        self._registry = CollectorRegistry()
        self._lock = threading.Lock()
        self.reader: MetricReader = PrometheusMetricReader(
            scope_info_enabled=False,
            resource_attribute_filter=LABELLED_ATTRIBUTES.__contains__,
            registry=self._registry,
        )

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The page and its content type: OpenMetrics when `accept` (the request's header) asks for it, else text."""
        from prometheus_client.exposition import choose_encoder

        encode, content_type = choose_encoder(accept)
        # The exporter's collector is one queue: two scrapes at once would share each other's samples.
        with self._lock:
            return encode(self._registry), content_type


def render_page(accept: str = "") -> tuple[bytes, str]:
    """The metrics of this process as ``/metrics`` answers them: the body and its content type.

    `accept` is the request's header of that name. Empty when no meter provider is installed.
    """
    from deepresearch.telemetry.meters import current_page

    page = current_page()
    return page.render(accept) if page is not None else (b"", "text/plain; charset=utf-8")


def serve_page(host: str, port: int) -> ThreadingHTTPServer:
    """Serve `render_page` at ``/metrics`` from a thread, for programs without an HTTP server of their own.

    Port 0 takes a free one (``server.server_address``). End it with ``server.shutdown()``. Raises `OSError` when the
    address is taken.
    """
    from deepresearch.telemetry.page_server import page_server

    server = page_server(host, port, render_page)
    threading.Thread(target=server.serve_forever, name="metrics-page", daemon=True).start()
    return server
