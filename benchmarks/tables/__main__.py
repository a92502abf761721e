"""Measure lookups and arithmetic over the tables of TAT-QA and write `docs/tables.md`.

    python -m benchmarks.tables [--no-write]

Needs the data set (see `DEEPRESEARCH_DATA`) and the bubblewrap sandbox; without the data it says so and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tables.asking import ask
from benchmarks.tables.documents import as_document
from benchmarks.tables.questions import Page, data_file, read
from benchmarks.tables.report import markdown
from benchmarks.tables.running import run_all
from benchmarks.tables.scoring import Score, score

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def measure(pages: Sequence[Page]) -> tuple[list[Score], int]:
    """Ask everything about these pages and run all scripts; the scores and how many scripts ran."""
    with tempfile.TemporaryDirectory() as folder:
        asked = [
            (page, question, ask(question, document))
            for page in pages
            if page.questions
            for document in [as_document(page, Path(folder))]
            for question in page.questions
        ]
    requests = [one.request if question.kind != "lookup" else None for _, question, one in asked]
    printed = asyncio.run(run_all(requests))
    scores = [score(page, question, one, values) for (page, question, one), values in zip(asked, printed, strict=True)]
    return scores, sum(request is not None for request in requests)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-write", action="store_true", help="print the page only")
    arguments = parser.parse_args()
    path = data_file()
    if not path.is_file():
        print(f"Skipped: {path} is not there. Set DEEPRESEARCH_DATA to the folder that holds it.", file=sys.stderr)
        return 0
    began = time.monotonic()
    pages = read(path)
    tuned, tuned_runs = measure(pages[0::2])
    held, held_runs = measure(pages[1::2])
    halves = (("Half tuned on", tuned), ("Half left aside", held))
    text = markdown(halves, time.monotonic() - began, tuned_runs + held_runs)
    print(text)
    if not arguments.no_write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
