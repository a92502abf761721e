"""What a search returns, and why."""

from __future__ import annotations

from deepresearch.model.base import Value
from deepresearch.model.documents import Passage


class LegScore(Value):
    """One leg's part in a hit: its rank (from 1) and score there, and what it gave to the fused score."""

    rank: int | None
    score: float
    contribution: float


class Hit(Value):
    """A passage that was found. `score` is the fused score; `legs` explains it (``sparse``,
    ``feedback``, ``dense``)."""

    passage: Passage
    score: float
    legs: dict[str, LegScore]
