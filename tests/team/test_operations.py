"""Operations asked for in words: which, over which cells, what the script computes and what the sentence says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deepresearch.corpus import load
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Support
from deepresearch.model.mathematics import MathRequest, MathResult, MathStatus
from deepresearch.session.computed import check_computed
from deepresearch.session.mathematics import printed_values
from deepresearch.team import questions
from deepresearch.team.computing import requests_for
from deepresearch.team.operations import Operation, asked_operation
from deepresearch.team.protocol import MathOutcome
from deepresearch.team.wording import computed_claims

TABLE = """# Ferry accounts

Income and costs (in thousands)

| Item | Fiscal 2019 | Fiscal 2018 | Fiscal 2017 |
|---|---|---|---|
| Ticket sales | $4,500 | $4,000 | $3,200 |
| Other income | 120 | 80 | 100 |
| Fuel costs | (900) | (750) | (700) |
| Total income | 4,620 | 4,080 | 3,300 |
"""


@pytest.fixture
def accounts(tmp_path: Path) -> Document:
    (tmp_path / "accounts.md").write_text(TABLE, encoding="utf-8")
    return load(tmp_path / "accounts.md")


@pytest.mark.parametrize(
    ("question", "operation"),
    [
        ("What was the percentage change in ticket sales from 2018 to 2019?", Operation.PERCENTAGE_CHANGE),
        ("By how many percent did ticket sales grow?", Operation.PERCENTAGE_CHANGE),
        ("What is the average of ticket sales in 2018 and 2019?", Operation.AVERAGE),
        ("What is the change in the average fare between 2018 and 2019?", Operation.DIFFERENCE),
        ("What is the ratio of fuel costs to ticket sales in 2019?", Operation.RATIO),
        ("Other income as a percentage of total income in 2019", Operation.SHARE),
        ("What is the sum of ticket sales in 2018 and 2019?", Operation.SUM),
        ("How much higher were ticket sales in 2019 than in 2018?", Operation.DIFFERENCE),
        ("What were ticket sales in 2019?", None),
        ("What is the weighted average fare in 2019?", None),
    ],
)
def test_the_words_name_the_operation(question: str, operation: Operation | None) -> None:
    assert asked_operation(question) is operation


@pytest.mark.parametrize(
    ("question", "cells", "result", "unit"),
    [
        ("What was the change in other income between 2018 and 2019?", ["120", "80"], 40, "thousand"),
        ("What was the percentage change in ticket sales from 2018 to 2019?", ["$4,000", "$4,500"], 12.5, "%"),
        (
            "What is the average of ticket sales from 2017 to 2019?",
            ["$3,200", "$4,000", "$4,500"],
            3900,
            "thousand USD",
        ),
        ("What is the sum of fuel costs in 2018 and 2019?", ["(750)", "(900)"], -1650, "thousand"),
        ("What is the sum of ticket sales and other income in 2019?", ["$4,500", "120"], 4620, "thousand USD"),
        (
            "What is the total of ticket sales, other income and fuel costs in 2019?",
            ["$4,500", "120", "(900)"],
            3720,
            "thousand USD",
        ),
        ("What is the ratio of ticket sales to other income in 2018?", ["$4,000", "80"], 50, ""),
        ("What is other income as a percentage of ticket sales in 2018?", ["80", "$4,000"], 2, "%"),
        ("What percentage of total income was other income in 2017?", ["100", "3,300"], 100 / 33, "%"),
        ("What was the decrease in other income from 2017 to 2018?", ["100", "80"], 20, "thousand"),
    ],
)
def test_the_script_computes_it_from_the_cited_cells(
    question: str, cells: list[str], result: float, unit: str, accounts: Document, tmp_path: Path
) -> None:
    (request,) = requests_for(questions.plan(question), [accounts])
    values = _run(request, tmp_path)
    assert values["result"] == pytest.approx(result)
    assert values["unit"] == unit
    quotes = [point.quote for series in request.series for point in series.points]
    assert [quote.quote for quote in quotes] == cells
    assert all(accounts.text[quote.start : quote.end] == quote.quote for quote in quotes)


def test_the_sentence_states_operation_operands_and_periods(accounts: Document, tmp_path: Path) -> None:
    question = "What was the percentage change in ticket sales from 2018 to 2019?"
    plan = questions.plan(question)
    (request,) = requests_for(plan, [accounts])
    outcome = _outcome(request, _run(request, tmp_path))
    (claim,) = computed_claims(outcome, "S1", plan.type, question)
    assert claim.text == (
        "From Ticket sales (Fiscal 2018: $4,000 thousand) to Ticket sales (Fiscal 2019: $4,500 thousand) "
        "is a percentage change of 12.50 %."
    )
    assert [quote.quote for quote in claim.citations] == ["$4,000", "$4,500"]
    assert check_computed(claim, outcome).support is Support.SUPPORTED
    forged = claim.model_copy(update={"text": claim.text.replace("12.50", "13.50")})
    assert check_computed(forged, outcome).missing == ("13.50",)


@pytest.mark.parametrize(
    "question",
    [
        "What was the change in helicopter flights between 2018 and 2019?",
        "What was the change in ticket sales between 2003 and 2004?",
        "What is the average depth of the Atlantic?",
    ],
)
def test_what_the_table_does_not_name_is_not_computed(question: str, accounts: Document) -> None:
    assert requests_for(questions.plan(question), [accounts]) == []


def test_a_development_keeps_its_series_and_figure(accounts: Document) -> None:
    (request,) = requests_for(questions.plan("How did ticket sales change between 2017 and 2019?"), [accounts])
    assert request.expects == ("figure.svg",)


def test_a_share_of_zero_is_not_computed(tmp_path: Path) -> None:
    (tmp_path / "zero.md").write_text(TABLE.replace("| 80 |", "| 0 |"), encoding="utf-8")
    question = "What was the percentage change in other income from 2018 to 2019?"
    requests = requests_for(questions.plan(question), [load(tmp_path / "zero.md")])
    assert not any("operands.json" in request.files for request in requests)


def _run(request: MathRequest, folder: Path) -> dict[str, float | str]:
    """The script as a reader would run it: its files in a folder, its output the last line."""
    for name, text in request.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    ran = subprocess.run([sys.executable, "-c", request.script], cwd=folder, capture_output=True, text=True, check=True)
    values, trouble = printed_values(ran.stdout)
    assert not trouble
    return values


def _outcome(request: MathRequest, values: dict[str, float | str]) -> MathOutcome:
    result = MathResult(
        request_id=request.id, run_id="run", status=MathStatus.SUCCESS, reason="", note="", values=values, artefacts=(),
        duration_ms=1, backend="bubblewrap",
    )  # fmt: skip
    return MathOutcome(request=request, result=result)
