"""Documents made for a test."""

from __future__ import annotations

import hashlib
from datetime import date

from deepresearch.model.documents import Document, Page


def document(
    text: str,
    *,
    source: str = "/sources/report.md",
    title: str = "Report",
    day: date | None = None,
    version: str | None = None,
    pages: tuple[tuple[int, int], ...] = (),
) -> Document:
    return Document(
        sha256=hashlib.sha256(f"{source}\n{text}".encode()).hexdigest(),
        source=source,
        media_type="text/markdown",
        title=title,
        text=text,
        date=day,
        version=version,
        pages=tuple(Page(number=number, start=start, end=end) for number, (start, end) in enumerate(pages, start=1)),
    )
