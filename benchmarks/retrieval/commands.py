"""What a person waits for: `ingest` and `search` as commands, on a fresh data folder.

    python -m benchmarks.retrieval.commands [--documents 1000] [--large 100000]

The texts are made: a passage a file in the small corpus, forty passages a file in the large one. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_VOCABULARY = (
    "pressure boundary layer flow heat transfer wing body shock wave mach number surface plate cone jet velocity "
    "temperature theory experiment supersonic hypersonic laminar turbulent transition drag lift ratio thickness "
    "equation solution method measured result angle attack nose leading edge stagnation point gas air density"
)
_WORDS = _VOCABULARY.split()


def sentence(random_: random.Random) -> str:
    """A sentence of 12 to 24 words, some of them rare."""
    words = [random_.choice(_WORDS) for _ in range(random_.randint(12, 24))]
    words[random_.randrange(len(words))] = f"item{random_.randrange(50_000)}"
    return " ".join(words).capitalize() + "."


def write_corpus(folder: Path, files: int, paragraphs: int, seed: int) -> None:
    """Text files of so many paragraphs of some 120 words, each under a heading of its own."""
    random_ = random.Random(seed)
    for number in range(files):
        path = folder / f"{number // 200:04d}" / f"report-{number:06d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [f"# Report {number}\n"]
        for part in range(paragraphs):
            parts.append(f"## Part {part}\n\n" + " ".join(sentence(random_) for _ in range(7)) + "\n")
        path.write_text("\n".join(parts), encoding="utf-8")


def command(home: Path, *arguments: str) -> tuple[float, str]:
    """Seconds of a command from its start to its end, and what it printed."""
    environment = {**os.environ, "DEEPRESEARCH_HOME": str(home)}
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - begin, done.stdout


def measure(files: int, paragraphs: int) -> tuple[int, float, float, float]:
    """Passages, and the seconds of `ingest`, of the first search and of the second."""
    with tempfile.TemporaryDirectory() as place:
        corpus, home = Path(place) / "corpus", Path(place) / "home"
        write_corpus(corpus, files, paragraphs, seed=files)
        ingest, _ = command(home, "ingest", str(corpus), "--collection", "all", "--json")
        search = ("search", "turbulent boundary layer on a cone", "--collection", "all", "--json")
        first, printed = command(home, *search)
        second, _ = command(home, *search)
        if not json.loads(printed)["hits"]:
            raise RuntimeError("nothing was found")
        _, shown = command(home, "collections", "show", "all", "--json")
        return int(json.loads(shown)["passages"]), ingest, first, second


def first_passage(files: int, rounds: int = 5) -> float:
    """Median seconds from a command to the first passage of files that no program has read before."""
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        write_corpus(corpus, files, 1, seed=files)
        taken = []
        for number in range(rounds):
            home = Path(place) / f"home-{number}"
            seconds, printed = command(
                home, "search", "turbulent boundary layer on a cone", "--sources", str(corpus), "--json"
            )
            if not json.loads(printed)["hits"]:
                raise RuntimeError("nothing was found")
            taken.append(seconds)
        return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=100_000, help="passages of the large corpus; 0 leaves it out")
    options = parser.parse_args()
    print(f"`search --sources` of {options.documents:,} files: {first_passage(options.documents):.2f} s\n")
    print("| files | passages | ingest s | passages/s | first search s | next search s |\n|---|---|---|---|---|---|")
    corpora = [(options.documents, 1)] + ([(options.large // 40, 40)] if options.large else [])
    for files, paragraphs in corpora:
        passages, ingest, first, second = measure(files, paragraphs)
        print(f"| {files:,} | {passages:,} | {ingest:.2f} | {passages / ingest:,.0f} | {first:.2f} | {second:.2f} |")


if __name__ == "__main__":
    main()
