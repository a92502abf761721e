"""Cells with what names them, in tables as reports write them: nested headings, groups, blocks, split signs."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from deepresearch.corpus import load
from deepresearch.model.documents import Document
from deepresearch.team.cell_units import is_only_unit, scale_in, unit_of
from deepresearch.team.periods import years_in
from deepresearch.team.placed_cells import PlacedCell, placed_cells


def page(folder: Path, rows: list[list[str]], before: str = "") -> Document:
    """A web page with one table, loaded as any file is."""
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    path = folder / "page.html"
    path.write_text(f"<html><body><p>{before}</p><table>{body}</table></body></html>", encoding="utf-8")
    return load(path)


NESTED = [
    ["", "Domestic", "", "Abroad", ""],
    ["", "2019", "2018", "2019", "2018"],
    ["Assets:", "", "", "", ""],
    ["Ships", "$ 5,686", "$ 6,092", "12", "(7)"],
    ["Other", "914", "—", "3", "2"],
    ["Liabilities:", "", "", "", ""],
    ["Other", "41", "44", "1", "1"],
]


def _find(document: Document, name: str, *heads: str) -> list[PlacedCell]:
    return [
        one for one in placed_cells([document]) if one.name == name and [cell.text for cell in one.heads] == list(heads)
    ]


def test_a_heading_over_several_columns_names_them_all(tmp_path: Path) -> None:
    document = page(tmp_path, NESTED)
    (one,) = _find(document, "Ships", "Abroad", "2018")
    assert one.number == -7
    assert one.years == (2018,)
    assert one.quote().quote == document.text[one.cell.start : one.cell.end] == "(7)"


def test_groups_tell_rows_of_one_name_apart(tmp_path: Path) -> None:
    first, second = _find(page(tmp_path, NESTED), "Other", "Domestic", "2019")
    assert (first.groups[-1].text, first.number) == ("Assets:", 914)
    assert (second.groups[-1].text, second.number) == ("Liabilities:", 41)


def test_a_dash_alone_is_zero(tmp_path: Path) -> None:
    (one, _) = _find(page(tmp_path, NESTED), "Other", "Domestic", "2018")
    assert one.number == 0.0


def test_a_second_block_begins_with_new_years(tmp_path: Path) -> None:
    rows = [["", "First half", "Second half"], ["", "2019", "2019"], ["Sales", "10", "12"]]
    rows += [["", "2018", "2018"], ["Sales", "8", "9"]]
    found = [one for one in placed_cells([page(tmp_path, rows)]) if one.name == "Sales"]
    assert [(one.years, one.number) for one in found] == [((2019,), 10), ((2019,), 12), ((2018,), 8), ((2018,), 9)]


def test_a_currency_sign_in_a_column_of_its_own_is_no_value(tmp_path: Path) -> None:
    rows = [["", "2019", "", "2018", ""], ["Sales", "$", "1,452", "$", "1,146"], ["Costs", "$", "31", "$", "29"]]
    found = [one for one in placed_cells([page(tmp_path, rows)]) if one.name == "Sales"]
    assert [(one.years, one.number) for one in found] == [((2019,), 1452), ((2018,), 1146)]


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("December 31, 2019", (2019,)),
        ("Fiscal 2019", (2019,)),
        ("FY19", (2019,)),
        ("2018/2019", (2019,)),
        ("2018/19", (2019,)),
        ("Change 2019 versus 2018", (2019, 2018)),
        ("$2,019", ()),
        ("2019.5", ()),
        ("Total", ()),
    ],
)
def test_years_of_a_heading(text: str, years: tuple[int, ...]) -> None:
    assert years_in(text) == years


@pytest.mark.parametrize(
    ("text", "scale"),
    [("(In millions)", 1e6), ("€m", 1e6), ("$’000", 1e3), ("USD thousands", 1e3), ("bn", 1e9), ("Metres (m)", None)],
)
def test_scale_of_a_heading(text: str, scale: float | None) -> None:
    assert scale_in(text) == scale


def test_a_unit_names_no_row() -> None:
    assert is_only_unit("(Dollars in thousands, except per share data)")
    assert not is_only_unit("Sales in thousands")


def test_the_nearest_unit_wins(tmp_path: Path) -> None:
    rows = [["", "2019", "2018"], ["Revenue", "$ 68,024", "67,314"], ["Earnings per share", "$ 1.20", "1.10"]]
    rows += [["5.125% notes", "400", "400"], ["Margin (%)", "18", "14"]]
    document = page(tmp_path, rows, before="Amounts are stated in thousands.")
    units = {
        one.name: unit_of(one.cell.text, [one.name], [cell.text for cell in one.heads], one.table, document)
        for one in placed_cells([document])
        if one.years == (2019,)
    }
    assert units["Revenue"] == (1e3, "thousand USD")
    assert units["Earnings per share"] == (1.0, "USD")
    assert units["5.125% notes"] == (1e3, "thousand")
    assert units["Margin (%)"] == (1.0, "%")
