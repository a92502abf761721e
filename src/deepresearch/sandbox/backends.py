"""Which back ends there are, and which one a name asks for."""

from __future__ import annotations

from collections.abc import Callable

from deepresearch.model.errors import UsageError
from deepresearch.sandbox.backend import Backend
from deepresearch.sandbox.bubblewrap import BubblewrapBackend
from deepresearch.sandbox.docker import DockerBackend
from deepresearch.settings import Settings

#: Makers of back ends, best first: `auto` tries them in this order.
_MAKERS: dict[str, Callable[[Settings], Backend]] = {
    "docker": lambda settings: DockerBackend(
        settings.sandbox_image,
        runtime=settings.sandbox_runtime,
        security=tuple(settings.sandbox_security.split()),
    ),
    "bubblewrap": lambda settings: BubblewrapBackend(settings.home),
}

NAMES = ("auto", *_MAKERS)


def choose(name: str, settings: Settings) -> list[Backend]:
    """The back ends to try, best first. Raises `UsageError` for an unknown name."""
    if name not in NAMES:
        raise UsageError(f"There is no sandbox back end {name!r}; choose one of {', '.join(NAMES)}.")
    return [make(settings) for known, make in _MAKERS.items() if name in ("auto", known)]
