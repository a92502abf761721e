"""A finished report as a file holds it, made from the store: any program that has the store can render it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from deepresearch.model.report import Report
from deepresearch.report import write_reports
from deepresearch.session.store import Store


def rendered_report(store: Store, report: Report, form: str, figures_under: str) -> bytes:
    """The report as ``markdown`` or ``html`` in UTF-8; links to figures begin with `figures_under`, which ends in a ``/``."""
    cited = {quote.sha256 for claim in report.claims for quote in claim.citations}
    cited |= {entry.sha256 for entry in report.sources}
    texts = {document.sha256: document.text for document in store.documents(report.session_id, cited)}
    figures = {figure.sha256: store.blobs.get(figure.sha256) for figure in report.figures}
    with tempfile.TemporaryDirectory(prefix="deepresearch-report-") as folder:
        written = write_reports(report, texts, figures, Path(folder))
        content = Path(written.paths[form]).read_bytes()
        base = figures_under.encode()
        return content.replace(f"{folder}/".encode(), base).replace(b"](figures/", b"](" + base + b"figures/")
