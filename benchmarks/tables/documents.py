"""The pages of the data set as documents: written as web pages and read by the loader, as any file is."""

from __future__ import annotations

import html
from pathlib import Path

from benchmarks.tables.questions import Page
from deepresearch.corpus import load
from deepresearch.model.documents import Document


def as_document(page: Page, folder: Path) -> Document:
    """The page's table under its first paragraph and above the others, loaded from a file in `folder`."""
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(' '.join(cell.split()))}</td>" for cell in row) + "</tr>"
        for row in page.table
    )
    before, after = page.paragraphs[:1], page.paragraphs[1:]
    body = [*(f"<p>{html.escape(text)}</p>" for text in before), f"<table>\n{rows}\n</table>"]
    body += [f"<p>{html.escape(text)}</p>" for text in after]
    path = folder / f"{page.id}.html"
    path.write_text("<!doctype html><html><body>\n" + "\n".join(body) + "\n</body></html>\n", encoding="utf-8")
    return load(path)
