"""Write a finished report into a folder: Markdown, HTML, JSON and the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from deepresearch.model.report import Report
from deepresearch.report.excerpts import TextOf
from deepresearch.report.files import clean_name, write_all
from deepresearch.report.html import render_html
from deepresearch.report.json_report import render_json
from deepresearch.report.layout import arrange
from deepresearch.report.markdown import render_markdown
from deepresearch.report.pictures import data_address, extension_for, safe_picture

_PATHS = {"markdown": "report.md", "html": "report.html", "json": "report.json"}


def write_reports(
    report: Report, text_of: TextOf | Mapping[str, str], artefacts: Mapping[str, bytes], out: Path
) -> Report:
    """Write `report.md`, `report.html`, `report.json` and `figures/…` into `out`, whole or not at all.

    `text_of` gives the stored text of a document by its SHA-256 (a callable that raises `KeyError`, or a
    mapping); `artefacts` the bytes of each figure by its SHA-256. Returns the report with absolute `paths`
    and figure paths, which is also what `report.json` holds. A figure without bytes, or whose bytes are no
    picture, is left out and named among the limits. An SVG is written sanitised; its `sha256` stays that of
    what the run returned.

    Raises `StorageError` when the folder or the disk refuses; then nothing of this report is left there.
    """
    out = out.expanduser().absolute()
    look_up: Callable[[str], str] = text_of.__getitem__ if isinstance(text_of, Mapping) else text_of
    figures = []
    files: dict[str, bytes] = {}
    pictures: dict[str, str] = {}
    limits = list(report.limits)
    for number, figure in enumerate(report.figures, 1):
        picture = safe_picture(artefacts.get(figure.sha256, b""))
        if picture is None:
            limits.append(
                f"The figure “{figure.title}” of run {figure.run_id} could not be shown: "
                "its file is missing, or not safe to show."
            )
            continue
        media_type, content = picture
        name = f"figures/{number:02d}-{clean_name(figure.title) or 'figure'}{extension_for(media_type)}"
        placed = figure.model_copy(update={"path": str(out / name), "media_type": media_type})
        files[name] = content
        figures.append(placed)
        if media_type.startswith("image/"):
            pictures[placed.path] = data_address(media_type, content)
    written = report.model_copy(
        update={
            "figures": tuple(figures),
            "limits": tuple(limits),
            "paths": {kind: str(out / name) for kind, name in _PATHS.items()},
        }
    )
    layout = arrange(written, look_up)
    files[_PATHS["markdown"]] = render_markdown(layout).encode("utf-8")
    files[_PATHS["html"]] = render_html(layout, pictures).encode("utf-8")
    files[_PATHS["json"]] = render_json(written).encode("utf-8")
    write_all(out, files)
    return written
