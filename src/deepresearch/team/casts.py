"""Casts by name."""

from __future__ import annotations

from deepresearch.model.errors import UsageError
from deepresearch.team.extractive import ExtractiveTeam
from deepresearch.team.protocol import Team


def cast(name: str) -> Team:
    """The cast of this name. Raises `UsageError` for one that does not exist."""
    if name == "extractive":
        return ExtractiveTeam()
    raise UsageError(f"There is no team {name!r}. This version has one: extractive.")
