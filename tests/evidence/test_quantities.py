from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepresearch.evidence import Comparison, compare, find_dates, find_quantities, parse_unit


def read(text: str) -> list[tuple[float | tuple[float, float], str, str]]:
    return [
        ((quantity.low, quantity.high) if quantity.is_range else quantity.value, quantity.unit, quantity.bound)
        for quantity in find_quantities(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Revenue rose 4.5% to €1.2 billion in 2022.", [(4.5, "percent", "exact"), (1.2e9, "EUR", "exact")]),
        (
            "Der Umsatz stieg um 3,5 Prozent auf 1.234 Mio. Euro.",
            [(3.5, "percent", "exact"), (1.234e9, "EUR", "exact")],
        ),
        ("Der Umsatz lag bei 12.500 Euro und 3 Mrd. Kronen", [(12500.0, "EUR", "exact"), (3e9, "", "exact")]),
        ("Sales of 1,234 units at $5m", [(1234.0, "", "exact"), (5e6, "USD", "exact")]),
        (
            "grew by 2 percentage points, then 25 bps",
            [(2.0, "percentage_point", "exact"), (25.0, "basis_point", "exact")],
        ),
        ("between 10 and 20 GWh", [((10.0, 20.0), "GWh", "exact")]),
        ("a share of 5-10 %", [((5.0, 10.0), "percent", "exact")]),
        ("worth €5–7 million", [((5e6, 7e6), "EUR", "exact")]),
        ("rose from 40 GWh to 45 GWh", [(40.0, "GWh", "exact"), (45.0, "GWh", "exact")]),
        (
            "about 42,000 people, more than three hundred thousand trees",
            [(42000.0, "", "about"), (300000.0, "", "at_least")],
        ),
        ("12 345 kWh and 1'234.5 kg", [(12345.0, "kWh", "exact"), (1234.5, "kg", "exact")]),
        ("half a million tonnes, a dozen eggs", [(5e5, "metric_ton", "exact"), (12.0, "", "exact")]),
        (
            "at -5 °C, a loss of -$5 million, $(1,200)",
            [(-5.0, "degC", "exact"), (-5e6, "USD", "exact"), (-1200.0, "USD", "exact")],
        ),
        ("(1,234.5)", [(-1234.5, "", "exact")]),
        ("up to 120 kWh per capita at €45/MWh", [(120.0, "kWh/person", "at_most"), (45.0, "EUR/MWh", "exact")]),
        ("1.2 × 10^6 cells and 3.2e-4 mol", [(1.2e6, "", "exact"), (3.2e-4, "mol", "exact")]),
        ("twenty-five sites", [(25.0, "", "exact")]),
    ],
)
def test_quantities_are_read_with_scale_unit_and_bound(text: str, expected: list[tuple[object, str, str]]) -> None:
    got = read(text)
    assert [(unit, bound) for _, unit, bound in got] == [(unit, bound) for _, unit, bound in expected]
    for (value, _, _), (wanted, _, _) in zip(got, expected, strict=True):
        assert value == pytest.approx(wanted)


@pytest.mark.parametrize(
    "text",
    [
        "In 2019 the plant opened.",
        "COVID-19, ISO 9001, 5G, CO2, the 3rd place and the 21st century",
        "see Figure 3, Table 4.2 and page 17",
        "on 12 May 2020, on 5 March, 2024-03-05 at 12:30",
        "as shown before [12], [3, 4]",
        "1. First item\n2. Second item",
        "release 1.2.3 at https://example.org/7/8",
        "one of the sites",
        "",
    ],
)
def test_years_ordinals_and_names_are_no_quantities(text: str) -> None:
    assert read(text) == []


def test_every_quantity_points_at_its_words() -> None:
    text = "Costs fell by 3 %, from $2.4bn to US$ 1.9 billion; 12,000 homes (about 5–6 GWh per year) benefit."
    found = find_quantities(text)
    assert len(found) == 5
    for quantity in found:
        assert text[quantity.start : quantity.end] == quantity.text


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="0123456789.,-–()%€$ kKmMWh'½×^xe/and ten million to\n", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for quantity in find_quantities(text):
        assert text[quantity.start : quantity.end] == quantity.text
        assert quantity.low <= quantity.value <= quantity.high
    for period in find_dates(text):
        assert text[period.start : period.end] == period.text
        assert period.first <= period.last


