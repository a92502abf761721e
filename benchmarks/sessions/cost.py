"""What durability costs a session: the same steps with every record kept, and as a plain asyncio run.

    python -m benchmarks.sessions.cost [--sessions 100] [--database-url postgresql://…] [--out docs/benchmarks]

A session of ten steps, each giving back 2 kB of JSON and doing nothing else, goes through everything a real one goes
through: it is queued, claimed, every step is looked up, begun, stored with its event, and the session is given back.
Models, sandbox and reading are left out, so what remains is the orchestration's own time. Sessions run one after
another, then five side by side as in a worker.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from deepresearch.model.session import SessionOptions, SessionState
from deepresearch.session.budgets import Budget
from deepresearch.session.claims import Claims
from deepresearch.session.progress import Silent
from deepresearch.session.queue import SessionQueue
from deepresearch.session.runner import StageRunner
from deepresearch.settings import Settings

STEPS = 10
PAYLOAD = {"text": "x" * 2000}
OPTIONS = SessionOptions(question="What does it cost?", sources=("/nowhere",))


async def _step() -> tuple[Any, dict[str, Any]]:
    return PAYLOAD, {"done": 1}


async def plain(_session_id: str) -> None:
    """The steps alone."""
    for _ in range(STEPS):
        await _step()


def durable(queue: SessionQueue) -> Callable[[str], Awaitable[None]]:
    """The steps as a worker runs them."""
    claims, executor = Claims(queue.archive.store), queue.archive.lease.executor

    async def run(session_id: str) -> None:
        await asyncio.to_thread(queue.submit, OPTIONS, session_id=session_id)
        claimed = await asyncio.to_thread(claims.claim_next, executor)
        assert claimed is not None
        runner = StageRunner(queue.archive.store, claimed, Silent(), owner=executor, budget=Budget(OPTIONS))
        for number in range(STEPS):
            await runner.once(f"step:{number}", _step)
        await asyncio.to_thread(claims.release, claimed, executor, SessionState.COMPLETED)

    return run


async def measure(run: Callable[[str], Awaitable[None]], sessions: int, name: str) -> dict[str, float]:
    """Milliseconds a session, one at a time (median and p95) and five side by side (mean)."""
    alone = []
    for number in range(sessions):
        begun = time.perf_counter()
        await run(f"{name}-alone-{number}")
        alone.append((time.perf_counter() - begun) * 1000)
    gate = asyncio.Semaphore(5)

    async def gated(number: int) -> None:
        async with gate:
            await run(f"{name}-beside-{number}")

    begun = time.perf_counter()
    await asyncio.gather(*(gated(number) for number in range(sessions)))
    beside = (time.perf_counter() - begun) * 1000 / sessions
    return {
        "median_ms": round(statistics.median(alone), 3),
        "p95_ms": round(statistics.quantiles(alone, n=20)[-1], 3),
        "five_side_by_side_ms": round(beside, 3),
    }


def _table(figures: dict[str, dict[str, float]]) -> str:
    lines = [
        "# What keeping every record costs",
        "",
        f"A session of {STEPS} steps that do nothing but give back 2 kB, through queue, claim, step records, events and",
        "release, against the same steps as a plain asyncio run. Made by `python -m benchmarks.sessions.cost`, all in one run.",
        "",
        "| run | ms a session, median | p95 | mean of five side by side | ms a step |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, figure in figures.items():
        lines.append(
            f"| {name} | {figure['median_ms']:.2f} | {figure['p95_ms']:.2f} | {figure['five_side_by_side_ms']:.2f} | "
            f"{figure['median_ms'] / STEPS:.2f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--database-url", help="an empty Postgres to measure as well")
    parser.add_argument("--out", type=Path, help="write session-cost.md and session-cost.json into this folder")
    given = parser.parse_args()
    figures = {"plain asyncio": asyncio.run(measure(plain, given.sessions, "plain"))}
    stores = {"SQLite": None} | ({"Postgres on the same machine": given.database_url} if given.database_url else {})
    for name, url in stores.items():
        with tempfile.TemporaryDirectory(prefix="deepresearch-cost-") as home:
            queue = SessionQueue(
                Settings(home=Path(home), database_url=url, max_waiting_sessions=10**6, max_waiting_per_tenant=10**6)
            )
            figures[name] = asyncio.run(measure(durable(queue), given.sessions, name.split()[0].lower()))
            queue.close()
    sys.stdout.write(_table(figures))
    if given.out:
        (given.out / "session-cost.md").write_text(_table(figures))
        (given.out / "session-cost.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
