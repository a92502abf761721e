"""Without a sandbox a session ends all the same, and everybody is told what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

QUESTION = "How did the CO2 emissions change between 2014 and 2024, and why did fuel consumption fall in 2024?"


def test_no_sandbox_libraries(tmp_path: Path, corpus: Path, environment: dict[str, str]) -> None:
    environment = {**environment, "DEEPRESEARCH_HOME": str(tmp_path / "bare")}
    asked = subprocess.run(
        [sys.executable, "-m", "deepresearch", "query", QUESTION, "--sources", str(corpus), "--out",
         str(tmp_path / "out"), "--json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    report = json.loads(asked.stdout)
    assert report["status"] == "completed"
    assert report["math"]["status"] == "failure"
    assert report["math"]["alert_required"] is True
    note = report["math"]["degradation_note"]
    assert "CO2 emissions" in note
    assert "deepresearch sandbox build" in note
    assert note in report["limits"]
    assert note in asked.stderr
    assert report["figures"] == []
    assert any("MV Osmer sailed as a hybrid" in claim["text"] for claim in report["claims"])
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "deepresearch sandbox build" in page
