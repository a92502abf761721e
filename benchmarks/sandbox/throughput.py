"""Runs a second and latency at 1, 2, 8 and 32 callers; memory of a waiting worker; time to refill the pool.

python -m benchmarks.sandbox.throughput [--home FOLDER] [--backend bubblewrap] --out docs/benchmarks
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.sandbox.scripts import PLOT, TRIVIAL
from deepresearch.sandbox import PoolOptions, ProfileName, Sandbox, SandboxRequest, Status
from deepresearch.settings import Settings

CALLERS = (1, 2, 8, 32)


async def load(settings: Settings, backend: str, callers: int, script: str, runs: int, warm: int) -> dict[str, Any]:
    """Let `callers` share `runs` runs; each starts its next when its last is done."""
    options = PoolOptions(warm={ProfileName.PLAIN: warm}, concurrency=max(2, os.cpu_count() or 2))
    taken: list[float] = []
    places: list[int] = []
    left = iter(range(runs))
    async with Sandbox.open(settings, backend=backend, pool=options, recorder=lambda *_: None) as sandbox:

        async def caller() -> None:
            for _ in left:
                begin = time.perf_counter()
                result = await sandbox.run(SandboxRequest(script=script, timeout=120), on_queue=places.append)
                taken.append(time.perf_counter() - begin)
                if result.status is not Status.SUCCESS:
                    raise RuntimeError(f"{result.reason}: {result.message}")

        if sandbox.pool is not None:
            await sandbox.pool.wait_warm()
        begin = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        total = time.perf_counter() - begin
    ordered = sorted(taken)
    return {
        "callers": callers,
        "runs": runs,
        "per_second": runs / total,
        "median_ms": statistics.median(ordered) * 1000,
        "p90_ms": ordered[round(0.9 * (len(ordered) - 1))] * 1000,
        "longest_queue": max(places, default=0),
    }


async def refill(settings: Settings, backend: str, rounds: int = 10) -> dict[str, float]:
    """Median seconds until a used worker is replaced, and the memory a waiting one holds."""
    options = PoolOptions(warm={ProfileName.PLAIN: 1})
    seconds, memory = [], []
    async with Sandbox.open(settings, backend=backend, pool=options, recorder=lambda *_: None) as sandbox:
        pool = sandbox.pool
        if pool is None:
            raise RuntimeError("no back end")
        await pool.wait_warm()
        for _ in range(rounds):
            result = await sandbox.run(SandboxRequest(script=TRIVIAL))
            memory.append(result.usage.peak_memory_bytes or 0)
            begin = time.perf_counter()
            await pool.wait_warm()
            seconds.append(time.perf_counter() - begin)
    return {"refill_seconds": statistics.median(seconds), "worker_megabytes": statistics.median(memory) / 1e6}


async def measure(settings: Settings, backend: str) -> dict[str, Any]:
    """Everything, for one back end."""
    rows = []
    for callers in CALLERS:
        for name, script, warm in (("print(1)", TRIVIAL, 0), ("plot", PLOT, 0), ("plot", PLOT, 2)):
            row = await load(settings, backend, callers, script, max(16, callers * 2), warm)
            rows.append({"script": name, "warm": warm} | row)
            print(rows[-1], flush=True)
    return {"backend": backend, "load": rows, **await refill(settings, backend)}


def table_of(found: dict[str, Any]) -> str:
    """The measurements as a Markdown table."""
    lines = [
        f"Back end {found['backend']}: a used worker is replaced in {found['refill_seconds']:.2f} s and a waiting one "
        f"holds {found['worker_megabytes']:.0f} MB.",
        "",
        "| script | workers kept warm | callers | runs/s | median ms | 90 % ms | longest queue |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found["load"]:
        lines.append(
            f"| {row['script']} | {row['warm']} | {row['callers']} | {row['per_second']:.1f} | {row['median_ms']:.0f} "
            f"| {row['p90_ms']:.0f} | {row['longest_queue']} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write `sandbox-throughput-BACKEND.json` and `.md`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    parser.add_argument("--backend", default="bubblewrap")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = Settings(home=options.home) if options.home else Settings()
    found = asyncio.run(measure(settings, options.backend))
    options.out.mkdir(parents=True, exist_ok=True)
    name = f"sandbox-throughput-{options.backend}"
    (options.out / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (options.out / f"{name}.md").write_text(table_of(found))
    print(table_of(found))


if __name__ == "__main__":
    main()
