"""Logs: one JSON object on a line (or one line of text), the same shape for our records and for libraries'.

The product logs through the standard library with flat fields in ``extra``; this module only decides how a
program writes them. Nothing here runs on import.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from deepresearch.telemetry.context import current_session
from deepresearch.telemetry.log_file import LOG_FILE, LineFileHandler, remove_expired
from deepresearch.telemetry.redaction import redact_field
from deepresearch.telemetry.traces import current_trace

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

#: Loggers of the product. "telemetry" is the parent of the targets that collectors filter on.
LOGGER_NAMES = ("deepresearch", "telemetry")

#: A library that says the same again within so many seconds (a dead endpoint, every period) is heard once.
QUIET_SECONDS = 60.0

_log = logging.getLogger("deepresearch.telemetry")


def instance_id() -> str:
    """Name of this process in logs: ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


def configure_logging(
    *,
    stream: TextIO | None = None,
    to_stream: bool = True,
    level: str = "info",
    log_format: str = "json",
    log_dir: Path | None = None,
    retention_days: int = 0,
    service_name: str = "",
) -> None:
    """Write log lines to `stream` (standard output unless given) and to ``deepresearch.jsonl`` in `log_dir`.

    `service_name` stands in every line when given. `log_format` is ``json`` or ``text`` (``time level target - body``). `to_stream` False leaves only the folder.
    Rotated files in the folder that are older than `retention_days` are deleted (0 keeps them). A folder that cannot
    be written, or that fills up later, costs the file, not the program: it is named once as a warning. Calling again
    replaces the earlier set-up.
    """
    handlers: list[logging.Handler] = []
    screen: logging.Handler | None = None
    if to_stream:
        screen = logging.StreamHandler(stream or sys.stdout)
        handlers.append(screen)
    trouble: str | None = None
    if log_dir is not None:
        try:
            log_dir.mkdir(parents=True, exist_ok=True)
            handlers.append(LineFileHandler(log_dir / LOG_FILE, lambda message: _tell(screen, message)))
        except OSError as error:
            trouble = f"log folder {log_dir} cannot be written ({error.strerror}); logging goes on without it"
    formatter = _formatter(log_format, service_name)
    root = logging.getLogger()
    for handler in list(root.handlers):
        if getattr(handler, "_deepresearch", False):
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.addFilter(_Repetitions())
        handler._deepresearch = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in LOGGER_NAMES:
        logging.getLogger(name).setLevel(level.upper())
    if trouble:
        _tell(screen, trouble)
    elif log_dir is not None:
        removed = remove_expired(log_dir, retention_days)
        if removed:
            _log.info("old log files removed", extra={"event_name": "log.expired", "files": len(removed)})


def _tell(screen: logging.Handler | None, message: str) -> None:
    """Say on the stream what is wrong with the file; without a stream, on standard error."""
    if screen is None:
        sys.stderr.write(f"deepresearch: {message}\n")
        return
    record = _log.makeRecord(_log.name, logging.WARNING, __file__, 0, message, (), None)
    screen.handle(record)


class _Repetitions(logging.Filter):
    """Holds back what the exporters repeat every period while their endpoint is dead."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes."""
        if not record.name.startswith(("opentelemetry", "urllib3")):
            return True
        now = time.monotonic()
        place = (record.name, record.lineno)
        if now - self._last.get(place, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._last[place] = now
        # The traceback of a refused connection is fifty lines that say no more than the message.
        record.exc_info = record.exc_text = None
        return True


def _formatter(log_format: str, service_name: str) -> logging.Formatter:
    import structlog

    def named(_logger: object, _method: str, event: EventDict) -> EventDict:
        if service_name:
            event.setdefault("service_name", service_name)
        return event

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _contract_fields,
        named,
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _redact_all,
    ]
    renderer: Processor = _text_line if log_format == "text" else _json_line
    return structlog.stdlib.ProcessorFormatter(
        processors=[_keep_record, structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=shared,
    )


def _contract_fields(_logger: object, _method: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    event["target"] = record.name if record is not None else "deepresearch"
    event.setdefault("instance_id", instance_id())
    session = current_session()
    if session is not None and event.get("session_id") is None:
        event["session_id"] = session
    trace = current_trace()
    if trace is not None:
        event["trace_id"], event["span_id"] = trace
    return event


def _keep_record(_logger: object, _method: str, event: EventDict) -> EventDict:
    first = ("timestamp", "level", "target", "event_name", "message")
    return {name: event[name] for name in first if name in event} | {
        name: value for name, value in event.items() if name not in first
    }


def _redact_all(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {
        key: value if key in ("_record", "_from_structlog", "timestamp") else redact_field(key, value)
        for key, value in event.items()
    }


def _json_line(_logger: object, _method: str, event: EventDict) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)


def _text_line(_logger: object, _method: str, event: EventDict) -> str:
    rest = {key: value for key, value in event.items() if key not in ("timestamp", "level", "target", "message")}
    message = str(event.get("message", "")).replace("\n", "\\n")
    body = f"{message} {json.dumps(rest, ensure_ascii=False, default=str)}"
    return f"{event['timestamp']} {event['level']} {event['target']} - {body}"


__all__ = ["LOGGER_NAMES", "configure_logging", "instance_id"]
