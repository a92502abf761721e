"""The script that computes one operation over cited cells: a whole program that reads its figures from a file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from deepresearch.model.mathematics import DataPoint, MathRequest, Series
from deepresearch.team.cell_units import is_only_unit, unit_of
from deepresearch.team.operands import Operands
from deepresearch.team.operations import Operation
from deepresearch.team.placed_cells import PlacedCell

_GOES_ON = re.compile(r"(?:,|\b(?:ended|ending|at|of|the|fiscal|years?|quarter))$", re.IGNORECASE)
OPERANDS_FILE = "operands.json"

_SCRIPT = '''"""{title}

Reads the operands from {file} and prints the {operation} as JSON.
"""
import json
import math

with open("{file}", encoding="utf-8") as file:
    operands = json.load(file)["operands"]
values = [operand["value"] for operand in operands]
{formula}
print(json.dumps({{"operation": "{operation}", "unit": {unit}, "count": len(values), "result": result}}))
'''

_FORMULAS = {
    Operation.SUM: "result = math.fsum(values)",
    Operation.AVERAGE: "result = math.fsum(values) / len(values)",
    Operation.DIFFERENCE: "minuend, subtrahend = values\nresult = math.fsum([minuend, -subtrahend])",
    Operation.RATIO: "numerator, denominator = values\nresult = numerator / denominator",
    Operation.SHARE: "part, whole = values\nresult = part / whole * 100",
    Operation.PERCENTAGE_CHANGE: "earlier, later = values\nresult = (later - earlier) / earlier * 100",
}
_DIVIDES = frozenset({Operation.RATIO, Operation.SHARE, Operation.PERCENTAGE_CHANGE})


def operation_request(request_id: str, operands: Operands) -> MathRequest | None:
    """The request that computes `operands`; None where their units cannot be put together or a divisor is zero."""
    units = [_unit(one) for one in operands.cells]
    bases = {base for _, name in units if (base := _base(name))}
    if len(bases) > 1 and operands.operation is not Operation.RATIO:
        return None
    scales = {scale for scale, _ in units}
    scale = units[0][0]
    values = [
        one.number * (own / scale if len(scales) > 1 else 1.0)
        for one, (own, _) in zip(operands.cells, units, strict=True)
        if one.number is not None
    ]
    divisor = values[0] if operands.operation is Operation.PERCENTAGE_CHANGE else values[-1]
    if operands.operation in _DIVIDES and not divisor:
        return None
    full = max((name for own, name in units if own == scale), key=len)
    unit = full if operands.operation not in _DIVIDES else "" if operands.operation is Operation.RATIO else "%"
    series = _series(operands.cells, [full if own == scale else name for own, name in units])
    title = f"{operands.operation.value}: {_named(operands.cells)}"
    title = title[:1].upper() + title[1:]
    return MathRequest(
        id=request_id,
        title=title,
        script=_SCRIPT.format(
            title=_plain(title),
            file=OPERANDS_FILE,
            operation=operands.operation.value,
            unit=json.dumps(unit, ensure_ascii=False),
            formula=_FORMULAS[operands.operation],
        ),
        files={
            OPERANDS_FILE: json.dumps(
                {
                    "operands": [
                        {"name": one.name, "at": place(one), "value": value}
                        for one, value in zip(operands.cells, values, strict=True)
                    ]
                },
                ensure_ascii=False,
                indent=1,
            )
        },
        expects=(),
        series=series,
    )


def place(one: PlacedCell) -> str:
    """Where in its row a value stands, for people: the year where that is all there is to say, else the headings."""
    heads = [" ".join(head.text.split()) for head in one.heads if not is_only_unit(head.text)]
    years = one.years
    if len(years) == 1 and not any(str(years[0]) in head for head in heads):
        heads.append(str(years[0]))
    # "December 31," stands over "2019" and "Year ended" over both: these go on without a comma.
    joined = " ".join(head if _GOES_ON.search(head) else f"{head}," for head in heads)
    return joined.rstrip(",") or one.cell.address


def _unit(one: PlacedCell) -> tuple[float, str]:
    row = [cell.text for cell in (*one.groups, *one.label)]
    return unit_of(one.cell.text, row, [cell.text for cell in one.heads], one.table, one.document)


def _base(unit: str) -> str:
    return " ".join(word for word in unit.split() if word not in ("thousand", "million", "billion", "trillion"))


def _named(cells: Sequence[PlacedCell]) -> str:
    names = " and ".join(dict.fromkeys(one.name for one in cells))
    return names if len(names) <= 90 else names[:89] + "…"


def _series(cells: Sequence[PlacedCell], units: Sequence[str]) -> tuple[Series, ...]:
    """One series for each row, its points the operands, so that the report can show them with their quotes."""
    rows: dict[tuple[str, str, str], list[DataPoint]] = {}
    for one, unit in zip(cells, units, strict=True):
        point = DataPoint(label=place(one), value=one.number or 0.0, quote=one.quote())
        rows.setdefault((one.table.id, one.name, unit), []).append(point)
    return tuple(
        Series(name=name, unit=unit, axis="period", points=tuple(points)) for (_, name, unit), points in rows.items()
    )


def _plain(title: str) -> str:
    return "".join(" " if character in "\"'\\\r\n\0" else character for character in title)
