"""The bar of an ingest or a rebuild: how far, how fast, how long still. Nothing at all when piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deepresearch.session.progress import Step

_WORDS = {"hash": "Looking for changes", "index": "Reading and indexing", "catch up": "Completing"}


@contextmanager
def collection_progress() -> Iterator[Callable[[Step], None]]:
    """What to call with each step."""
    if not sys.stderr.isatty():
        yield lambda _step: None
        return
    bars = Progress(
        TextColumn("  {task.description:<20}"),
        BarColumn(bar_width=28),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("[dim]left[/dim]"),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[label]}[/dim]"),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )
    with bars:
        yield _Bar(bars)


class _Bar:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stage = ""
        self._task: TaskID | None = None
        self._begun = (0.0, 0, 0)

    def __call__(self, step: Step) -> None:
        if step.stage != self._stage or self._task is None:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._stage = step.stage
            self._task = self._bars.add_task(_WORDS[step.stage], total=step.total, rate="", label="")
            self._begun = (time.monotonic(), step.done, step.passages)
        self._bars.update(
            self._task,
            completed=step.done,
            total=step.total,
            rate=self._rate(step),
            label=escape(Path(step.label).name[:40]),
        )

    def _rate(self, step: Step) -> str:
        at, done, passages = self._begun
        seconds = time.monotonic() - at
        if seconds < 0.2:
            return ""
        files = f"{(step.done - done) / seconds:,.0f} files/s"
        return files + (f", {(step.passages - passages) / seconds:,.0f} passages/s" if step.passages > passages else "")
