"""The generated script, run for real: right numbers, one SVG, and nothing of a document becomes code."""

from __future__ import annotations

import ast
import json
import shutil
import statistics

import pytest

from deepresearch.model.evidence import Quote
from deepresearch.model.mathematics import DataPoint, MathRequest, Series
from deepresearch.sandbox import Sandbox, SandboxRequest, SandboxResult, Status
from deepresearch.team.scripts import FIGURE_FILE, math_request

HOSTILE = "a\"\"\"\nimport os\n'''; $x_1$ {braces} %s \\ back `tick` 价格 🚢 </svg><script>"


def _series(name: str, values: dict[str, float], unit: str = "t") -> Series:
    quote = Quote(source="/x", sha256="0" * 64, page=None, start=0, end=1, quote="x")
    points = tuple(DataPoint(label=label, value=value, quote=quote) for label, value in values.items())
    return Series(name=name, unit=unit, axis="year", points=points)


async def _run(request: MathRequest) -> SandboxResult:
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed: apt-get install bubblewrap")
    async with Sandbox.open(backend="bubblewrap") as sandbox:
        files = {name: text.encode() for name, text in request.files.items()}
        return await sandbox.run(
            SandboxRequest(script=request.script, files=files, expects=request.expects, timeout=60)
        )


async def test_the_numbers_are_those_worked_out_here() -> None:
    values = {str(2014 + number): value for number, value in enumerate([31483.0, 30100.5, 33000.25, 18819.0])}
    request = math_request("M-S1", "CO2 emissions", [_series("CO2", values)], over_periods=True)
    result = await _run(request)
    assert result.status is Status.SUCCESS, result.stderr
    printed = json.loads(result.stdout.splitlines()[-1])
    assert printed["s1.change"] == pytest.approx(18819.0 - 31483.0)
    assert printed["s1.change_percent"] == pytest.approx(100 * (18819.0 / 31483.0 - 1))
    assert printed["s1.mean"] == pytest.approx(statistics.fmean(values.values()))
    assert (printed["s1.maximum_label"], printed["s1.minimum_label"]) == ("2016", "2017")
    assert printed["s1.mean_growth_percent"] == pytest.approx(100 * ((18819.0 / 31483.0) ** (1 / 3) - 1))
    assert result.output(FIGURE_FILE).media_type == "image/svg+xml"


async def test_the_same_request_draws_the_same_bytes() -> None:
    request = math_request("M-S1", "Same", [_series("a", {"2020": 1, "2021": 2, "2022": 4})], over_periods=True)
    first, second = await _run(request), await _run(request)
    assert first.output(FIGURE_FILE).sha256 == second.output(FIGURE_FILE).sha256


async def test_two_series_are_compared_at_the_asked_period() -> None:
    one = _series("one", {"2020": 1, "2021": 9, "2022": 4})
    two = _series("two", {"2020": 2, "2021": 3, "2022": 8})
    result = await _run(math_request("M-S1", "Two", [one, two], over_periods=True, compare_at="2021"))
    printed = json.loads(result.stdout.splitlines()[-1])
    assert (printed["shared_label"], printed["difference"], printed["ratio"]) == ("2021", 6, 3)


@pytest.mark.parametrize("over_periods", [True, False])
async def test_text_of_documents_never_becomes_code(over_periods: bool) -> None:
    series = _series(HOSTILE, {f"{HOSTILE}{number}": number for number in range(4)}, unit="$%{x}")
    request = math_request("M-S1", HOSTILE, [series], over_periods=over_periods)
    imported = {
        name
        for node in ast.walk(ast.parse(request.script))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
    }
    assert imported == {"json", "matplotlib.pyplot"}
    result = await _run(request)
    assert result.status is Status.SUCCESS, result.stderr
    assert b"<script" not in result.output(FIGURE_FILE).content
    assert json.loads(result.stdout.splitlines()[-1])["s1.count"] == 4
