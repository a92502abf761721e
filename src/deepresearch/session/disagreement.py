"""Conflicts between sources, each shown with both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deepresearch.model.documents import Document
from deepresearch.team.protocol import Draft, Reading


@dataclass(frozen=True)
class Disagreement:
    """Positions of the claims that cannot all be right, and the sentence that says so."""

    positions: tuple[int, ...]
    kind: str
    note: str


def with_other_sides(
    draft: Draft, readings: Sequence[Reading], documents: dict[str, Document]
) -> tuple[Draft, list[Disagreement]]:
    """SHIM."""
    return draft, []
