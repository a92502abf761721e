"""The page and the plot that show the measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

_INTRODUCTION = """# Retrieval, measured

Written by `python -m benchmarks.retrieval`; edit there. How a search works is told in
`src/deepresearch/retrieval/`, why it was made so in `docs/decisions/`.
"""
_PARTS = {
    "quality": (
        "Quality",
        "nDCG@10 and recall@100 in percent on public sets, everything offline. BM25 alone, feedback and the "
        "dense leg are the parts of the default. Settings are the same for all sets. `gain` is that of the default in "
        "nDCG@10 over BM25 alone, with the interval in which it lies with 95 in 100 (bootstrap over the questions).",
    ),
    "growth": (
        "Speed and growth",
        "One process for each engine and size; 200 questions one after the other, ten hits each with their "
        "text, the best of three passes; `processor` is the time on all cores for one question. The times of "
        "DeepResearch and bm25s hold the encoding of the question; LanceDB is given the vectors ready-made. "
        "`before` is before the graph over the dense vectors is built.",
    ),
    "server": (
        "A Qdrant server beside the embedded engine",
        "As above, both in one run, over REST on the same machine; `resident` and `processor` are those of this side "
        "only. The server builds its graphs by itself while passages come in.",
    ),
    "small": ("Small corpora", "From an empty folder to the first hit; the best of three runs."),
}


def page(known: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page in Markdown."""
    parts = [_INTRODUCTION]
    for name, (title, text) in _PARTS.items():
        if name not in known:
            continue
        parts.append(f"\n## {title}\n\n{text}\n\nMeasured {known[name]['when']}.\n")
        if name == "growth":
            parts.append("\n![Time of a search by number of passages](retrieval-growth.svg)\n")
        rows = known[name]["rows"]
        if name in ("growth", "server"):
            rows = sorted(rows, key=lambda row: (row["passages"], row["engine"]))
        parts.append(f"\n{quality_table(rows) if name == 'quality' else table(rows)}\n")
    return "".join(parts)


def quality_table(rows: Sequence[Row]) -> str:
    """Methods down, sets across: nDCG@10 / recall@100."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    wide = []
    for name, size in dict.fromkeys((row["set"], row["size"]) for row in rows):
        cells: dict[str, Any] = {"set": f"{name} ({size})"}
        for row in rows:
            if row["set"] == name:
                cells[row["method"]] = f"{100 * row['nDCG@10']:.1f} / {100 * row['recall@100']:.1f}"
                if row["method"] == "the default":
                    gain, least, most = (100 * share for share in row["gain"])
                    cells["gain"] = f"{gain:+.1f} ({least:+.1f} to {most:+.1f})"
        wide.append({key: cells.get(key, "") for key in ("set", *methods, "gain")})
    return table(wide)


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table; the columns are all keys in the order they first occur."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(_cell(row.get(name, '')) for name in names)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def plot(rows: Sequence[Row], path: Path) -> None:
    """Median time and memory over the number of passages, as SVG; nothing without matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, (times, memory) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for engine in dict.fromkeys(row["engine"] for row in rows):
        mine = sorted((row for row in rows if row["engine"] == engine and "p50 ms" in row), key=lambda r: r["passages"])
        numbers = [row["passages"] for row in mine]
        times.plot(numbers, [row["p50 ms"] for row in mine], marker="o", label=engine)
        memory.plot(numbers, [row["resident MB"] for row in mine], marker="o", label=engine)
    for axes, label in ((times, "median time of a search, ms"), (memory, "resident memory, MB")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("passages")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    times.legend()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
