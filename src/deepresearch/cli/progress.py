"""Progress on a terminal: a bar with an end, a line for each finished stage; when piped, only what matters."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deepresearch.model.session import SessionEvent
from deepresearch.session.progress import STAGES, Count, Listener


@contextmanager
def listener(session_id: str) -> Iterator[Listener]:
    """A listener for standard error: bars on a terminal, plain and almost silent otherwise."""
    if not sys.stderr.isatty():
        yield _Plain()
        return
    console = Console(stderr=True, highlight=False)
    console.print(f"[dim]Session {session_id}[/dim]")
    bars = Progress(
        TextColumn("  {task.description:<24}"),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[done]}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[label]}[/dim]"),
        console=console,
        transient=True,
    )
    with bars:
        yield _Bars(bars)


class _Plain:
    """Names refused files and failed computations, nothing else."""

    def event(self, event: SessionEvent) -> None:
        for line in _warnings(event):
            sys.stderr.write(f"deepresearch: {line}\n")

    def count(self, count: Count) -> None:
        pass


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._stages = len(STAGES) - 1  # all but the web, which only some sessions have
        self._all = bars.add_task("All stages", total=self._stages, done=f"0/{self._stages}", label="")
        self._now: TaskID | None = None
        self._model: TaskID | None = None
        self._reads = 0
        self._read = 0

    def event(self, event: SessionEvent) -> None:
        stage = str(event.data.get("stage", ""))
        name, _, part = stage.partition(":")
        if event.kind == "stage.started":
            self._begin(name)
        elif event.kind == "stage.finished":
            self._finish(name, part, event.data)
        for line in _warnings(event):
            self._bars.console.print(f"  [yellow]![/yellow] {escape(line)}")

    def count(self, count: Count) -> None:
        if count.stage == "model":
            self._spent(count)
        elif self._now is not None:
            total = count.total or None
            self._bars.update(
                self._now,
                completed=count.done,
                total=total,
                done=f"{count.done}/{count.total}" if total else str(count.done),
                label=escape(Path(count.label).name[:48]),
            )

    def _spent(self, count: Count) -> None:
        """What models were asked so far, in a line of its own that stays to the end."""
        if self._model is None:
            self._model = self._bars.add_task("Model calls", total=None, done="", label="")
        calls = f"{count.done}/{count.total}" if count.total else str(count.done)
        total = count.total or None
        self._bars.update(self._model, completed=count.done, total=total, done=calls, label=count.label)

    def _begin(self, name: str) -> None:
        if self._now is not None:
            self._bars.remove_task(self._now)
        if name == "web":
            self._stages = len(STAGES)
            self._bars.update(self._all, total=self._stages)
        self._now = self._bars.add_task(STAGES[name], total=None, done="", label="")

    def _finish(self, name: str, part: str, data: dict[str, Any]) -> None:
        if name == "plan":
            subs = data.get("sub_questions", [])
            self._reads = len(subs)
            for sub in subs:
                self._bars.console.print(f"    [cyan]{sub['id']}[/cyan] {escape(sub['text'])}")
        if name == "read":
            self._read += 1
        if part and name == "read" and self._read < self._reads:
            return
        if not (name == "compute" and part):
            self._bars.advance(self._all)
        completed = int(self._bars.tasks[0].completed)
        self._bars.update(self._all, done=f"{completed}/{self._stages}")
        told = _told(name, part, data)
        self._bars.console.print(
            f"  [green]✓[/green] {STAGES[name]:<24}[dim]{escape(told)}  {data.get('seconds', 0):.1f} s[/dim]"
        )


def _told(name: str, part: str, data: dict[str, Any]) -> str:
    match name:
        case "load":
            refused = len(data.get("refused", []))
            return f"{data['documents']} documents" + (f", {refused} refused" if refused else "")
        case "plan":
            return f"{len(data['sub_questions'])} sub-question(s)"
        case "web":
            pages, missed = len(data["pages"]), len(data["not_read"])
            return f"{pages} page(s) for {len(data['queries'])} quer{'y' if len(data['queries']) == 1 else 'ies'}" + (
                f", {missed} not read" if missed else ""
            )
        case "index":
            return f"{data['passages']} passages" + (
                f", {data['superseded']} document(s) superseded" if data.get("superseded") else ""
            )
        case "read":
            return f"{data['findings']} finding(s) in {data['documents']} documents"
        case "compute":
            return f"{part}: {data['status']}" if part else f"{data['scripts']} script(s)"
        case "write":
            return f"{data['sentences']} sentence(s)"
        case "verify":
            bands = ", ".join(f"{count} {band}" for band, count in data["claims"].items()) or "no claims"
            return bands + (f", {data['conflicts']} conflict(s)" if data["conflicts"] else "")
        case _:
            return f"{data.get('claims', 0)} claim(s)"


def _warnings(event: SessionEvent) -> list[str]:
    if event.kind == "team.limit":
        return [str(event.data["text"])]
    if event.kind != "stage.finished":
        return []
    lines = [f"{one['source']}: {one['reason']}" for one in event.data.get("refused", [])]
    if event.data.get("note"):
        lines.append(str(event.data["note"]))
    return lines
