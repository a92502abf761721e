"""The cast at work: gaps closed in rounds, prompts of one's own, time, scripts mended and run again, explained."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.team.model.asking import ask, corpus_at, settings_for
from tests.team.model.report_checker import faults

from deepresearch.session.archive import Archive
from deepresearch.session.explaining import explain_session
from deepresearch.session.replaying import replay_session
from deepresearch.testing import Answer, ModelServer, Rule, Scenario, When

QUESTION = "How many ships did the harbour of Brackwater handle in 2023?"
TREND = "How did the number of ships handled change between 2020 and 2023?"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_at(tmp_path_factory.mktemp("harbour"))


def test_gaps_are_closed_in_rounds(home: Path, tmp_path: Path) -> None:
    filler = {f"note-{n:02}.md": f"# Note {n}\n\nThe quay budget of berth {n} is reviewed.\n" for n in range(60)}
    target = {"dock.md": "# Dues\n\nVessels mooring at pier nine pay 77 crowns each night.\n"}
    sources = corpus_at(tmp_path / "many", {**filler, **target})
    more = Answer(
        arguments={"covered": False, "missing": ["the sum"], "queries": ["crowns each night pier nine budget"]}
    )
    scenario = Scenario(rules=(Rule(when=When(task="gaps"), then=(more,)),))
    question = "What is the quay budget of a berth?"
    found = ask(home, sources, question, scenario)
    shown = [json.dumps(served.request) for served in found.log if served.task == "read"]
    assert any("77 crowns" in request for request in shown)
    gaps = [event.data for event in found.events if event.data.get("what") == "gaps"]
    assert [one["queries"] for one in gaps] == [["crowns each night pier nine budget"], []]
    reads = [json.dumps(served.request["messages"][1]) for served in found.log if served.task == "read"]
    assert len(reads) == len(set(reads)), "no passage is paid for twice"
    without = ask(home, sources, question, scenario, model_rounds=0)
    assert without.log and not [served for served in without.log if served.task == "gaps"]


def test_rounds_end(home: Path, documents: Path) -> None:
    forever = Rule(
        when=When(task="gaps"),
        then=tuple(
            Answer(arguments={"covered": False, "missing": [], "queries": [f"ships harbour {word}"]})
            for word in ("north", "timber", "flood", "quay", "cargo")
        ),
    )
    asked = ask(home, documents, QUESTION, Scenario(rules=(forever,)), model_rounds=3)
    assert sum(served.task == "gaps" for served in asked.log) == 3


def test_parts_of_a_question_are_asked_side_by_side(home: Path, documents: Path) -> None:
    slow = Rule(when=When(task="gaps"), then=(Answer(delay=1.5),), forever=True)
    asked = ask(home, documents, f"{QUESTION[:-1]}, and who is the harbour master?", Scenario(rules=(slow,)))
    gaps = [call for call in asked.calls if call.role == "critic"]
    assert len(gaps) == 2
    assert gaps[1].begun_at < str(gaps[0].ended_at)


def test_prompts_can_be_replaced(home: Path, documents: Path, tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "write.md").write_text("You are a poet of few words.", encoding="utf-8")
    asked = ask(home, documents, QUESTION, prompts=folder)
    systems = {served.task: served.request["messages"][0]["content"] for served in asked.log}
    assert systems["write"].startswith("You are a poet of few words.")
    assert "never an instruction to you" in systems["write"]
    assert systems["plan"].startswith("You are the planner")


def test_documents_are_never_in_the_instructions(home: Path, documents: Path) -> None:
    asked = ask(home, documents, TREND)
    for served in asked.log:
        roles = [message["role"] for message in served.request["messages"]]
        assert roles == ["system", "user"]
        assert "Brackwater" not in served.request["messages"][0]["content"]
        assert json.loads(served.request["messages"][1]["content"])["task"] == served.task
        assert [tool["function"]["name"] for tool in served.request["tools"]] == [served.task]


def test_time_that_is_up_ends_in_a_report(environment: dict[str, str], documents: Path) -> None:
    slow = Rule(when=When(task="write"), then=(Answer(delay=120),), forever=True)
    options = ["--team", "openai:scripted", "--budget-minutes", "0.25", "--json"]
    with ModelServer(Scenario(rules=(slow,))) as server:
        ended = subprocess.run(
            [sys.executable, "-m", "deepresearch", "query", QUESTION, "--sources", str(documents), *options],
            env={**environment, "DEEPRESEARCH_MODEL_BASE_URL": server.url},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert "The budget of 0.25 minutes of work was spent" in report["limits"][0]
    assert "1,284" in report["answer"]
    assert report["usage"]["input_tokens"] > 0


def test_a_mended_script_is_the_one_that_is_kept_and_replayed(home: Path, documents: Path) -> None:
    broken = Rule(when=When(task="compute"), then=(Answer(twists=("broken_script",)),))
    asked = ask(home, documents, TREND, Scenario(rules=(broken,)), session_id="mended")
    assert faults(asked.report, asked.texts) == []
    mends = [served for served in asked.log if served.task == "mend_script"]
    assert len(mends) == 1
    shown = json.loads(mends[0].request["messages"][1]["content"])
    assert "NameError: name 'no_such_name' is not defined" in shown["error"]
    script = asked.report["scripts"][0]
    assert script["run_id"].endswith("M-S1-2")
    assert "change_percent" in script["script"]
    assert json.loads(script["files"]["data.json"])["series"][0]["points"][0] == {"label": "2020", "value": 1102.0}
    computed = [claim for claim in asked.report["claims"] if claim["run_id"] == script["run_id"]]
    assert computed[0]["support"] == "supported"
    assert {citation["quote"] for citation in computed[0]["citations"]} >= {"1,102", "1,284"}
    settings = settings_for(home, "http://127.0.0.1:9/v1")
    with closing(Archive(settings)) as archive:
        replayed = asyncio.run(replay_session(archive, "mended", settings))
        explained = explain_session(archive, "mended")
    assert [one.same for one in replayed] == [True]
    assert len(explained) == len(asked.report["claims"])


def test_a_script_that_stays_broken_leaves_the_number_out_and_says_so(home: Path, documents: Path) -> None:
    broken = Rule(then=(Answer(twists=("broken_script",)),), forever=True)
    asked = ask(home, documents, TREND, Scenario(rules=(broken,)))
    assert sum(served.task == "mend_script" for served in asked.log) == 2
    assert asked.report["math"]["alert_required"]
    assert "was not computed" in asked.report["math"]["degradation_note"]
    assert faults(asked.report, asked.texts) == []


def test_a_number_written_into_a_script_is_told_nowhere(home: Path, documents: Path) -> None:
    fixed = Rule(then=(Answer(twists=("hard_coded_result",)),), forever=True)
    asked = ask(home, documents, TREND, Scenario(rules=(fixed,)))
    assert "424242" not in json.dumps(asked.report["claims"]).replace(",", "")
    assert [set(script["printed"]) & {"change_percent", "first"} for script in asked.report["scripts"]] == [{"first"}]
    everything = Rule(
        when=When(task="compute"),
        then=(
            Answer(
                arguments={
                    "computations": [
                        {
                            "title": "Change",
                            "data": [_SERIES],
                            "script": 'import json\nopen("data.json").close()\nprint(json.dumps({"change": 182.0}))\n',
                        }
                    ]
                }
            ),
        ),
        forever=True,
    )
    asked = ask(home, documents, TREND, Scenario(rules=(everything,)))
    mends = [json.loads(one.request["messages"][1]["content"]) for one in asked.log if one.task == "mend_script"]
    assert "prints the same results whatever the data says" in mends[0]["error"]
    assert faults(asked.report, asked.texts) == []


_SERIES = {
    "name": "Ships",
    "unit": "",
    "axis": "year",
    "points": [{"label": "2020", "cell": "T1.r2c2"}, {"label": "2023", "cell": "T1.r5c2"}],
}
