"""Draws the measured latencies as bars, in the sandbox itself.

python -m benchmarks.sandbox.plot [--home FOLDER] sandbox-latency.json sandbox-latency.svg
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from deepresearch.sandbox import PoolOptions, Sandbox, SandboxRequest
from deepresearch.settings import Settings

SCRIPT = """
import json, statistics
import matplotlib.pyplot as plt

taken = {name: seconds for name, seconds in json.load(open("latency.json")).items() if seconds}
base = statistics.median(taken["plain python plot.py"])
names = list(taken)[::-1]
ratios = [statistics.median(taken[name]) / base for name in names]
figure, axes = plt.subplots(figsize=(8, 0.4 * len(names) + 1), layout="constrained")
bars = axes.barh(names, ratios)
axes.bar_label(bars, fmt="%.2f", padding=3)
axes.axvline(1, color="grey", linewidth=0.8)
axes.set_xscale("log")
axes.set_xlabel("median time, as a multiple of plain python plot.py (log scale)")
figure.savefig("latency.svg")
"""


async def draw(settings: Settings, data: bytes) -> bytes:
    """The plot as SVG. Raises RuntimeError when the sandbox did not draw it."""
    async with Sandbox.open(settings, backend="bubblewrap", pool=PoolOptions(warm={})) as sandbox:
        request = SandboxRequest(script=SCRIPT, files={"latency.json": data}, expects=("latency.svg",))
        result = await sandbox.run(request)
    if result.message:
        raise RuntimeError(f"{result.message} {result.stderr}")
    return result.output("latency.svg").content


def main() -> None:
    """Read one file, write the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    settings = Settings(home=options.home) if options.home else Settings()
    options.picture.write_bytes(asyncio.run(draw(settings, options.data.read_bytes())))


if __name__ == "__main__":
    main()
