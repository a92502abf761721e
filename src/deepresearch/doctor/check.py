"""A check, what it finds, and running all of them so that none can hold up the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What a finding means: only `FAILED` makes `doctor` end with exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `detail` in a sentence, and what to do about it unless all is well."""

    name: str
    state: State
    detail: str
    remedy: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The finding as ``doctor --json`` shows it."""
        return {**asdict(self), "state": self.state.value}


def ok(name: str, detail: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, detail)


def warning(name: str, detail: str, remedy: str) -> Finding:
    """Works, but somebody should look."""
    return Finding(name, State.WARNING, detail, remedy)


def failed(name: str, detail: str, remedy: str) -> Finding:
    """Does not work."""
    return Finding(name, State.FAILED, detail, remedy)


def skipped(name: str, detail: str) -> Finding:
    """Does not apply here."""
    return Finding(name, State.SKIPPED, detail)


@dataclass(frozen=True, slots=True)
class Check:
    """A name, the work, and how many seconds it may take. The work may find several things."""

    name: str
    work: Callable[[], Finding | Iterable[Finding]]
    seconds: float = 10.0


def run_checks(checks: Sequence[Check]) -> Iterator[Finding]:
    """Run all checks at once, each on a thread of its own, and give what they found in the order of `checks`.

    A check that takes longer than its time is a failure, and one that raises is too; a thread that hangs on does not
    keep the program alive.
    """
    running = [_Running(check) for check in checks]
    for one in running:
        yield from one.findings()


class _Running:
    def __init__(self, check: Check) -> None:
        self._check = check
        self._found: list[Finding] = []
        self._begun = time.monotonic()
        self._thread = threading.Thread(target=self._work, name=f"doctor-{check.name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            found = self._check.work()
            self._found = [found] if isinstance(found, Finding) else list(found)
        except Exception as error:
            self._found = [
                failed(
                    self._check.name,
                    f"The check broke with {type(error).__name__}: {error}",
                    "Tell the developers, with the output of `deepresearch doctor --json`.",
                )
            ]

    def findings(self) -> list[Finding]:
        """What was found, waiting until the time is up."""
        self._thread.join(max(0.0, self._begun + self._check.seconds - time.monotonic()))
        seconds = round(time.monotonic() - self._begun, 3)
        if self._thread.is_alive():
            return [
                Finding(
                    self._check.name,
                    State.FAILED,
                    f"No answer within {self._check.seconds:.0f} s.",
                    "Something this check asks hangs: look at the disk, the engine or the server it names.",
                    seconds,
                )
            ]
        return [Finding(one.name, one.state, one.detail, one.remedy, seconds) for one in self._found]
