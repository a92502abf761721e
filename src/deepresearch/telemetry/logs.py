"""Logs: one JSON object on a line (or one line of text), the same shape for our records and for libraries'.

The product logs through the standard library with flat fields in ``extra``; this module only decides how a
program writes them. Nothing here runs on import.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from deepresearch.telemetry.context import current_session
from deepresearch.telemetry.traces import current_trace

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

#: Loggers of the product. "telemetry" is the parent of the targets that collectors filter on.
LOGGER_NAMES = ("deepresearch", "telemetry")

_SECRET_KEY = re.compile(r"(?i)(authorization|api[_-]?key|token|password|secret|cookie)s?$")
_SECRET_TEXT = re.compile(
    r"(?i)\b(sk-[a-z0-9_\-]{12,}|bearer\s+[a-z0-9._\-]{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)|AKIA[0-9A-Z]{16}|ghp_[a-z0-9]{20,})"
)
_MAIL_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_COUNTED_TOKENS = frozenset({"input_tokens", "output_tokens", "budget_tokens", "tokens"})


def instance_id() -> str:
    """Name of this process in logs and metrics: ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


def redact(value: Any) -> Any:
    """Replace secrets and mail addresses inside strings; other types pass unchanged."""
    if isinstance(value, str):
        return _MAIL_ADDRESS.sub("[mail]", _SECRET_TEXT.sub("[secret]", value))
    if isinstance(value, dict):
        return {key: redact_field(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value


def redact_field(key: str, value: Any) -> Any:
    """Redact one field: whole when its name says it is a secret, otherwise what looks like one inside."""
    if key not in _COUNTED_TOKENS and _SECRET_KEY.search(key):
        return "[secret]"
    return redact(value)


def configure_logging(
    *,
    stream: TextIO | None = None,
    level: str = "info",
    log_format: str = "json",
    log_dir: Path | None = None,
) -> None:
    """Write log lines to `stream` (standard output unless given) and to ``deepresearch.jsonl`` in `log_dir`.

    `log_format` is ``json`` or ``text`` (``time level target - body``). A folder that cannot be written costs
    the file, not the program: it is named once as a warning. Calling again replaces the earlier set-up.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(stream or sys.stdout)]
    trouble: str | None = None
    if log_dir is not None:
        try:
            log_dir.mkdir(parents=True, exist_ok=True)
            # The file is rotated from outside (logrotate): in-process rotation loses lines with several workers.
            handlers.append(logging.handlers.WatchedFileHandler(log_dir / "deepresearch.jsonl", encoding="utf-8"))
        except OSError as error:
            trouble = f"log folder {log_dir} cannot be written ({error.strerror}); logging goes on without it"
    formatter = _formatter(log_format)
    root = logging.getLogger()
    for handler in list(root.handlers):
        if getattr(handler, "_deepresearch", False):
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        handler._deepresearch = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in LOGGER_NAMES:
        logging.getLogger(name).setLevel(level.upper())
    if trouble:
        logging.getLogger("deepresearch.telemetry").warning(trouble)


def _formatter(log_format: str) -> logging.Formatter:
    import structlog

    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _contract_fields,
        structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"),
        _redact_all,
    ]
    renderer: Processor = _text_line if log_format == "text" else structlog.processors.JSONRenderer(ensure_ascii=False)
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


def _text_line(_logger: object, _method: str, event: EventDict) -> str:
    import json

    rest = {key: value for key, value in event.items() if key not in ("timestamp", "level", "target", "message")}
    body = f"{event.get('message', '')} {json.dumps(rest, ensure_ascii=False, default=str)}"
    return f"{event['timestamp']} {event['level']} {event['target']} - {body}"
