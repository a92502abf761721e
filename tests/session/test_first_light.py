"""Questions to the example corpus, end to end: every citation holds, every expected answer is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
EXPECTED: dict[str, Any] = json.loads((PROJECT / "examples" / "expected.json").read_text(encoding="utf-8"))
QUESTIONS: list[dict[str, Any]] = EXPECTED["questions"]


def _folded(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The report and the stored texts for every example question, asked by the command in one data folder."""
    folder = tmp_path_factory.mktemp("asked")
    program = PROJECT / "tests" / "session" / "ask_all.py"
    asked = subprocess.run(
        [sys.executable, str(program), str(PROJECT / "examples" / "corpus"), str(folder)],
        input=json.dumps({one["id"]: one["question"] for one in QUESTIONS}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    answers: dict[str, dict[str, Any]] = json.loads(asked.stdout)
    return answers


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: str(one["id"]))
def test_every_citation_is_the_documents_own_words(
    question: dict[str, Any], reports: dict[str, dict[str, Any]]
) -> None:
    answer = reports[question["id"]]
    report, texts, pages = answer["report"], answer["texts"], answer["pages"]
    written = json.loads(Path(report["paths"]["json"]).read_text(encoding="utf-8"))
    assert written["claims"] == report["claims"]
    for claim in report["claims"]:
        assert claim["citations"], claim
        for citation in claim["citations"]:
            assert texts[citation["sha256"]][citation["start"] : citation["end"]] == citation["quote"]
            assert Path(citation["source"]).is_file()
            if citation["source"].endswith((".txt", ".md")):
                assert texts[citation["sha256"]] == Path(citation["source"]).read_bytes().decode("utf-8")
            spans = pages[citation["sha256"]]
            if spans:
                span = next(one for one in spans if one["number"] == citation["page"])
                assert span["start"] <= citation["start"] < citation["end"] <= span["end"]
            else:
                assert citation["page"] is None


@pytest.mark.parametrize("question", [one for one in QUESTIONS if one["answerable"]], ids=lambda one: str(one["id"]))
def test_the_expected_words_and_numbers_are_in_the_answer(
    question: dict[str, Any], reports: dict[str, dict[str, Any]]
) -> None:
    report = reports[question["id"]]["report"]
    quoted = {
        (Path(citation["source"]).name, citation["page"], _folded(citation["quote"]))
        for claim in report["claims"]
        for citation in claim["citations"]
    }
    for one in question["evidence"]:
        wanted = one.get("quote")
        if wanted is None:
            continue
        name = Path(one["document"]).name
        assert any(
            name == source and page == one["page"] and _folded(wanted) in quote for source, page, quote in quoted
        ), (one, sorted(quoted))
    said = " ".join([report["answer"], *(claim["text"] for claim in report["claims"])])
    numbers = [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", said)]
    for number in question["numbers"]:
        if number["name"] == "mean":
            continue
        wanted_value = abs(number["value"])
        tolerance = max(number["tolerance"], 0.051 if number["unit"] == "%" else 1e-9)
        assert any(abs(value - wanted_value) <= tolerance for value in numbers), (number, said)
    assert all(claim["support"] == "supported" for claim in report["claims"])


@pytest.mark.parametrize(
    "question", [one for one in QUESTIONS if not one["answerable"]], ids=lambda one: str(one["id"])
)
def test_what_is_not_there_is_said_and_nothing_is_claimed(
    question: dict[str, Any], reports: dict[str, dict[str, Any]]
) -> None:
    report = reports[question["id"]]["report"]
    assert report["claims"] == []
    assert report["answer"] == "Not in these sources."
    term = max(re.findall(r"\w+", question["question"]), key=len)
    assert any("not in these sources" in limit.lower() and term in limit for limit in report["limits"]), report[
        "limits"
    ]


@pytest.mark.parametrize(
    "question", [one for one in QUESTIONS if one.get("wants_figure")], ids=lambda one: str(one["id"])
)
def test_a_trend_has_its_figure_and_the_script_that_drew_it(
    question: dict[str, Any], reports: dict[str, dict[str, Any]]
) -> None:
    report = reports[question["id"]]["report"]
    assert report["math"]["status"] == "success", report["math"]
    assert report["math"]["alert_required"] is False
    assert report["figures"]
    for figure in report["figures"]:
        picture = Path(figure["path"]).read_bytes()
        assert b"<svg" in picture[:2000]
        assert figure["run_id"] in report["math"]["runs"]
        page = Path(report["paths"]["html"]).read_text(encoding="utf-8")
        assert "matplotlib" in page
        assert figure["title"].split(",")[0] in page


def test_the_hidden_instruction_changes_nothing(reports: dict[str, dict[str, Any]]) -> None:
    for answer in reports.values():
        report = answer["report"]
        said = json.dumps([report["answer"], [claim["text"] for claim in report["claims"]]], ensure_ascii=False)
        for forbidden in EXPECTED["never_in_a_claim_or_answer"]:
            assert forbidden not in said


def test_off_topic_files_are_not_cited(reports: dict[str, dict[str, Any]]) -> None:
    for answer in reports.values():
        for claim in answer["report"]["claims"]:
            for citation in claim["citations"]:
                assert not any(citation["source"].endswith(name) for name in EXPECTED["off_topic"])


def test_the_superseded_figure_is_not_presented_as_current(reports: dict[str, dict[str, Any]]) -> None:
    report = reports["superseded-target"]["report"]
    for claim in report["claims"]:
        assert "40 %" not in claim["text"]
        assert all("policy-v1" not in citation["source"] for citation in claim["citations"])
    replaced = [source for source in report["sources"] if source["superseded_by"]]
    assert [Path(source["source"]).name for source in replaced] == ["emissions-reduction-policy-v1.md"]
    assert any("emissions-reduction-policy-v1.md" in limit for limit in report["limits"]), report["limits"]


def test_the_conflict_is_shown_with_both_sides(reports: dict[str, dict[str, Any]]) -> None:
    report = reports["conflict-passengers-2023"]["report"]
    assert [conflict["kind"] for conflict in report["conflicts"]] == ["number"]
    sides = {claim["id"]: claim for claim in report["claims"]}
    texts = [sides[claim]["text"] for claim in report["conflicts"][0]["claims"]]
    assert any("1,231,500" in text for text in texts)
    assert any("1,274,000" in text for text in texts)
    for other, answer in reports.items():
        if other != "conflict-passengers-2023":
            assert answer["report"]["conflicts"] == [], other
