"""What telemetry adds to a sandbox run: the run's own records, timed beside runs of the sandbox in the same process.

python -m benchmarks.telemetry.overhead            prints, and writes docs/benchmarks/telemetry.{json,md}
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deepresearch.sandbox import Sandbox, SandboxRequest, SandboxResult
from deepresearch.sandbox.core import record
from deepresearch.settings import Settings
from deepresearch.telemetry import configure_logging, init_meter_provider, shutdown_meter_provider
from deepresearch.telemetry.sandbox import sandbox_span
from deepresearch.telemetry.traces import init_tracer_provider, shutdown_tracer_provider

RESULTS = Path(__file__).parents[2] / "docs" / "benchmarks" / "telemetry"
RUNS = 20
RECORDS = 3000

#: Nobody listens there: what an export costs when it fails all the time.
DEAD = "http://127.0.0.1:9"


async def sandbox_runs() -> tuple[list[float], SandboxResult, SandboxRequest]:
    """Seconds of whole runs of a script that fails, and the last result."""
    request = SandboxRequest(script="raise SystemExit(1)", session_id="20261128-120000-1f2e3d4c")
    times = []
    async with Sandbox.open(Settings(), recorder=lambda _result, _request: None) as sandbox:
        for _ in range(RUNS + 2):
            begun = time.perf_counter()
            result = await sandbox.run(request)
            times.append(time.perf_counter() - begun)
    return times[2:], result, request


def timed(work: Callable[[], object], count: int = RECORDS) -> list[float]:
    """Seconds of processor time of the calling thread for each of `count` calls: other programs do not count."""
    times = []
    for _ in range(count):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return times


def summary(seconds: list[float]) -> dict[str, float]:
    """Median and the value that 99 of 100 stay below, in microseconds."""
    ordered = sorted(seconds)
    return {
        "median_us": round(statistics.median(ordered) * 1e6, 1),
        "p99_us": round(ordered[int(len(ordered) * 0.99) - 1] * 1e6, 1),
    }


def measure() -> dict[str, object]:
    """All figures of one process."""
    runs, result, request = asyncio.run(sandbox_runs())
    found: dict[str, dict[str, float]] = {"a sandbox run without telemetry": summary(runs)}

    def recorded() -> None:
        record(result, request)

    def with_span() -> None:
        with sandbox_span(result.run_id, request.session_id):
            record(result, request)

    found["record, nothing configured"] = summary(timed(with_span))
    # The exporters' threads say something at the end; nobody has to read it.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        configure_logging(stream=nowhere, log_dir=Path(folder))
        found["record, log lines to a stream and a file"] = summary(timed(recorded))
        init_meter_provider("benchmark", DEAD, period_s=0.5)
        found["and metrics pushed every 0.5 s to a dead endpoint"] = summary(timed(recorded))
        init_tracer_provider("benchmark", DEAD)
        found["and a span, everything on"] = summary(timed(with_span))
        shutdown_tracer_provider(0.2)
        shutdown_meter_provider(0.2)
        configure_logging(to_stream=False)
    everything = found["and a span, everything on"]["median_us"]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "runs": RUNS,
        "records": RECORDS,
        "figures": found,
        "share_of_a_run_percent": round(100 * everything / found["a sandbox run without telemetry"]["median_us"], 3),
    }


def page(measured: dict[str, object]) -> str:
    """The page of the figures."""
    figures = measured["figures"]
    assert isinstance(figures, dict)
    rows = "\n".join(
        f"| {what} | {values['median_us']:,.0f} µs | {values['p99_us']:,.0f} µs |" for what, values in figures.items()
    )
    return f"""# What telemetry costs

One sandbox run is recorded as one log line, five metrics and one span. Measured by
`python -m benchmarks.telemetry.overhead` in one process: {measured["runs"]} warm runs of a script that fails at once, then
{measured["records"]:,} records of its result ({measured["machine"]}). Runs are in wall-clock time, records in processor time of the
thread that waits for them, since other programs ran beside.

| what | median | 99 of 100 below |
|---|---|---|
{rows}

With everything on, an endpoint that nobody listens at included, recording takes {measured["share_of_a_run_percent"]} % of the median
run. Exports are sent from threads of their own: no run waits for one.
"""


def main() -> None:
    """Measure, print and write."""
    measured = measure()
    RESULTS.with_suffix(".json").write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(page(measured), encoding="utf-8")
    sys.stdout.write(page(measured))


if __name__ == "__main__":
    main()
