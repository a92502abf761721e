"""Series read out of tables, whichever way the table lies, and chosen by the question's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepresearch.corpus import load
from deepresearch.model.documents import Cell, Document
from deepresearch.team.series import cell_number, find_series
from deepresearch.team.series_choice import choose_series

DOWN = """# Energy

Use of energy (MWh)

| Year | Heat | Electricity |
|------|------|-------------|
| 2019 | 1,200 | 310 |
| 2020 | 1,150 | 325.5 |
| 2021 | 1,010 | 340 |
"""

ACROSS = """# Staff

| Team | 2019 | 2020 | 2021 |
|---|---|---|---|
| Drivers | 40 | 42 | 45 |
| Office | 12 | 11 | n/a |
"""

LONG = """region,year,sales
north,2019,10
north,2020,12
north,2021,15
south,2019,20
south,2020,19
south,2021,16
"""


def _load(folder: Path, name: str, text: str) -> Document:
    (folder / name).write_text(text, encoding="utf-8")
    return load(folder / name)


def test_years_down_the_first_column(tmp_path: Path) -> None:
    found = {one.series.name: one.series for one in find_series([_load(tmp_path, "energy.md", DOWN)])}
    assert set(found) == {"Heat", "Electricity"}
    assert found["Heat"].unit == "MWh"
    assert [(point.label, point.value) for point in found["Heat"].points] == [
        ("2019", 1200), ("2020", 1150), ("2021", 1010),
    ]  # fmt: skip


def test_years_across_the_header(tmp_path: Path) -> None:
    found = {one.series.name: one.series for one in find_series([_load(tmp_path, "staff.md", ACROSS)])}
    assert [point.value for point in found["Drivers"].points] == [40, 42, 45]
    assert "Office" not in found  # two figures are no series


def test_a_long_table_is_taken_apart_by_its_groups(tmp_path: Path) -> None:
    found = {one.series.name: one.series for one in find_series([_load(tmp_path, "sales.csv", LONG)])}
    assert [point.value for point in found["north sales"].points] == [10, 12, 15]
    assert [point.value for point in found["south sales"].points] == [20, 19, 16]


def test_every_point_quotes_its_cell(tmp_path: Path) -> None:
    for name, text in (("energy.md", DOWN), ("staff.md", ACROSS), ("sales.csv", LONG)):
        document = _load(tmp_path, name, text)
        for one in find_series([document]):
            for point in one.series.points:
                assert document.text[point.quote.start : point.quote.end] == point.quote.quote
                assert float(point.quote.quote.replace(",", "")) == point.value


def test_the_question_chooses(tmp_path: Path) -> None:
    candidates = find_series(
        [_load(tmp_path, "energy.md", DOWN), _load(tmp_path, "staff.md", ACROSS), _load(tmp_path, "sales.csv", LONG)]
    )

    def chosen(question: str) -> list[str]:
        return [one.series.name for one in choose_series(question, candidates)]

    assert chosen("How did the use of electricity change between 2019 and 2021?") == ["Electricity"]
    assert chosen("How did the number of drivers develop?") == ["Drivers"]
    assert sorted(chosen("Compare heat and electricity over the years")) == ["Electricity", "Heat"]
    assert chosen("How did the price of coffee change?") == []
    assert chosen("How did it change?") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234", 1234), ("1.234,5", 1234.5), ("1 234", 1234), ("12,5", 12.5), ("-6.8", -6.8), ("−6.8", -6.8),
        ("(1,200)", -1200), ("€ 4.60", 4.6), ("95.0 %", 95), ("1'250", 1250), ("12 MW", 12), (".5", 0.5),
    ],
)  # fmt: skip
def test_numbers_in_cells(text: str, value: float) -> None:
    assert cell_number(Cell(text=text, start=0, end=len(text), address="A1")) == value


@pytest.mark.parametrize("text", ["", "n/a", "–", "2 of 3", "see note 4 below the table", "12 March 2020"])
def test_cells_that_hold_no_number(text: str) -> None:
    assert cell_number(Cell(text=text, start=0, end=len(text), address="A1")) is None
