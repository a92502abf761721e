"""Nothing is paid for twice: killed in the middle of a call, after an outage, with a second model; and hard caps."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.team.model.asking import ask, corpus_at, looked_up, settings_for
from tests.team.model.report_checker import faults

from deepresearch.model.errors import DeepResearchError
from deepresearch.session.archive import Archive
from deepresearch.session.model_calls import ModelCalls
from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings
from deepresearch.testing import Answer, ModelServer, Rule, Scenario, When

QUESTION = "How many ships did the harbour of Brackwater handle in 2023, and who is the harbour master?"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus_at(tmp_path_factory.mktemp("harbour"))


def _command(environment: dict[str, str], url: str, *arguments: str) -> list[str]:
    environment.update(DEEPRESEARCH_MODEL_BASE_URL=url, DEEPRESEARCH_MODEL_BACKOFF_SECONDS="0.01")
    return [sys.executable, "-m", "deepresearch", *arguments]


@pytest.mark.parametrize("task", ["plan", "read", "gaps", "write"])
def test_killed_in_the_middle_of_a_call_it_pays_for_nothing_twice(
    task: str, environment: dict[str, str], home: Path, documents: Path
) -> None:
    slow = Rule(when=When(task=task), then=(Answer(delay=60),))
    with ModelServer(Scenario(rules=(slow,))) as server:
        asked = ["query", QUESTION, "--sources", str(documents), "--team", "openai:scripted", "--session", "killed"]
        process = subprocess.Popen(_command(environment, server.url, *asked), env=environment)
        while process.poll() is None and server.waiting == 0:
            time.sleep(0.02)
        while process.poll() is None and not _settled(home, server):
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with closing(Archive(Settings(home=home))) as archive:
            before = ModelCalls(archive.store, "killed").calls()
        paid = [call for call in before if call.status == "answered"]
        cut = [call for call in before if call.status == "sent"]
        assert len(cut) == 1 and cut[0].step.startswith({"gaps": "read"}.get(task, task))
        at_kill = len(server.log)
        resumed = subprocess.run(
            _command(environment, server.url, "sessions", "resume", "killed", "--json"),
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        asked_again = [served.request["messages"] for served in server.log[at_kill:]]
        settings = settings_for(home, server.url)
        whole = looked_up(settings, "killed", server)
    answered_before = [served.request["messages"] for served in server.log[:at_kill]]
    assert not [messages for messages in asked_again if messages in answered_before]
    assert len(paid) == len(answered_before)
    report = json.loads(resumed.stdout)
    assert faults(whole.report, whole.texts) == []
    assert (report["usage"]["input_tokens"], report["usage"]["output_tokens"]) == whole.reported
    assert "1 call of a language model told no usage" in whole.limits()
    undisturbed = ask(home, documents, QUESTION)
    assert whole.claims() == undisturbed.claims()
    assert len(whole.calls) == len(undisturbed.calls) + 1


def _settled(home: Path, server: ModelServer) -> bool:
    """Whether every call but the one that hangs is written down: what runs beside it has come to its end."""
    with closing(Archive(Settings(home=home))) as archive:
        calls = ModelCalls(archive.store, "killed").calls()
    return sum(call.status == "sent" for call in calls) == server.waiting == 1


def test_an_outage_stops_it_and_resuming_goes_on(home: Path, documents: Path) -> None:
    down = Rule(when=When(task="write"), then=(Answer(status=503),) * 4)
    with ModelServer(Scenario(rules=(down,))) as server:
        settings = settings_for(home, server.url, model_attempts=2, model_outage="stop")

        async def first() -> None:
            async with DeepResearch(settings) as research:
                await research.query(QUESTION, sources=[documents], team="openai:scripted", session_id="outage")

        with pytest.raises(DeepResearchError, match=r"No language model answered.*sessions resume"):
            asyncio.run(first())
        paid = [json.dumps(served.request) for served in server.log if served.outcome == "answered"]

        async def second() -> None:
            async with DeepResearch(settings) as research:
                await research.resume("outage")

        asyncio.run(second())
        asked = looked_up(settings, "outage", server)
    answered = [json.dumps(served.request) for served in server.log if served.outcome == "answered"]
    assert len(answered) == len(set(answered)) > len(paid)
    assert answered[: len(paid)] == paid
    assert faults(asked.report, asked.texts) == []
    assert (asked.report["usage"]["input_tokens"], asked.report["usage"]["output_tokens"]) == asked.reported


def test_an_outage_is_taken_over_and_told(home: Path, documents: Path) -> None:
    asked = ask(
        home,
        documents,
        QUESTION,
        Scenario(rules=(Rule(when=When(task="write"), then=(Answer(status=503),), forever=True),)),
        model_attempts=2,
    )
    assert "No language model answered (openai:scripted gave no answer 2 times" in asked.limits()
    assert faults(asked.report, asked.texts) == []
    assert "1,284 ships" in asked.report["answer"]


def test_the_second_model_takes_over(home: Path, documents: Path) -> None:
    scenario = Scenario(rules=(Rule(when=When(model="scripted"), then=(Answer(status=500),), forever=True),))
    asked = ask(home, documents, QUESTION, scenario, model_second="openai:spare", model_attempts=2)
    answered = {call.model for call in asked.calls if call.status == "answered"}
    assert answered == {"openai:spare"}
    assert faults(asked.report, asked.texts) == []
    assert "No language model answered" not in asked.limits()


def test_roles_have_models_of_their_own(home: Path, documents: Path) -> None:
    asked = ask(home, documents, QUESTION, model_roles="writer=openai:strong, reader=compatible:cheap")
    by_role = {call.role: call.model for call in asked.calls}
    assert by_role["planner"] == "openai:scripted"
    assert by_role["writer"] == "openai:strong"
    assert by_role["reader"] == "compatible:cheap"
    assert {served.model for served in asked.log if served.task == "read"} == {"cheap"}


def test_retry_after_is_obeyed(home: Path, documents: Path) -> None:
    wait = Rule(when=When(task="plan"), then=(Answer(status=429, headers={"Retry-After": "2"}),))
    asked = ask(home, documents, QUESTION, Scenario(rules=(wait,)))
    plans = [call for call in asked.calls if call.step == "plan"]
    assert [call.status for call in plans] == ["failed", "answered"]
    assert plans[0].ended_at is not None
    assert _seconds(plans[1].begun_at) - _seconds(plans[0].ended_at) >= 2
    assert asked.limits().count("language model") == asked.limits().count("told no usage") + asked.limits().count(
        "price"
    )


def _seconds(at: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(at).timestamp()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"budget_calls": 3}, "The budget of 3 model calls is used up"),
        ({"budget_calls": 0}, "The budget of 0 model calls is used up"),
        ({"budget_tokens": 4000}, "The budget of 4,000 tokens is used up"),
        ({"budget_cost_usd": 0.02}, "The budget of $0.02 is used up"),
    ],
    ids=["calls", "no calls", "tokens", "cost"],
)
def test_a_cap_ends_in_a_report_that_says_so(
    options: dict[str, float], told: str, home: Path, documents: Path, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"models": {"openai:scripted": {"input": 10, "output": 20}}}), encoding="utf-8")
    asked = ask(home, documents, QUESTION, options=options, model_prices=prices)
    assert told in asked.limits()
    assert faults(asked.report, asked.texts) == []
    assert "1,284 ships" in asked.report["answer"]
    usage = asked.report["usage"]
    used = usage["input_tokens"] + usage["output_tokens"]
    assert len(asked.calls) <= options.get("budget_calls", 999)
    assert used <= options.get("budget_tokens", 10**9)
    assert usage["cost_usd"] <= options.get("budget_cost_usd", 999)
    assert usage["cost_usd"] == pytest.approx((usage["input_tokens"] * 10 + usage["output_tokens"] * 20) / 1e6)


def test_a_cost_cap_without_a_price_asks_nothing(home: Path, documents: Path) -> None:
    asked = ask(home, documents, QUESTION, options={"budget_cost_usd": 1.0})
    assert asked.log == []
    assert "the price of the model is unknown" in asked.limits()
    assert faults(asked.report, asked.texts) == []


def test_an_unknown_price_is_said_to_be_unknown(home: Path, documents: Path) -> None:
    asked = ask(home, documents, QUESTION)
    assert asked.report["usage"]["cost_usd"] is None
    assert "price of a language model that was asked is unknown" in asked.limits()


def test_the_same_question_with_and_without_a_model_gives_two_valid_reports(home: Path, corpus: Path) -> None:
    question = "How did the CO2 emissions change between 2014 and 2024, and why did fuel consumption fall in 2024?"
    for team in ("openai:scripted", "extractive"):
        asked = ask(home, corpus, question, team=team)
        assert faults(asked.report, asked.texts) == []
        assert asked.report["team"] == team
        assert bool(asked.log) == (team != "extractive")
