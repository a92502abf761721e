"""Builds the Grafana dashboard: writes deepresearch.json beside this file, or prints it.

    python ops/dashboards/build.py            writes
    python ops/dashboards/build.py --print    prints, for the test that both agree

Every panel says in its description what a person should do about it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, logs, loki, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, VariableRefresh

METRICS = DataSourceRef(type_val="prometheus", uid="prometheus")
EVENTS = DataSourceRef(type_val="loki", uid="loki")
SERVICE = 'service_name=~"$service"'
#: Grafana's width is 24; panels stand three in a row.
WIDTH, HEIGHT = 8, 8


def query(expression: str, legend: str) -> prometheus.Dataquery:
    """A question to Prometheus with the label of its lines."""
    return prometheus.Dataquery().expr(expression).legend_format(legend)


def graph(title: str, description: str, unit: str, *queries: prometheus.Dataquery) -> timeseries.Panel:
    """A panel with lines over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .unit(unit)
        .min(0)
        .span(WIDTH)
        .height(HEIGHT)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    for asked in queries:
        panel = panel.with_target(asked)
    return panel


def number(title: str, description: str, unit: str, expression: str) -> stat.Panel:
    """A panel with one number."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .unit(unit)
        .span(4)
        .height(4)
        .with_target(query(expression, "").instant())
    )


def events(title: str, description: str, expression: str) -> logs.Panel:
    """A panel with log lines."""
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .datasource(EVENTS)
        .span(24)
        .height(10)
        .show_time(True)
        .enable_log_details(True)
        .with_target(loki.Dataquery().expr(expression))
    )


def quantile(share: float, series: str, by: str = "service_name") -> str:
    """A quantile over the rate of a histogram."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({series}_bucket{{{SERVICE}}}[$__rate_interval])))"


def rate(series: str, by: str, more: str = "") -> str:
    """A rate summed up by labels."""
    return f"sum by ({by}) (rate({series}{{{SERVICE}{more}}}[$__rate_interval]))"


