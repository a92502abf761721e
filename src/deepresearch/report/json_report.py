"""The report as the JSON document that other programs rely on."""

from __future__ import annotations

import json
import math

from deepresearch.model.report import Report

CONTRACT = (
    "session_id",
    "question",
    "status",
    "team",
    "answer",
    "claims",
    "conflicts",
    "limits",
    "figures",
    "math",
    "usage",
    "paths",
)
"""The fields of the contract in their order; whatever else a report has comes after them."""


def render_json(report: Report) -> str:
    """Return the report as JSON in UTF-8, two spaces deep, with a line end. No number is NaN or infinite."""
    fields = report.model_dump(mode="json")
    ordered = {name: fields.pop(name) for name in CONTRACT} | fields
    return json.dumps(_finite(ordered), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    """Put null for NaN and infinities, which JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
