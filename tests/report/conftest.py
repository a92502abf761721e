"""The written reports that several tests read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for `tests.report` under any way of starting pytest

from tests.report.hostile import hostile_report
from tests.report.material import ferry_report

from deepresearch.model.report import Report
from deepresearch.report import write_reports


@pytest.fixture(scope="session")
def ferry(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report over the example corpus, written."""
    return write_reports(*ferry_report(), tmp_path_factory.mktemp("ferry"))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of hostile texts, written."""
    return write_reports(*hostile_report(), tmp_path_factory.mktemp("hostile"))
