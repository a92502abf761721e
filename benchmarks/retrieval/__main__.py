"""`python -m benchmarks.retrieval`: measures quality, speed and growth, and writes docs/retrieval.md.

Without arguments everything at sizes up to 100,000; `--sizes 1000,300000` sets others, `--only quality`,
`--only speed`, `--only server` or `--only tune` a part; `--no-write` only prints. Results are kept in docs/retrieval.json,
so that parts can be measured at different times. Needs the public sets (DEEPRESEARCH_DATA) and, for the
alternatives, the extra ``bench``; a Qdrant server is measured beside the embedded engine where
DEEPRESEARCH_BENCH_QDRANT_URL names one that runs for this alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.retrieval.datasets import SETS, data_folder
from benchmarks.retrieval.page import page, plot, table
from benchmarks.retrieval.quality import quality, tune
from benchmarks.retrieval.speed import ENGINES, SERVER, SERVER_BESIDE, growth, small_corpora
from deepresearch.retrieval import Fusion

DOCS = Path(__file__).parents[2] / "docs"
TUNED = [
    Fusion(first, last, dense, 0.3, most)
    for first, last in ((0.2, 0.5), (0.3, 0.6), (0.35, 0.7))
    for dense in (0.5, 1.0, 1.5)
    for most in (0.5, 0.7, 1.0)
]


def main() -> int:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval")
    parser.add_argument("--only", choices=("quality", "speed", "server", "tune"))
    parser.add_argument("--sets", default=",".join(SETS), help="names of sets, with commas between")
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of passages, with commas between")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--no-write", action="store_true")
    chosen = parser.parse_args()
    data = data_folder()
    if data is None:
        print("The public sets are not there: set DEEPRESEARCH_DATA to their folder. Nothing was measured.")
        return 0
    sets = chosen.sets.split(",")
    results: dict[str, list[dict[str, object]]] = {}
    if chosen.only in (None, "quality"):
        results["quality"] = quality(data, sets)
    if chosen.only in (None, "speed"):
        results["small"] = small_corpora(data)
        results["growth"] = growth([int(size) for size in chosen.sizes.split(",")], chosen.engines.split(","))
    if chosen.only == "server" or (chosen.only is None and os.environ.get(SERVER)):
        results["server"] = growth([int(size) for size in chosen.sizes.split(",")], SERVER_BESIDE)
    if chosen.only == "tune":
        results["tune"] = tune(data, sets, TUNED)
    for name, rows in results.items():
        print(f"\n{name}\n\n{table(rows)}")
    if not chosen.no_write:
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        write(results, f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load}")
    return 0


def write(results: dict[str, list[dict[str, object]]], when: str) -> None:
    """Adds results to docs/retrieval.json and makes the page and the plot from all there are."""
    store = DOCS / "retrieval.json"
    known = json.loads(store.read_text("utf-8")) if store.exists() else {}
    for name, rows in results.items():
        before = known.get(name, {}).get("rows", []) if name == "growth" else []
        new = {(row.get("engine"), row.get("passages")) for row in rows}
        kept = [row for row in before if (row.get("engine"), row.get("passages")) not in new]
        known[name] = {"when": when, "rows": kept + rows}
    DOCS.mkdir(exist_ok=True)
    store.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    if "growth" in known:
        plot(known["growth"]["rows"], DOCS / "retrieval-growth.svg")
    (DOCS / "retrieval.md").write_text(page(known), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
