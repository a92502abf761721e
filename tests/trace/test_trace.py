"""The trace of a session: every stage, who decided what, what models were asked; in four formats, for both casts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.team.model.asking import ask, corpus_at

from deepresearch.session.archive import Archive
from deepresearch.settings import Settings
from deepresearch.testing import Answer, Rule, Scenario, When
from deepresearch.trace import FORMATS, Trace, render, trace_session

QUESTION = 'How did the number of "ships handled" change between 2020 and 2023, and who is the [harbour] master?'
STAGES = ["load", "plan", "index", "read", "read", "compute", "compute", "write", "verify", "report"]


@pytest.fixture(params=["openai:scripted", "extractive"])
def traced(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Trace:
    documents = corpus_at(tmp_path / "documents")
    scenario = Scenario(rules=(Rule(when=When(task="write"), then=(Answer(twists=("change_digit",)),), forever=True),))
    ask(home, documents, QUESTION, scenario, team=request.param, session_id="traced")
    with closing(Archive(Settings(home=home))) as archive:
        return trace_session(archive, "traced")


def test_every_stage_is_there_once_in_its_order(traced: Trace) -> None:
    assert [step.stage for step in traced.steps] == STAGES
    assert {step.state for step in traced.steps} == {"finished"}


def test_it_says_who_decided_what(traced: Trace) -> None:
    said = {(step.stage, one.role, one.what) for step in traced.steps for one in step.decisions}
    if traced.team == "extractive":
        assert said == set()
        assert not any(step.calls for step in traced.steps)
        return
    assert {
        ("plan", "planner", "parts"),
        ("read", "reader", "findings"),
        ("read", "critic", "gaps"),
        ("compute", "mathematician", "computations"),
        ("write", "writer", "sentences"),
        ("verify", "writer", "rewritten"),
    } <= said
    by_stage = {step.stage: step for step in traced.steps if step.calls}
    assert set(by_stage) == {"plan", "read", "compute", "write", "verify"}
    assert sum(one.calls for one in by_stage["plan"].calls) == 1


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_shown_in_every_format(form: str, traced: Trace) -> None:
    text = render(traced, form)
    assert text.endswith("\n")
    match form:
        case "json":
            assert Trace.model_validate_json(text) == traced
        case "markdown":
            assert text.count("\n## ") >= len(STAGES)
            assert "\\[harbour\\]" in text
        case "mermaid":
            nodes = re.findall(r'^  s\d+\["[^"]*"\]$', text, re.MULTILINE)
            assert len(nodes) == len(STAGES)
            assert text.startswith("flowchart TD\n")
            assert "[harbour]" not in text
            assert "  s2 --> s3\n  s2 --> s4\n" in text
        case _:
            assert len(re.findall(r'^  s\d+ \[label="(?:[^"\\]|\\.)*"\];$', text, re.MULTILINE)) == len(STAGES)
            assert text.count("{") == text.count("}")


def test_the_command_prints_it(environment: dict[str, str], tmp_path: Path) -> None:
    documents = corpus_at(tmp_path / "documents")
    run = [sys.executable, "-m", "deepresearch"]
    asked = [*run, "query", "Who is the harbour master?", "--sources", str(documents), "--session", "asked"]
    subprocess.run(asked, env=environment, check=True, capture_output=True)
    for form in FORMATS:
        shown = subprocess.run(
            [*run, "trace", "asked", "--format", form], env=environment, check=True, capture_output=True, text=True
        )
        assert shown.stdout.strip()
        if form == "json":
            assert json.loads(shown.stdout)["session_id"] == "asked"
    unknown = subprocess.run([*run, "trace", "nobody"], env=environment, check=False, capture_output=True, text=True)
    assert unknown.returncode == 2
    assert "no session 'nobody'" in unknown.stderr
