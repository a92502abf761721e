"""What the tests of telemetry share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.telemetry.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of metrics and spans."""
    found = Receiver()
    yield found
    found.close()
