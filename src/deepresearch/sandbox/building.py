"""Builds what scripts run in, for the back end of a name."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepresearch.model.errors import SandboxError, SandboxUnavailable, UsageError
from deepresearch.sandbox.backends import NAMES
from deepresearch.sandbox.runtime.build import Runtimes
from deepresearch.settings import Settings

DOCKERFILE = Path("containers/python-sandbox/Dockerfile")

Say = Callable[[str], None]


def build_runtime(name: str, settings: Settings, force: bool, say: Say) -> dict[str, Any]:
    """Build and describe the runtime; `say` is told each step.

    `auto` builds the image where an engine answers and the sources are at hand, else the virtual environment. Raises
    `UsageError` for an unknown back end, `SandboxUnavailable` or `SandboxError` when it cannot be built.
    """
    if name not in NAMES:
        raise UsageError(f"There is no sandbox back end {name!r}; choose one of {', '.join(NAMES)}.")
    if name == "docker" or (name == "auto" and _source_folder() is not None and _engine_answers(settings)):
        return _build_image(settings, force, say)
    runtime = Runtimes(settings.home / "sandbox/bubblewrap").build(say, force)
    return {"backend": "bubblewrap", "name": str(runtime.folder), **runtime.manifest}


def _build_image(settings: Settings, force: bool, say: Say) -> dict[str, Any]:
    folder = _source_folder()
    if folder is None:
        raise SandboxUnavailable(
            f"The image is built from the project's sources, and {DOCKERFILE} is neither here nor above the package. "
            "Run the command in a checkout, or build the bubblewrap runtime."
        )
    command = shutil.which(settings.docker_bin)
    if command is None:
        raise SandboxUnavailable(
            f"There is no command {settings.docker_bin!r}; install Docker or name another with DEEPRESEARCH_DOCKER_BIN."
        )
    say(f"Building {settings.sandbox_image} from {folder / DOCKERFILE}")
    arguments = [command, "build", "-t", settings.sandbox_image, "-f", str(folder / DOCKERFILE)]
    if force:
        arguments.append("--no-cache")
    _run([*arguments, str(folder)], say)
    identity = _output([command, "image", "inspect", "--format", "{{.Id}}", settings.sandbox_image])
    return {"backend": "docker", "name": settings.sandbox_image, "identity": identity}


def _source_folder() -> Path | None:
    """The checkout: the current folder, or the one this package is installed from in place."""
    for folder in (Path.cwd(), Path(__file__).resolve().parents[3]):
        if (folder / DOCKERFILE).is_file():
            return folder
    return None


def _engine_answers(settings: Settings) -> bool:
    command = shutil.which(settings.docker_bin)
    if command is None:
        return False
    try:
        done = subprocess.run([command, "version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _run(command: list[str], say: Say) -> None:
    """Run the engine's build, passing its lines on. Raises `SandboxError` with the last of them."""
    last: list[str] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        for line in process.stdout or ():
            say(line.rstrip())
            last = [*last[-7:], line.strip()]
    if process.returncode != 0:
        raise SandboxError(f"The image could not be built: {' '.join(last)[-1200:]}")


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
