"""A model at its worst: every session ends in a report, nothing false is in it as supported, every token is counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.team.model.asking import Asked, ask, corpus_at
from tests.team.model.report_checker import faults

from deepresearch.testing import Answer, Rule, Scenario, When
from deepresearch.testing.scenario import Twist
from deepresearch.testing.twists import INVENTED

QUESTION = "How many ships did the harbour of Brackwater handle in 2023?"
TREND = "How did the number of ships handled change between 2020 and 2023?"


def always(answer: Answer, **when: object) -> Scenario:
    return Scenario(rules=(Rule(when=When.model_validate(when), then=(answer,), forever=True),))


def twisted(*twists: Twist) -> Scenario:
    return always(Answer(twists=twists))


SCENARIOS: dict[str, Scenario] = {
    "diligent": Scenario(),
    "invents quotes": twisted("invent_quotes"),
    "cites the wrong passage": twisted("wrong_passage"),
    "changes a digit": twisted("change_digit"),
    "turns sentences round": twisted("turn_round"),
    "exchanges names": twisted("exchange_names"),
    "finds nothing": twisted("drop_findings"),
    "claims without a source": twisted("claim_without_source"),
    "cites what is not there": twisted("cite_unknown"),
    "hard-codes results": twisted("hard_coded_result"),
    "writes broken scripts": twisted("broken_script"),
    "writes broken JSON": always(Answer(raw='{"findings": [{"statement": "The harb')),
    "writes an array": always(Answer(raw="[1, 2]")),
    "writes the wrong form": always(Answer(raw='{"sub_questions": 7, "findings": "x", "sentences": {"a": 1}}')),
    "refuses": always(Answer(refusal="I cannot help with that.")),
    "refuses in prose": always(Answer(text="I'm sorry, but I can't assist with this request.")),
    "calls unknown tools": always(Answer(tool="fetch_url")),
    "stops mid-stream": always(Answer(cut_after=0.5)),
    "stops mid-stream after its usage": always(Answer(cut_after=0.7, usage_before_cut=True)),
    "429 with Retry-After": always(Answer(status=429, headers={"Retry-After": "0"})),
    "429 with a long Retry-After": always(Answer(status=429, headers={"Retry-After": "86400"})),
    "429 without Retry-After": always(Answer(status=429)),
    "500": always(Answer(status=500)),
    "503 with a page": always(Answer(status=503, body="<html>busy</html>")),
    "nothing": always(Answer(nothing=True)),
    "hangs up": always(Answer(hang_up=True)),
    "loops for more searches": always(
        Answer(arguments={"covered": False, "missing": ["more"], "queries": ["ships harbour Brackwater again"]}),
        task="gaps",
    ),
    "takes no tools": Scenario(tools=False),
    "short context": Scenario(context=700),
    "no context at all": Scenario(context=5),
    "tells no usage": always(Answer(usage_missing=True)),
}


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_at(tmp_path_factory.mktemp("harbour"))


@pytest.mark.parametrize("question", [QUESTION, TREND], ids=["number", "trend"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_session_ends_in_a_true_report(name: str, question: str, home: Path, documents: Path) -> None:
    asked = ask(home, documents, question, SCENARIOS[name], model_attempts=2)
    assert faults(asked.report, asked.texts) == []
    assert asked.report["status"] == "completed"
    supported = [claim["text"] for claim in asked.report["claims"] if claim["support"] == "supported"]
    assert supported, "the documents answer this question"
    assert INVENTED not in str(asked.report["claims"])
    assert "424,242" not in str(supported)
    assert "1,284" in " ".join(supported)
    _every_token_is_counted(asked)
    assert len(asked.log) <= 60


def _every_token_is_counted(asked: Asked) -> None:
    usage = asked.report["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == asked.reported
    assert len(asked.calls) == len(asked.log)
    untold = [one for one in asked.log if one.usage is None and not one.outcome.startswith("status")]
    assert ("told no usage" in asked.limits()) == bool(untold)
