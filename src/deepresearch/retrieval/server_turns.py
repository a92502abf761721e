"""Turns between processes that share a collection of a Qdrant server: one at a time fits it or writes its note.

The server cannot compare and set, so a turn is taken as in Fischer's algorithm (L. Lamport, A Fast Mutual Exclusion
Algorithm, 1987, section 2): write your name where nobody's is, pause, and have the turn if it is still yours. A process
that writes its name later than the pause after it saw the place free breaks this; what follows is two fits at once,
of which the later counts.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.server_notes import ServerNotes

_TURN = "turn"
_PAUSE = 0.1  # seconds; far longer than a small record takes to be written
_BEAT = 3.0  # seconds between two signs of life
_DEAD = 20.0  # seconds without one after which the turn is free


class Turns:
    """The turns of one collection, as one process takes them. Methods raise `IndexingError`."""

    def __init__(self, notes: ServerNotes) -> None:
        self._notes = notes
        self._holding = False
        self._seen: tuple[object, float] = (None, 0.0)

    @contextmanager
    def take(self, *, wait: bool) -> Iterator[bool]:
        """The turn, for what happens inside; False when another has it and `wait` is False."""
        if self._holding:
            yield True
            return
        name = uuid.uuid4().hex
        while not self._claim(name):
            if not wait:
                yield False
                return
            time.sleep(_PAUSE)
        over = threading.Event()
        beating = threading.Thread(target=self._beat, args=(name, over), name="index-turn", daemon=True)
        beating.start()
        self._holding = True
        try:
            yield True
        finally:
            self._holding = False
            over.set()
            beating.join()
            with suppress(IndexingError):  # what happened inside counts; others wait until the turn is dead
                if self._holder() == name:
                    self._notes.take_away(_TURN)

    def _claim(self, name: str) -> bool:
        if not self._is_free():
            return False
        self._notes.leave(_TURN, {"holder": name, "beat": 0})
        time.sleep(_PAUSE)
        return self._holder() == name

    def _is_free(self) -> bool:
        """Whether nobody has the turn, or its holder has given no sign for long (clocks of machines differ)."""
        record = self._notes.record(_TURN)
        if record is None:
            return True
        seen = (record["holder"], record["beat"])
        if seen != self._seen[0]:
            self._seen = (seen, time.monotonic())
        return time.monotonic() - self._seen[1] > _DEAD

    def _holder(self) -> str | None:
        record = self._notes.record(_TURN)
        return None if record is None else str(record["holder"])

    def _beat(self, name: str, over: threading.Event) -> None:
        beat = 0
        while not over.wait(_BEAT):
            beat += 1
            try:
                if self._holder() != name:
                    return
                self._notes.leave(_TURN, {"holder": name, "beat": beat})
            except IndexingError:
                continue  # the work itself meets the same server and says so
