"""What documents, places and bands are called in front of a reader."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath
from urllib.parse import urlsplit

from deepresearch.model.evidence import Support
from deepresearch.model.report import ReportStatus

_KINDS = {
    "application/pdf": ("PDF", "page"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("Word document", "page"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("Spreadsheet", "sheet"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("Slides", "slide"),
    "text/markdown": ("Markdown", "page"),
    "text/html": ("Web page", "page"),
    "application/xhtml+xml": ("Web page", "page"),
    "text/csv": ("CSV table", "page"),
    "text/plain": ("Text", "page"),
}

SUPPORT_WORDS = {
    Support.SUPPORTED: "Supported",
    Support.PARTIAL: "Partly supported",
    Support.UNSUPPORTED: "Not supported",
    Support.UNDECIDED: "Undecided",
}
SUPPORT_SIGNS = {
    Support.SUPPORTED: "●",
    Support.PARTIAL: "◐",
    Support.UNSUPPORTED: "○",
    Support.UNDECIDED: "?",
}
SUPPORT_MEANINGS = {
    Support.SUPPORTED: "its words, numbers and names are in the quotes",
    Support.PARTIAL: "part of it is in the quotes, part is not",
    Support.UNSUPPORTED: "the quotes do not carry it; do not rely on it",
    Support.UNDECIDED: "the check could not tell; read the quotes",
}
STATUS_WORDS = {
    ReportStatus.COMPLETED: "Completed",
    ReportStatus.NEEDS_REVIEW: "Needs review",
    ReportStatus.FAILED: "Failed",
    ReportStatus.CANCELLED: "Cancelled",
}
STATUS_NOTES = {
    ReportStatus.COMPLETED: "",
    ReportStatus.NEEDS_REVIEW: "This report waits for a person's review. Read it as a draft.",
    ReportStatus.FAILED: "The session failed before its end. What follows is what it had found by then.",
    ReportStatus.CANCELLED: "The session was cancelled. What follows is what it had found by then.",
}


def kind_word(media_type: str) -> str:
    """Return what a reader calls a document of this media type."""
    return _KINDS.get(media_type, (media_type or "Unknown", "page"))[0]


def place_word(page: int | None, media_type: str) -> str:
    """Return ``page 4``, ``sheet 1`` or ``slide 2``; empty for a format without pages."""
    return "" if page is None else f"{_KINDS.get(media_type, ('', 'page'))[1]} {page}"


def is_address(source: str) -> bool:
    """Tell whether the source is an address of the web, the only kind a report makes a link of."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def last_name(source: str) -> str:
    """Return a file's name without its folders; of a page of the web its address without the scheme."""
    return source.split("://", 1)[-1] if is_address(source) else PurePath(source).name


def short_names(sources: Iterable[str]) -> dict[str, str]:
    """Give each source the shortest name that keeps them apart: without the folder that all files share."""
    all_sources = list(dict.fromkeys(sources))
    files = [source for source in all_sources if not is_address(source)]
    shared = ""
    if files and all(Path(source).is_absolute() for source in files):
        shared = os.path.commonpath([os.path.dirname(source) for source in files])  # noqa: PTH120
    names = {}
    for source in all_sources:
        if source in files and shared:
            names[source] = os.path.relpath(source, shared)
        else:
            names[source] = source.split("://", 1)[-1] if is_address(source) else source
    return names


def readable_time(timestamp: str) -> str:
    """Return ``28 November 2026, 05:18 UTC`` for an ISO 8601 time; anything else as it is."""
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return timestamp
    zone = f" {at.tzname()}" if at.tzinfo else ""
    return f"{at.day} {at:%B %Y, %H:%M}{zone}"


def readable_number(value: float | str) -> str:
    """Return a number with thousands separators and at most twelve digits; words as they are."""
    if isinstance(value, str):
        return value
    if abs(value) < 1e15 and value == int(value):  # never true for NaN and infinities
        return f"{int(value):,}"
    return f"{value:,.12g}"


def readable_value(name: str, value: float | str) -> tuple[str, str]:
    """Return a computed number as a reader sees it: ``change_percent`` -40.2 is ``change`` ``-40.2 %``."""
    words, shown = name.replace("_", " ").strip(), readable_number(value)
    if name.endswith("_percent") and not isinstance(value, str):
        return words.removesuffix(" percent"), f"{shown} %"
    return words, shown
