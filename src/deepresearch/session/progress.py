"""What long work tells while it runs: the stored events and passing counts of a session, the steps of an ingest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from deepresearch.model.session import SessionEvent

#: The stages in their order, with words for people.
STAGES = {
    "load": "Reading documents",
    "plan": "Planning",
    "web": "Searching the web",
    "index": "Indexing",
    "read": "Searching and reading",
    "compute": "Computing",
    "write": "Writing",
    "verify": "Verifying",
    "report": "Rendering the report",
}


@dataclass(frozen=True)
class Count:
    """How far a stage is: `done` of `total` (0 when unknown), and what it is at."""

    stage: str
    done: int
    total: int
    label: str = ""


@dataclass(frozen=True)
class Step:
    """How far indexing is: `stage` is ``hash``, ``index`` or ``catch up``; passages were indexed so far."""

    stage: str
    done: int
    total: int
    passages: int
    label: str = ""


class Listener(Protocol):
    """Gets everything a session tells, in the order it happens, on the thread that does the work."""

    def event(self, event: SessionEvent) -> None:
        """A stored event."""

    def count(self, count: Count) -> None:
        """A count that is shown and forgotten."""


class Silent:
    """A listener that does nothing."""

    def event(self, event: SessionEvent) -> None:
        """Ignore it."""

    def count(self, count: Count) -> None:
        """Ignore it."""
