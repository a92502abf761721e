"""Servers that several tests share; each test uses sessions and collections of its own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from tests.api.servers import Server, started
from tests.conftest import new_home

#: Two tenants and a token that may only read.
ACME, GLOBEX, READER = "acme-token-0123456789", "globex-token-0123456789", "reader-token-0123456789"
TOKENS = f"{ACME}:acme {GLOBEX}:globex {READER}:acme:read"


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without tokens, as somebody starts it on their own machine."""
    with started(new_home(tmp_path_factory.mktemp("local")), api_requests_per_minute="1000000") as server:
        yield server


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two tenants."""
    with started(
        new_home(tmp_path_factory.mktemp("shared")),
        api_tokens=TOKENS,
        api_requests_per_minute="1000000",
        api_upload_files="20",
        api_upload_file_mb="2",
        api_upload_total_mb="6",
    ) as server:
        yield server


@pytest.fixture
def http(local: Server) -> Iterator[httpx.Client]:
    """A client of the server without tokens."""
    with local.http() as client:
        yield client


@pytest.fixture
def acme(shared: Server) -> Iterator[httpx.Client]:
    """A client of the first tenant."""
    with shared.http(ACME) as client:
        yield client


@pytest.fixture
def globex(shared: Server) -> Iterator[httpx.Client]:
    """A client of the second tenant."""
    with shared.http(GLOBEX) as client:
        yield client
