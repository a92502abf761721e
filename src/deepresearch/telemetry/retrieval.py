"""What a search of passages tells the operators: how often, how long, how much it found. Never what was asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from deepresearch.telemetry.meters import instruments, meter
from deepresearch.telemetry.traces import span

#: Ways to search that are counted from zero.
KINDS = ("hybrid", "web")


@instruments
class _Instruments:
    def __init__(self) -> None:
        source = meter("deepresearch.retrieval")
        self.searches = source.create_counter(
            "deepresearch.retrieval.searches", unit="{search}", description="Searches by kind and how they ended"
        )
        self.passages = source.create_counter(
            "deepresearch.retrieval.passages", unit="{passage}", description="Passages that searches found"
        )
        self.duration = source.create_histogram(
            "deepresearch.retrieval.duration", unit="s", description="Wall-clock time of a search"
        )
        for kind in KINDS:
            self.passages.add(0, {"kind": kind})
            for outcome in ("success", "failure"):
                self.searches.add(0, {"kind": kind, "outcome": outcome})


@dataclass(slots=True)
class Search:
    """What `searching` hands out: say how many passages (or pages) were found."""

    found: int = 0


@contextmanager
def searching(kind: str = "hybrid") -> Iterator[Search]:
    """Around one search; `kind` is ``hybrid`` (the index) or ``web``.

        with searching("hybrid") as search:
            passages = index.search(...)
            search.found = len(passages)

    Opens the span ``retrieval hybrid`` and counts searches, finds and seconds.
    """
    made = _Instruments()
    search = Search()
    begun = time.monotonic()
    outcome = "failure"
    with span(
        f"retrieval {kind}", {"gen_ai.operation.name": "retrieval", "deepresearch.retrieval.kind": kind}
    ) as opened:
        try:
            yield search
            outcome = "success"
        finally:
            opened.set_attribute("deepresearch.retrieval.found", search.found)
            made.searches.add(1, {"kind": kind, "outcome": outcome})
            made.passages.add(search.found, {"kind": kind})
            made.duration.record(time.monotonic() - begun, {"kind": kind})
