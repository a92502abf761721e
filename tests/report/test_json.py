"""The JSON report keeps the contract."""

from __future__ import annotations

import json
from pathlib import Path

from tests.report.hostile import hostile_report
from tests.report.material import ferry_report

from deepresearch.model.report import Report
from deepresearch.report import render_json

FIELDS = [
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
]


def test_fields_and_their_order_are_those_of_the_contract(ferry: Report) -> None:
    document = json.loads(Path(ferry.paths["json"]).read_text("utf-8"))
    assert list(document)[: len(FIELDS)] == FIELDS
    assert set(list(document)[len(FIELDS) :]) == {"created_at", "sub_questions", "sources", "scripts"}
    claim = document["claims"][0]
    assert list(claim)[:7] == ["id", "text", "sub_question", "support", "confidence", "citations", "run_id"]
    assert list(claim["citations"][0]) == ["source", "sha256", "page", "start", "end", "quote"]
    assert list(document["conflicts"][0]) == ["claims", "kind", "note"]
    assert list(document["figures"][0])[:4] == ["path", "title", "run_id", "media_type"]
    assert list(document["math"]) == ["status", "alert_required", "degradation_note", "runs"]
    assert list(document["usage"]) == ["input_tokens", "output_tokens", "cost_usd", "seconds"]
    assert list(document["paths"]) == ["markdown", "html", "json"]
    assert document["status"] == "completed" and claim["support"] == "supported"


def test_quotes_are_exact_and_the_report_reads_back_the_same(ferry: Report) -> None:
    _, texts, _ = ferry_report()
    text = Path(ferry.paths["json"]).read_text("utf-8")
    for claim in json.loads(text)["claims"]:
        for citation in claim["citations"]:
            assert texts[citation["sha256"]][citation["start"] : citation["end"]] == citation["quote"]
    assert Report.model_validate_json(text) == ferry


def test_any_text_survives_and_no_number_breaks_the_syntax(hostile: Report) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    document = json.loads(Path(hostile.paths["json"]).read_text("utf-8"), parse_constant=refuse)
    original, _, _ = hostile_report()
    assert [claim["text"] for claim in document["claims"]] == [claim.text for claim in original.claims]
    assert document["scripts"][0]["values"]["nan"] is None


def test_it_is_one_document_with_a_line_end() -> None:
    report, _, _ = ferry_report()
    text = render_json(report)
    assert text.endswith("}\n") and not text.startswith("\ufeff")
