"""Markdown, HTML and JSON from a finished `Report`. Nothing here changes a claim."""

from deepresearch.report.excerpts import TextOf
from deepresearch.report.json_report import render_json
from deepresearch.report.render import write_reports

__all__ = ["TextOf", "render_json", "write_reports"]
