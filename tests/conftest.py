"""What all tests share: a data folder of their own, with the sandbox's libraries of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepresearch.settings import Settings

PROJECT = Path(__file__).parents[1]
CORPUS = PROJECT / "examples" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The example corpus."""
    return CORPUS


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty data folder that uses the sandbox libraries already built on this machine, if any."""
    folder = tmp_path / "home"
    folder.mkdir()
    built = Settings().home / "sandbox"
    if built.is_dir():
        (folder / "sandbox").symlink_to(built)
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The environment for a command in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
    return {**kept, "DEEPRESEARCH_HOME": str(home), "DEEPRESEARCH_SANDBOX_BACKEND": "bubblewrap"}
