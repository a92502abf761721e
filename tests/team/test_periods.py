"""Labels that name a period, and labels that do not."""

from __future__ import annotations

import pytest

from deepresearch.team.periods import Period, parse_period


@pytest.mark.parametrize(
    ("label", "period"),
    [
        ("2019", Period(2019, 0, "year")),
        ("FY 2019", Period(2019, 0, "year")),
        ("FY19", Period(2019, 0, "year")),
        ("2019/20", Period(2019, 0, "year")),
        ("2024*", Period(2024, 0, "year")),
        ("Q3 2022", Period(2022, 3, "quarter")),
        ("2022-Q3", Period(2022, 3, "quarter")),
        ("2023-04", Period(2023, 4, "month")),
        ("04/2023", Period(2023, 4, "month")),
        ("März 2023", Period(2023, 3, "month")),
        ("Sept. 2021", Period(2021, 9, "month")),
    ],
)
def test_periods(label: str, period: Period) -> None:
    assert parse_period(label) == period


@pytest.mark.parametrize(
    "label", ["", "Total", "12", "20190", "1,234", "2019 to 2023", "Route 2019 north", "19", "3.206"]
)
def test_other_labels(label: str) -> None:
    assert parse_period(label) is None


def test_periods_sort_by_time() -> None:
    labels = ["Q4 2021", "Q1 2022", "Q2 2021"]
    periods = [parsed for label in labels if (parsed := parse_period(label)) is not None]
    assert [period.part for period in sorted(periods)] == [2, 4, 1]


@pytest.mark.parametrize(
    ("label", "period"),
    [
        ("Fiscal 2019", Period(2019, 0, "year")),
        ("Fiscal Year 2019", Period(2019, 0, "year")),
        ("December 31, 2019", Period(2019, 12, "month")),
        ("Year ended 31 March 2019", Period(2019, 3, "month")),
        ("As of Dec 28, 2019", Period(2019, 12, "month")),
    ],
)
def test_periods_of_reports(label: str, period: Period) -> None:
    assert parse_period(label) == period
