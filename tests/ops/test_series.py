"""Rules and dashboard only read series that the running service has, and every session's note is where it belongs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from tests.ops.programs import PROJECT, get_json, program
from tests.ops.series import names, read_page
from tests.ops.service import events, service

OPS = PROJECT / "ops"
DASHBOARD = OPS / "dashboards" / "deepresearch.json"
RULES = OPS / "rules" / "deepresearch.rules.yml"

#: Prometheus makes this one itself.
FROM_PROMETHEUS = {"up"}
QUESTION = "How did the CO2 emissions of Tervane Sound Ferries change between 2014 and 2024?"


def alerts() -> list[dict[str, Any]]:
    """All alerts of the rules."""
    return [rule for rule in _rules() if "alert" in rule]


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def dashboard_expressions() -> list[str]:
    """Every question of the dashboard to Prometheus, with Grafana's variables filled in."""
    found = []
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            if panel["datasource"]["type"] == "prometheus":
                found.append(target["expr"].replace("$__rate_interval", "1m").replace("$service", ".*"))
    return found


def series_in(expression: str) -> set[str]:
    """The names of all series that an expression reads."""
    return _selectors(promql_parser.parse(expression))


def _selectors(node: Any) -> set[str]:
    if isinstance(node, promql_parser.VectorSelector):
        return {str(node.name)}
    found: set[str] = set()
    for part in ("lhs", "rhs", "expr", "vector_selector", "args", "param"):
        value = getattr(node, part, None)
        for child in value if isinstance(value, list) else [value]:
            if child is not None and not isinstance(child, str | int | float):
                found |= _selectors(child)
    return found


def test_every_series_of_rules_and_dashboard_comes_from_the_running_service(
    tmp_path: Path, environment: dict[str, str], corpus: Path
) -> None:
    with service(environment, tmp_path / "api.log", settings={"api_source_roots": str(corpus)}) as api:
        api.run("fail")
        api.ask(QUESTION, [str(corpus)])
        there = names(read_page(api.metrics())) | FROM_PROMETHEUS
    recorded = {rule["record"] for rule in _rules() if "record" in rule}
    read = set().union(*(series_in(rule["expr"]) for rule in _rules()))
    assert len(read) > 8
    assert read - recorded <= there
    shown = set().union(*(series_in(expression) for expression in dashboard_expressions()))
    assert len(shown) > 12
    assert shown <= there


def test_a_session_whose_sandbox_failed_shows_its_note_everywhere(
    tmp_path: Path, environment: dict[str, str], corpus: Path
) -> None:
    # Without the sandbox's libraries every computation fails.
    environment = {**environment, "DEEPRESEARCH_HOME": str(tmp_path / "bare")}
    log = tmp_path / "api.log"
    with service(environment, log, settings={"api_source_roots": str(corpus)}) as api:
        session = api.ask(QUESTION, [str(corpus)])
        report = get_json(f"{api.base}/v1/sessions/{session}/report")
        page = read_page(api.metrics())
    note = report["math"]["degradation_note"]
    assert report["math"]["alert_required"] is True
    assert note in report["limits"]
    ended = [line for line in events(log, "session.ended") if line["session_id"] == session]
    assert [(line["math.alert_required"], line["math.degradation_note"]) for line in ended] == [(True, note)]
    assert ended[0]["level"] == "warning"
    runs = [line for line in events(log, "sandbox.run") if line["session_id"] == session]
    assert runs
    assert all(line["math.alert_required"] and line["math.degradation_note"] for line in runs)
    degraded = [value for (name, _), value in page.items() if name == "deepresearch_sessions_degraded_total"]
    assert degraded == [1.0]
    assert sum(value for (name, _), value in page.items() if name == "math_alerts_total") == len(runs)
    # The panel reads those lines by the fields they have, as a store of logs names them.
    panel = json.loads(DASHBOARD.read_text())["panels"][-1]["targets"][0]["expr"]
    for field in [*re.findall(r"\.([a-z_]+)\}\}", panel), "math_alert_required"]:
        assert field in {key.replace(".", "_") for line in ended for key in line}


def test_the_committed_dashboard_is_what_the_code_builds() -> None:
    built = subprocess.run(
        [sys.executable, str(OPS / "dashboards" / "build.py"), "--print"], capture_output=True, text=True, check=True
    )
    assert built.stdout == DASHBOARD.read_text()


def test_every_question_of_the_dashboard_is_one_that_prometheus_understands(tmp_path: Path) -> None:
    rules = [{"record": f"check:{number}", "expr": text} for number, text in enumerate(dashboard_expressions())]
    file = tmp_path / "dashboard.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = subprocess.run(
        [program("promtool"), "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_hold_in_promtool() -> None:
    promtool = program("promtool")
    for command in (
        ["check", "rules", "--lint=all", "--lint-fatal", str(RULES)],
        ["check", "config", str(OPS / "prometheus.yml")],
        ["test", "rules", str(RULES.with_name("deepresearch.test.yml"))],
    ):
        done = subprocess.run([promtool, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", [rule["alert"] for rule in alerts()])
def test_an_alert_fires_in_one_test_is_silent_in_another_and_has_its_runbook(alert: str) -> None:
    rule = next(rule for rule in alerts() if rule["alert"] == alert)
    tests = yaml.safe_load(RULES.with_name("deepresearch.test.yml").read_text())["tests"]
    expected = [
        bool(check["exp_alerts"]) for test in tests for check in test["alert_rule_test"] if check["alertname"] == alert
    ]
    assert set(expected) == {True, False}
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert {"summary", "description"} <= set(rule["annotations"])
    assert rule["annotations"]["runbook_url"] == f"ops/runbooks/{alert}.md"
    page = (OPS / "runbooks" / f"{alert}.md").read_text()
    assert re.findall(r"^#+ .*$", page, re.MULTILINE) == [
        f"# {alert}", "## Meaning", "## Impact", "## Diagnosis", "## Mitigation",
    ]  # fmt: skip
    for linked in re.findall(r"\]\((\w+\.md)\)", page):
        assert (OPS / "runbooks" / linked).exists()


def test_no_runbook_without_its_alert() -> None:
    pages = {page.stem for page in (OPS / "runbooks").glob("*.md")}
    assert pages == {rule["alert"] for rule in alerts()}
