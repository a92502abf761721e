"""Somebody is paged when the sandbox fails: from the script through Prometheus and Alertmanager to the webhook."""

from __future__ import annotations

from pathlib import Path

from tests.ops.programs import (
    Webhook,
    alertmanager,
    free_port,
    program,
    prometheus,
    query,
    quick_rules,
    running,
    wait_for,
    webhook,
)
from tests.ops.service import service

__all__ = ["webhook"]

WARNING, CRITICAL, NO_SUCCESS = "SandboxFailureStreakWarning", "SandboxFailureStreakCritical", "SandboxNoSuccess"


def test_failing_scripts_warn_then_page_and_a_success_resolves(
    tmp_path: Path, environment: dict[str, str], webhook: Webhook
) -> None:
    with (
        alertmanager(tmp_path, webhook) as alerts,
        service(environment, tmp_path / "api.log") as api,
        prometheus(tmp_path, [api.target], alerts) as address,
    ):
        wait_for("the first scrape", lambda: query(address, "telemetry_sandbox_failure_streak"))
        assert [api.run("fail")["failure_streak"] for _ in range(4)] == [1, 2, 3, 4]
        warning = wait_for("the warning", lambda: webhook.find(WARNING, path="/team"))
        assert warning["labels"]["severity"] == "warning"
        assert "runs failed in a row" in warning["annotations"]["summary"]
        instance = query(address, "telemetry_sandbox_failure_streak")[0]["metric"]["service_instance_id"]
        assert instance in warning["annotations"]["description"]
        assert webhook.find(CRITICAL) is None

        assert api.run("fail")["failure_streak"] == 5
        critical = wait_for("the page", lambda: webhook.find(CRITICAL, path="/pager"))
        assert critical["labels"] == {
            "alertname": CRITICAL, "severity": "critical", "team": "deepresearch", "component": "sandbox",
            "service_name": "deepresearch-api",
        }  # fmt: skip
        assert critical["annotations"]["runbook_url"] == f"ops/runbooks/{CRITICAL}.md"

        assert api.run("ok")["failure_streak"] == 0
        wait_for("the page's end", lambda: webhook.find(CRITICAL, "resolved", "/pager"))
        wait_for("the warning's end", lambda: webhook.find(WARNING, "resolved", "/team"))


def test_two_api_processes_share_an_alert_that_names_both(
    tmp_path: Path, environment: dict[str, str], webhook: Webhook
) -> None:
    with (
        alertmanager(tmp_path, webhook) as alerts,
        service(environment, tmp_path / "one.log") as one,
        service(environment, tmp_path / "two.log") as two,
        prometheus(tmp_path, [one.target, two.target], alerts) as address,
    ):
        wait_for("both scrapes", lambda: len(query(address, "telemetry_sandbox_failure_streak")) == 2)
        # Two failures each: no process alone reaches three in a row.
        for api in (one, two, one, two):
            assert api.run("fail")["failure_streak"] <= 2
        alert = wait_for("the alert", lambda: webhook.find(NO_SUCCESS))
        instances = [
            found["metric"]["service_instance_id"] for found in query(address, "telemetry_sandbox_failure_streak")
        ]
        assert len(set(instances)) == 2
        told = wait_for(
            "both instances in the alert",
            lambda: next(
                (
                    found["annotations"]["description"]
                    for _, found in webhook.alerts
                    if found["labels"]["alertname"] == NO_SUCCESS
                    and all(instance in found["annotations"]["description"] for instance in instances)
                ),
                None,
            ),
        )
        assert told
        assert alert["labels"]["service_name"] == "deepresearch-api"
        assert webhook.find(WARNING) is None


def test_the_same_through_a_push_into_a_real_receiver(
    tmp_path: Path, environment: dict[str, str], webhook: Webhook
) -> None:
    """OTLP into VictoriaMetrics, the same rules in vmalert, the same Alertmanager."""
    receiver, rules_at = free_port(), free_port()
    store = [
        program("victoria-metrics"),
        f"-httpListenAddr=127.0.0.1:{receiver}",
        f"-storageDataPath={tmp_path / 'victoria'}",
        "-opentelemetry.usePrometheusNaming",
        "-search.latencyOffset=0s",
    ]
    address = f"http://127.0.0.1:{receiver}"
    with (
        alertmanager(tmp_path, webhook) as alerts,
        running(store, tmp_path / "victoria.log"),
    ):
        wait_for("VictoriaMetrics", lambda: query(address, "1"))
        rules = [
            program("vmalert"),
            f"-rule={quick_rules(tmp_path)}",
            f"-datasource.url={address}",
            f"-remoteWrite.url={address}",
            f"-notifier.url={alerts}",
            f"-httpListenAddr=127.0.0.1:{rules_at}",
            "-evaluationInterval=1s",
            "-rule.evalDelay=0s",
            "-remoteWrite.flushInterval=200ms",
        ]
        settings = {
            "otel_metrics_endpoint": f"{address}/opentelemetry/v1/metrics",
            "otel_period_seconds": "1",
        }
        with (
            running(rules, tmp_path / "vmalert.log"),
            service(environment, tmp_path / "api.log", settings=settings) as api,
        ):
            assert [api.run("fail")["failure_streak"] for _ in range(4)] == [1, 2, 3, 4]
            warning = wait_for("the warning", lambda: webhook.find(WARNING, path="/team"))
            assert warning["labels"]["service_name"] == "deepresearch-api"
            assert webhook.find(CRITICAL) is None
            api.run("fail")
            wait_for("the page", lambda: webhook.find(CRITICAL, path="/pager"))
            api.run("ok")
            wait_for("the page's end", lambda: webhook.find(CRITICAL, "resolved", "/pager"))
        # The service has ended: what it pushed last was flushed by its shutdown.
        runs = query(address, "max by (status) (max_over_time(telemetry_sandbox_runs_total[1h]))")
        assert {found["metric"]["status"]: float(found["value"][1]) for found in runs} == {
            "success": 1.0, "failure": 5.0, "timeout": 0.0,
        }  # fmt: skip
