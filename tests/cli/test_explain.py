"""`explain` says where every number and word of a claim comes from, and proves it on the stored texts."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

QUESTION = "How did the CO2 emissions change between 2014 and 2024, and why did fuel consumption fall in 2024?"


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deepresearch", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def asked(corpus: Path, environment: dict[str, str]) -> dict[str, Any]:
    done = run(environment, "query", QUESTION, "--sources", str(corpus), "--session", "s1", "--json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_claims_are_taken_apart(asked: dict[str, Any], environment: dict[str, str], home: Path) -> None:
    done = run(environment, "explain", "s1", "--json")
    assert done.returncode == 0, done.stderr
    explained = json.loads(done.stdout)["claims"]
    assert [one["claim"]["id"] for one in explained] == [claim["id"] for claim in asked["claims"]]
    for one in explained:
        claim = one["claim"]
        assert all(quote["holds"] for quote in one["quotes"])
        assert one["would_change"]
        if claim["run_id"] is None:
            assert one["explanation"]["check"]["support"] == claim["support"]
            assert one["explanation"]["check"]["score"] == pytest.approx(claim["check"]["score"])
            contributions = one["explanation"]["contributions"]
            assert len([value for value in contributions.values() if value]) > 3
    computed = next(one for one in explained if one["claim"]["run_id"])
    kinds = {number["written"]: number["kind"] for number in computed["numbers"]}
    assert kinds["2014"] == "label"
    assert kinds["31,483"] == "quote"
    assert "value" in kinds.values()
    assert "nowhere" not in kinds.values()

    shown = run(environment, "explain", "s1", "--claim", computed["claim"]["id"])
    assert shown.returncode == 0
    assert computed["claim"]["text"] in shown.stdout
    assert "was printed by the run as" in shown.stdout
    assert shown.stdout.count("confidence") == 1

    database = next(home.glob("*.sqlite*"))
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM dr_documents")
    gone = json.loads(run(environment, "explain", "s1", "--json").stdout)["claims"]
    assert not any(quote["holds"] for one in gone for quote in one["quotes"])
    assert all("no longer in the stored text" in one["would_change"][0] for one in gone)


def test_what_cannot_be_explained(asked: dict[str, Any], environment: dict[str, str]) -> None:
    unknown = run(environment, "explain", "s1", "--claim", "C99")
    assert unknown.returncode == 2
    assert "C99" in unknown.stderr
    assert f"C1 to {asked['claims'][-1]['id']}" in unknown.stderr
    nobody = run(environment, "explain", "nobody")
    assert nobody.returncode == 2
    assert "nobody" in nobody.stderr
