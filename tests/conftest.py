"""What all tests share: a data folder of their own, with the sandbox's libraries of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import qdrant_server
from tests.postgres_server import PostgresServer, programs
from tests.qdrant_server import QdrantServer

from deepresearch.settings import Settings

PROJECT = Path(__file__).parents[1]
CORPUS = PROJECT / "examples" / "corpus"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The example corpus."""
    return CORPUS


def new_home(folder: Path) -> Path:
    """An empty data folder that uses the sandbox libraries already built on this machine, if any."""
    home = folder / "home"
    home.mkdir()
    built = Settings().home / "sandbox"
    if built.is_dir():
        (home / "sandbox").symlink_to(built)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """See `new_home`."""
    return new_home(tmp_path)


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """The environment for a command in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
    return {**kept, "DEEPRESEARCH_HOME": str(home), "DEEPRESEARCH_SANDBOX_BACKEND": "bubblewrap"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A Postgres server of this test run; skipped without one installed."""
    if programs() is None:
        pytest.skip("Postgres is not installed: no initdb found")
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def qdrant_url() -> Iterator[str]:
    """The address of a Qdrant server for tests, which leave nothing there; skipped without one."""
    if url := os.environ.get("DEEPRESEARCH_TEST_QDRANT_URL"):
        yield url
        return
    if qdrant_server.program() is None:
        pytest.skip(qdrant_server.MISSING)
    server = QdrantServer()
    try:
        yield server.url
    finally:
        server.close()


@pytest.fixture
def qdrant() -> Iterator[QdrantServer]:
    """A Qdrant server of one test, which may kill it; skipped when the program is not on PATH."""
    if qdrant_server.program() is None:
        pytest.skip(qdrant_server.MISSING)
    server = QdrantServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def stored_in(request: pytest.FixtureRequest, environment: dict[str, str]) -> dict[str, str]:
    """The environment for commands over an empty SQLite, and over an empty Postgres."""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        environment = {**environment, "DEEPRESEARCH_DATABASE_URL": server.new_database()}
    return environment


_skipped: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember why tests were skipped."""
    if report.skipped and isinstance(report.longrepr, tuple):
        _skipped.append(f"{report.nodeid}: {report.longrepr[2]}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail when a test was skipped for want of a component that DEEPRESEARCH_REQUIRE says is here."""
    required = [word.strip().lower() for word in os.environ.get("DEEPRESEARCH_REQUIRE", "").split(",") if word.strip()]
    missing = [why for why in _skipped if any(word in why.partition(": ")[2].lower() for word in required)]
    if missing:
        print("\nSkipped although required:", *missing, sep="\n  ")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