@pytest.mark.parametrize(
    ("first", "second", "strict", "generous"),
    [
        ("42 GWh", "42,000 MWh", Comparison.SAME, Comparison.SAME),
        ("42 GWh", "43 GWh", Comparison.DIFFERENT, Comparison.DIFFERENT),
        ("1.2 million people", "1,234,000 people", Comparison.COMPATIBLE, Comparison.COMPATIBLE),
        ("1,234,000 people", "1.2 million people", Comparison.DIFFERENT, Comparison.COMPATIBLE),
        ("about 40 GWh", "42 GWh", Comparison.COMPATIBLE, Comparison.COMPATIBLE),
        ("more than 40 GWh", "42 GWh", Comparison.COMPATIBLE, Comparison.COMPATIBLE),
        ("more than 45 GWh", "42 GWh", Comparison.DIFFERENT, Comparison.DIFFERENT),
        ("5 percent", "5 percentage points", Comparison.INCOMPARABLE, Comparison.INCOMPARABLE),
        ("5 %", "5 GWh", Comparison.INCOMPARABLE, Comparison.INCOMPARABLE),
        ("€5 million", "$5 million", Comparison.INCOMPARABLE, Comparison.INCOMPARABLE),
        ("25 bps", "0.25 percentage points", Comparison.SAME, Comparison.SAME),
        ("20 °C", "68 °F", Comparison.SAME, Comparison.SAME),
        ("10 miles", "16.1 km", Comparison.COMPATIBLE, Comparison.COMPATIBLE),
        ("€45/MWh", "4.5 €/kWh", Comparison.DIFFERENT, Comparison.DIFFERENT),
        ("42 people", "41 people", Comparison.DIFFERENT, Comparison.DIFFERENT),
        ("3.5 %", "3.46 %", Comparison.COMPATIBLE, Comparison.COMPATIBLE),
        ("between 40 and 45 GWh", "42 GWh", Comparison.COMPATIBLE, Comparison.COMPATIBLE),
    ],
)
def test_values_are_compared_after_conversion(
    first: str, second: str, strict: Comparison, generous: Comparison
) -> None:
    a, b = find_quantities(first)[0], find_quantities(second)[0]
    assert compare(a, b) is strict or (strict is Comparison.SAME and compare(a, b) is Comparison.COMPATIBLE)
    got = compare(a, b, generous=True)
    assert got is generous or (generous is Comparison.SAME and got is Comparison.COMPATIBLE)


@pytest.mark.parametrize(
    ("text", "scale", "unit"),
    [
        ("EUR million", 1e6, "EUR"),
        ("in thousands of USD", 1e3, "USD"),
        ("GWh", 1.0, "GWh"),
        ("Share (%)", 1.0, "percent"),
        ("Employees", 1.0, ""),
        ("Mio. €", 1e6, "EUR"),
    ],
)
def test_the_unit_of_a_column(text: str, scale: float, unit: str) -> None:
    assert parse_unit(text) == (scale, unit)


@pytest.mark.parametrize(
    ("text", "grain", "first", "last"),
    [
        ("on 12 May 2020", "day", "2020-05-12", "2020-05-12"),
        ("March 5, 2024", "day", "2024-03-05", "2024-03-05"),
        ("5. März 2024", "day", "2024-03-05", "2024-03-05"),
        ("12.03.2024", "day", "2024-03-12", "2024-03-12"),
        ("12 марта 2023", "day", "2023-03-12", "2023-03-12"),
        ("im März 2024", "month", "2024-03-01", "2024-03-31"),
        ("in February 2024", "month", "2024-02-01", "2024-02-29"),
        ("Q3 2022", "quarter", "2022-07-01", "2022-09-30"),
        ("the third quarter of 2021", "quarter", "2021-07-01", "2021-09-30"),
        ("H1 2021", "half", "2021-01-01", "2021-06-30"),
        ("FY23", "fiscal_year", "2023-01-01", "2023-12-31"),
        ("in 2019/20", "fiscal_year", "2019-01-01", "2020-12-31"),
        ("2019-2023", "range", "2019-01-01", "2023-12-31"),
        ("between 2019 and 2023", "range", "2019-01-01", "2023-12-31"),
        ("the 1990s", "decade", "1990-01-01", "1999-12-31"),
        ("in 1066", "year", "1066-01-01", "1066-12-31"),
    ],
)
def test_dates_are_intervals(text: str, grain: str, first: str, last: str) -> None:
    (period,) = find_dates(text)
    assert (period.grain, period.first.isoformat(), period.last.isoformat()) == (grain, first, last)


@pytest.mark.parametrize("text", ["1850 homes", "2000 MW", "costs $1999", "version 2.2010", "12345"])
def test_numbers_that_are_no_years(text: str) -> None:
    assert find_dates(text) == []


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, "1," * 3000, "twenty " * 2000, "2019-" * 2000, "1e999 2 × 10^999", "1/0 of it"],
)
def test_numbers_out_of_all_bounds_are_read_or_left(text: str) -> None:
    for quantity in find_quantities(text):
        assert quantity.low <= quantity.value <= quantity.high
        compare(quantity, quantity)
