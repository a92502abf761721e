"""Builds what scripts run in, for the back end of a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepresearch.model.errors import UsageError
from deepresearch.sandbox.backends import NAMES
from deepresearch.sandbox.runtime.build import Runtimes
from deepresearch.settings import Settings


def build_runtime(name: str, settings: Settings, force: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Build and describe the runtime; `say` is told each step. Raises `UsageError` for an unknown back end."""
    if name not in NAMES:
        raise UsageError(f"There is no sandbox back end {name!r}; choose one of {', '.join(NAMES)}.")
    runtime = Runtimes(settings.home / "sandbox/bubblewrap").build(say, force)
    return {"backend": "bubblewrap", "name": str(runtime.folder), **runtime.manifest}
