"""Whether a script of a language model computes from its data, or prints what the model already believed.

The script runs once more on data in which every value is moved by a share of its own. A result that stays the same
does not come from the values, so no sentence may tell it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from deepresearch.model.mathematics import MathRequest, MathResult, MathStatus
from deepresearch.team.model.computing import DATA_FILE

#: What a result has to move by, relative to itself, to count as moved.
_LEAST = 1e-9


def moved(request: MathRequest) -> MathRequest:
    """The request with every value of its data changed, each in another proportion."""
    data: dict[str, Any] = json.loads(request.files[DATA_FILE])
    number = 0
    for series in data["series"]:
        for point in series["points"]:
            number += 1
            share = 0.011 * number + 0.0007 * number * number
            point["value"] = point["value"] * (1 + share) if point["value"] else share
    return request.model_copy(update={"files": {DATA_FILE: json.dumps(data, ensure_ascii=False, indent=1)}})


def derived(result: MathResult, again: Mapping[str, float | str]) -> MathResult:
    """The result with only those numbers that changed with the data; a failure when none did. Words stay."""
    kept = {
        name: value
        for name, value in result.values.items()
        if isinstance(value, str) or not _same(value, again.get(name))
    }
    if any(isinstance(value, float) for value in kept.values()):
        return result.model_copy(update={"values": kept})
    note = (
        "its program prints the same results whatever the data says"
        if again
        else "its program fails when the data is slightly other"
    )
    return result.model_copy(update={"values": {}, "status": MathStatus.FAILURE, "reason": "exit", "note": note})


def _same(value: float, other: float | str | None) -> bool:
    if not math.isfinite(value) or not isinstance(other, float):
        return True
    return math.isclose(value, other, rel_tol=_LEAST, abs_tol=0.0)