def built() -> dashboard.Dashboard:
    """The whole dashboard."""
    return (
        dashboard.Dashboard("DeepResearch")
        .uid("deepresearch")
        .description("Sessions, sandbox, models and retrieval of DeepResearch. Made by ops/dashboards/build.py.")
        .tags(["deepresearch"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .with_variable(
            dashboard.QueryVariable("service")
            .label("Service")
            .datasource(METRICS)
            .query("label_values(telemetry_sandbox_failure_streak, service_name)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
        )
        .with_row(dashboard.Row("Now"))
        .with_panel(
            number(
                "Failures in a row",
                "The worst process. From 3 on somebody is warned, from 5 on paged: ops/runbooks/SandboxFailureStreakWarning.md.",
                "short",
                f"max(telemetry_sandbox_failure_streak{{{SERVICE}}})",
            )
        )
        .with_panel(
            number(
                "Sessions running",
                "In all processes.",
                "short",
                f"sum(deepresearch_sessions_running{{{SERVICE}}})",
            )
        )
        .with_panel(
            number(
                "Degraded sessions, 24 h",
                "Ended without a number or figure they asked for; the last panel says which and why.",
                "short",
                f"sum(increase(deepresearch_sessions_degraded_total{{{SERVICE}}}[24h]))",
            )
        )
        .with_panel(
            number(
                "Failed sessions, 24 h",
                "Without a report. ops/runbooks/SessionsFailing.md.",
                "short",
                f'sum(increase(deepresearch_sessions_ended_total{{{SERVICE},state="failed"}}[24h]))',
            )
        )
        .with_panel(
            number(
                "Claims supported, 24 h",
                "Share of claims in finished reports whose cited words support them fully.",
                "percentunit",
                f'sum(increase(deepresearch_claims_total{{{SERVICE},support="supported"}}[24h]))'
                f" / (sum(increase(deepresearch_claims_total{{{SERVICE}}}[24h])) > 0)",
            )
        )
        .with_panel(
            number(
                "Cost, 24 h",
                "Of calls to language models whose price is known.",
                "currencyUSD",
                f"sum(increase(deepresearch_model_cost_usd_total{{{SERVICE}}}[24h]))",
            )
        )
        .with_row(dashboard.Row("Sandbox"))
        .with_panel(
            graph(
                "Failure streak by process",
                "A success ends a streak. Two processes below 3 can hide one problem: the alert SandboxNoSuccess sees it.",
                "short",
                query(f"telemetry_sandbox_failure_streak{{{SERVICE}}}", "{{service_instance_id}}"),
            )
        )
        .with_panel(
            graph(
                "Sandbox runs by status",
                "Runs a second. ops/runbooks/SandboxFailureRatioHigh.md.",
                "ops",
                query(rate("telemetry_sandbox_runs_total", "status"), "{{status}}"),
            )
        )
        .with_panel(
            graph(
                "Runs without their result, by reason",
                "Runs that set math.alert_required. unavailable: the engine or image; timeout, out_of_memory: a limit.",
                "ops",
                query(rate("math_alerts_total", "reason"), "{{reason}}"),
            )
        )
        .with_panel(
            graph(
                "Duration of a run",
                "Scripts are stopped at 30 s unless a request says otherwise. ops/runbooks/SandboxLatencyHigh.md.",
                "s",
                query(quantile(0.5, "telemetry_sandbox_duration_seconds"), "median {{service_name}}"),
                query(quantile(0.95, "telemetry_sandbox_duration_seconds"), "95 % {{service_name}}"),
            )
        )
        .with_panel(
            graph(
                "Workers and queue",
                "Ready workers start a script at once; waiting requests mean more scripts than workers.",
                "short",
                query(f"sum by (state) (telemetry_sandbox_pool_workers{{{SERVICE}}})", "{{state}}"),
                query(f"sum(telemetry_sandbox_pool_waiting{{{SERVICE}}})", "requests waiting"),
            )
        )
        .with_panel(
            graph(
                "Outputs of the sandbox",
                "Files a second that scripts handed out.",
                "ops",
                query(rate("telemetry_sandbox_outputs_total", "service_name"), "{{service_name}}"),
            )
        )
        .with_row(dashboard.Row("Sessions"))
        .with_panel(
            graph(
                "Sessions begun and ended",
                "A second, by the state they ended in.",
                "ops",
                query(rate("deepresearch_sessions_started_total", "service_name"), "begun on {{service_name}}"),
                query(rate("deepresearch_sessions_ended_total", "state"), "{{state}}"),
            )
        )
        .with_panel(
            graph(
                "Running and waiting",
                "Sessions at work, and the queue as workers see it. ops/runbooks/SessionQueueLong.md.",
                "short",
                query(
                    f"sum by (service_name) (deepresearch_sessions_running{{{SERVICE}}})", "running on {{service_name}}"
                ),
                query(f"max(deepresearch_sessions_queued{{{SERVICE}}})", "waiting"),
            )
        )
        .with_panel(
            graph(
                "Duration of a session",
                "From its begin or resumption in a process to its end there.",
                "s",
                query(quantile(0.5, "deepresearch_session_duration_seconds"), "median {{service_name}}"),
                query(quantile(0.95, "deepresearch_session_duration_seconds"), "95 % {{service_name}}"),
            )
        )
        .with_panel(
            graph(
                "Duration of a step, 95 %",
                "Which step takes the time.",
                "s",
                query(quantile(0.95, "deepresearch_session_step_duration_seconds", "step"), "{{step}}"),
            )
        )
        .with_panel(
            graph(
                "Steps that failed",
                "A second, by step.",
                "ops",
                query(rate("deepresearch_session_steps_total", "step", ',outcome="failure"'), "{{step}}"),
            )
        )
        .with_panel(
            graph(
                "Claims by support",
                "Claims a second in finished reports. A rising share of undecided: look at the sources.",
                "ops",
                query(rate("deepresearch_claims_total", "support"), "{{support}}"),
            )
        )
        .with_panel(
            graph(
                "Searches",
                "Searches a second and how long one in twenty takes at least.",
                "short",
                query(rate("deepresearch_retrieval_searches_total", "kind, outcome"), "{{kind}} {{outcome}}"),
                query(quantile(0.95, "deepresearch_retrieval_duration_seconds", "kind"), "95 % seconds {{kind}}"),
            )
        )
        .with_row(dashboard.Row("Language models"))
        .with_panel(
            graph(
                "Calls by outcome",
                "ops/runbooks/ModelCallsFailing.md.",
                "ops",
                query(
                    rate("deepresearch_model_calls_total", "gen_ai_provider_name, gen_ai_request_model, outcome"),
                    "{{gen_ai_provider_name}} {{gen_ai_request_model}} {{outcome}}",
                ),
            )
        )
        .with_panel(
            graph(
                "Tokens",
                "A second, sent and received.",
                "ops",
                query(
                    rate("deepresearch_model_tokens_total", "gen_ai_request_model, gen_ai_token_type"),
                    "{{gen_ai_request_model}} {{gen_ai_token_type}}",
                ),
            )
        )
        .with_panel(
            graph(
                "Cost an hour",
                "In US dollars, where the price is known.",
                "currencyUSD",
                query(
                    f"3600 * {rate('deepresearch_model_cost_usd_total', 'gen_ai_request_model')}",
                    "{{gen_ai_request_model}}",
                ),
            )
        )
        .with_row(dashboard.Row("Degraded sessions"))
        .with_panel(
            events(
                "Degraded sessions: what is missing and why",
                "Lines that set math.alert_required, with the session and math.degradation_note: a metric cannot carry text.",
                '{service_name=~"deepresearch.*"} | event_name=~"session.ended|sandbox.run" '
                '| math_alert_required="true" '
                '| line_format "{{.event_name}} session={{.session_id}} {{.math_degradation_note}}"',
            )
        )
    )


def as_json() -> str:
    """The dashboard as it is committed."""
    return JSONEncoder(sort_keys=True, indent=2).encode(built().build()) + "\n"


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(as_json())
    else:
        Path(__file__).with_name("deepresearch.json").write_text(as_json(), encoding="utf-8")
