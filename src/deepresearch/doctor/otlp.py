"""Does an OTLP endpoint take what would be sent to it?"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from deepresearch.doctor.check import Finding, failed, ok, skipped
from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings
from deepresearch.telemetry.otlp import check_endpoint, signal_address

_SECONDS = 4.0

#: A client's first bytes of HTTP/2, with an empty frame of settings.
_HTTP2_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
_SETTINGS_FRAME = 4


def endpoints(settings: Settings) -> Iterator[Finding]:
    """Whether the endpoints of metrics and traces answer, and in the protocol that is set."""
    found = False
    for signal, endpoint in (("metrics", settings.otel_metrics_endpoint), ("traces", settings.otel_traces_endpoint)):
        if endpoint:
            found = True
            yield _endpoint(signal, endpoint, settings.otel_protocol)
    if not found:
        yield skipped("otlp", "No endpoint is set: nothing is pushed; /metrics is served all the same.")


def _endpoint(signal: str, endpoint: str, protocol: str) -> Finding:
    try:
        check_endpoint(endpoint, protocol)
    except UsageError as wrong:
        return failed("otlp", str(wrong), f"Correct DEEPRESEARCH_OTEL_{signal.upper()}_ENDPOINT or the protocol.")
    parts = urlsplit(endpoint if protocol == "grpc" else signal_address(endpoint, signal))
    try:
        if protocol == "grpc":
            if _speaks_http2(parts):
                return ok("otlp", f"{endpoint} answers {signal} over gRPC.")
            return _other_protocol(endpoint, "no gRPC", "HTTP", "http", 4318)
        status = _posted(parts)
    except TimeoutError:
        return failed(
            "otlp",
            f"{endpoint} takes the connection and does not answer within {_SECONDS:.0f} s.",
            "Look at the receiver. Requests and shutdown do not wait for it, but its series are missing.",
        )
    except (http.client.BadStatusLine, http.client.HTTPException, ConnectionResetError):
        return _other_protocol(endpoint, "no HTTP/1.1", "gRPC", "grpc", 4317)
    except OSError as refused:
        return failed(
            "otlp",
            f"{endpoint} cannot be reached: {refused.strerror or refused}.",
            "Start the receiver (`docker compose --profile observability up -d collector`), or correct the address.",
        )
    if status < 300:
        return ok("otlp", f"{endpoint} takes {signal} over HTTP.")
    return failed(
        "otlp",
        f"{endpoint} answers {signal} with status {status}.",
        "Give the base address (http://HOST:4318), or the whole one when its path differs, ending in /" + signal + ".",
    )


def _other_protocol(endpoint: str, spoken: str, other: str, setting: str, port: int) -> Finding:
    return failed(
        "otlp",
        f"{endpoint} speaks {spoken}: it seems to be a port for {other}.",
        f"Use the other port (HTTP 4318, gRPC 4317), or set DEEPRESEARCH_OTEL_PROTOCOL={setting} for port {port}.",
    )


def _posted(parts: SplitResult) -> int:
    """The status that an empty request gets; an empty body is a valid message without metrics or spans."""
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(str(parts.hostname), parts.port, timeout=_SECONDS)
    try:
        connection.request("POST", parts.path, b"", {"Content-Type": "application/x-protobuf"})
        return connection.getresponse().status
    finally:
        connection.close()


def _speaks_http2(parts: SplitResult) -> bool:
    with socket.create_connection((str(parts.hostname), parts.port or 4317), _SECONDS) as plain:
        connection: socket.socket = plain
        if parts.scheme == "https":
            context = ssl.create_default_context()
            context.set_alpn_protocols(["h2"])
            connection = context.wrap_socket(plain, server_hostname=parts.hostname)
        connection.sendall(_HTTP2_GREETING)
        try:
            header = connection.recv(9)
        except ConnectionResetError:
            return False
        return len(header) >= 4 and header[3] == _SETTINGS_FRAME
