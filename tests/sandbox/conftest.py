"""A sandbox of each back end for the tests, with a runtime that is built once and kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from deepresearch.model.errors import SandboxUnavailable
from deepresearch.sandbox import PoolOptions, Sandbox
from deepresearch.sandbox.backends import NAMES, choose
from deepresearch.sandbox.runtime.build import Runtimes
from deepresearch.settings import Settings

BACKENDS = ("bubblewrap", "docker")

#: Set in continuous integration: what cannot run there is a failure and not skipped.
MUST_RUN = os.environ.get("DEEPRESEARCH_SANDBOX_TESTS") == "1"


@pytest.fixture(scope="session")
def sandbox_home() -> Path:
    """A data folder that outlives the test session, so that the runtime is built once."""
    home = Path(os.environ.get("DEEPRESEARCH_TEST_HOME") or f"{tempfile.gettempdir()}/deepresearch-tests-{os.getuid()}")
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    Runtimes(home / "sandbox/bubblewrap").build(print)
    return home


@pytest.fixture
def sandbox_settings(sandbox_home: Path) -> Settings:
    return Settings(home=sandbox_home)


@pytest.fixture(params=BACKENDS)
async def backend_name(request: pytest.FixtureRequest, sandbox_settings: Settings) -> str:
    name = str(request.param)
    reason = f"the {name} back end is not here"
    for backend in choose(name, sandbox_settings) if name in NAMES else []:
        try:
            await backend.check()
        except SandboxUnavailable as missing:
            reason = str(missing)
            continue
        finally:
            await backend.close()
        return name
    if MUST_RUN:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
async def sandbox(backend_name: str, sandbox_settings: Settings) -> AsyncIterator[Sandbox]:
    """A sandbox whose every run is a cold start."""
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=PoolOptions(warm={})) as opened:
        yield opened


@pytest.fixture
def processes_named() -> Callable[[str], list[int]]:
    """Finds processes of this machine by a word in their command line or environment."""

    def find(marker: str) -> list[int]:
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                try:
                    told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
                except OSError:
                    continue
                if marker.encode() in told:
                    found.append(int(folder.name))
        return found

    return find
