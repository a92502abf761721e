"""A few random kill points; `python -m benchmarks.sessions.kill_points 1000` makes many."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.conftest import PROJECT
from tests.postgres_server import PostgresServer


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_random_kills_lose_nothing_and_pay_nothing_twice(store: str, request: pytest.FixtureRequest) -> None:
    arguments = ["--seed", "3"]
    if store == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        arguments += ["--database-url", server.new_database()]
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.sessions.kill_points", "12", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr + made.stdout
    tally = json.loads(made.stdout)
    assert tally["kill_points"] >= 12
    assert tally["store"] == store
    assert tally["sandbox_runs"] > 0
