"""How long one run takes, in ratios to a plain `python plot.py`, all ways interleaved in one session.

python -m benchmarks.sandbox.latency [--rounds 20] [--home FOLDER] [--llm-sandbox PYTHON] --out docs/benchmarks
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.sandbox import ways
from benchmarks.sandbox.scripts import DIAGRAM, PLOT, TRIVIAL
from deepresearch.sandbox import ProfileName
from deepresearch.settings import Settings

#: The slow ways are measured less often: every round of that library's session waits for a polite stop.
SLOW = "llm-sandbox, a session a run"


async def measure(settings: Settings, rounds: int, docker: bool, other: str | None) -> dict[str, list[float]]:
    """Seconds of every way in every round."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        table: dict[str, tuple[ways.Way, str]] = {"plain python plot.py": (ways.plain(settings), PLOT)}
        bubblewrap = await enter(ways.sandboxed(settings, "bubblewrap", warm=True))
        table["bubblewrap, warm: plot"] = (bubblewrap, PLOT)
        table["bubblewrap, cold: plot"] = (await enter(ways.sandboxed(settings, "bubblewrap", warm=False)), PLOT)
        overheads = {"bubblewrap, warm: print(1), beyond the script": bubblewrap}
        if docker:
            table["docker run by hand: plot"] = (ways.docker_by_hand(settings), PLOT)
            warm = await enter(ways.sandboxed(settings, "docker", warm=True))
            table["docker, warm: plot"] = (warm, PLOT)
            table["docker, cold: plot"] = (await enter(ways.sandboxed(settings, "docker", warm=False)), PLOT)
            overheads["docker, warm: print(1), beyond the script"] = warm
            cold_diagram = await enter(ways.sandboxed(settings, "docker", False, ProfileName.MERMAID))
            table["docker, cold: mmdc"] = (cold_diagram, DIAGRAM)
            warm_diagram = await enter(ways.sandboxed(settings, "docker", True, ProfileName.MERMAID))
            table["docker, warm: mmdc"] = (warm_diagram, DIAGRAM)
        if docker and other is not None:
            pool = await enter(ways.other_library(other, settings.sandbox_image, pooled=True))
            table["llm-sandbox, its pool: plot"] = (pool, PLOT.replace("plot.png", "/tmp/plot.png"))
            session = await enter(ways.other_library(other, settings.sandbox_image, pooled=False))
            table[SLOW] = (session, PLOT.replace("plot.png", "/tmp/plot.png"))
        taken: dict[str, list[float]] = {name: [] for name in (*table, *overheads)}
        pools = [way for way, _ in table.values() if isinstance(way, ways.Timed)]
        for number in range(rounds):
            for name, (way, script) in table.items():
                if name != SLOW or number < 3:
                    await settle(pools)
                    taken[name].append(await way(script))
            for name, sandbox in overheads.items():
                await settle(pools)
                seconds = await sandbox(TRIVIAL)
                taken[name].append(seconds - sandbox.results[-1].timings["script"])
            print(f"round {number + 1} of {rounds}", flush=True)
        return taken


async def settle(pools: list[ways.Timed]) -> None:
    """Wait until no pool starts a worker, so that nothing but what is timed goes on."""
    for pool in pools:
        await pool.filled()


def table_of(taken: dict[str, list[float]]) -> str:
    """The measurements as a Markdown table."""
    base = statistics.median(taken["plain python plot.py"])
    lines = ["| way | median ms | 90 % ms | x plain | rounds |", "|---|---|---|---|---|"]
    for name, seconds in taken.items():
        if not seconds:
            continue
        ordered = sorted(seconds)
        late = ordered[min(len(ordered) - 1, round(0.9 * (len(ordered) - 1)))]
        middle = statistics.median(ordered)
        lines.append(f"| {name} | {middle * 1000:.0f} | {late * 1000:.0f} | {middle / base:.3f} | {len(ordered)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write `sandbox-latency.json` and `.md`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--no-docker", action="store_true")
    parser.add_argument("--llm-sandbox", metavar="PYTHON", help="of an environment with llm-sandbox[docker]")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    settings = Settings(home=options.home) if options.home else Settings()
    taken = asyncio.run(measure(settings, options.rounds, not options.no_docker, options.llm_sandbox))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "sandbox-latency.json").write_text(json.dumps(taken, indent=1) + "\n")
    (options.out / "sandbox-latency.md").write_text(table_of(taken))
    print(table_of(taken))


if __name__ == "__main__":
    main()
