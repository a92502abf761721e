"""Which back ends there are, and which one a name asks for."""

from __future__ import annotations

from deepresearch.model.errors import UsageError
from deepresearch.sandbox.backend import Backend
from deepresearch.sandbox.bubblewrap import BubblewrapBackend
from deepresearch.settings import Settings

NAMES = ("auto", "docker", "bubblewrap")


def choose(name: str, settings: Settings) -> list[Backend]:
    """The back ends to try, best first. Raises `UsageError` for an unknown name."""
    if name not in NAMES:
        raise UsageError(f"There is no sandbox back end {name!r}; choose one of {', '.join(NAMES)}.")
    return [BubblewrapBackend(settings.home)]
