"""Without a model the same question of the same documents has the same report, whatever seeds the process has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

QUESTION = "How did the CO2 emissions change between 2014 and 2024, and which vessels belong to the fleet?"


def test_hash_seeds_change_nothing(corpus: Path, environment: dict[str, str]) -> None:
    reports: list[dict[str, Any]] = []
    for seed in ("1", "2", "3"):
        asked = subprocess.run(
            [sys.executable, "-m", "deepresearch", "query", QUESTION, "--sources", str(corpus), "--json"],
            env={**environment, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        report = json.loads(asked.stdout)
        text = json.dumps([report["answer"], report["claims"], report["conflicts"], report["limits"]])
        reports.append(json.loads(text.replace(report["session_id"], "SESSION")))
    assert reports[0] == reports[1] == reports[2]
