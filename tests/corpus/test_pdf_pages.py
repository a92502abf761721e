"""PDF pages: reading order, words parted at line ends, headings, tables with and without rules."""

from __future__ import annotations

import pytest
from tests.corpus.made_files import Run, lines, make_pdf, open_table, ruled_table

from deepresearch.corpus import load_bytes

SALES = (("Region", "2021", "2022"), ("North", "10", "12"), ("South", "20", "25"), ("Total", "30", "37"))


def test_words_parted_at_line_ends() -> None:
    page = lines(
        [
            "The company grew its inter-",
            "national trade and is a well-",
            "known maker of hand-made shoes and of non-",
            "German boots, which are hand-",
            "made, as everyone in the trade will tell you.",
        ]
    )
    text = load_bytes(make_pdf([page]), "a.pdf").text
    assert "international trade" in text
    assert "well-known maker" in text
    assert "non-German boots" in text
    assert "are hand-made, as" in text


def test_paragraphs_headings_and_lists() -> None:
    page = [
        Run(72, 740, "Annual report 2023", 18, 2),
        *lines(["This paragraph fills its first line almost to the end and", "goes on in the second."], top=700),
        *lines(["A second paragraph stands below, parted by a gap, and it is", "long enough to wrap."], top=650),
        Run(72, 600, "Outlook", 13, 2),
        *lines(["- more ships", "- fewer trains"], top=575),
    ]
    document = load_bytes(make_pdf([page]), "a.pdf")
    assert document.text == (
        "Annual report 2023\n\n"
        "This paragraph fills its first line almost to the end and goes on in the second.\n\n"
        "A second paragraph stands below, parted by a gap, and it is long enough to wrap.\n\n"
        "Outlook\n\n- more ships\n- fewer trains"
    )
    assert [(heading.level, heading.title) for heading in document.headings] == [
        (1, "Annual report 2023"), (2, "Outlook"),
    ]  # fmt: skip
    assert document.title == "Annual report 2023"


@pytest.mark.parametrize("draw", [ruled_table, open_table])
def test_tables_stand_where_they_are_drawn(draw: object) -> None:
    assert draw in (ruled_table, open_table)
    table_marks = ruled_table(SALES, top=640) if draw is ruled_table else open_table(SALES, top=640)
    page = [
        *lines(["Text before the table, in a sentence.", "", "Table 1: Sales (million EUR)"], top=700),
        *table_marks,
        *lines(["Text after the table, in another sentence."], top=540),
    ]
    document = load_bytes(make_pdf([lines(["First page."]), page]), "a.pdf")
    (table,) = document.tables
    assert [[cell.text for cell in row] for row in table.rows] == [list(row) for row in SALES]
    assert (table.caption, table.unit, table.page, table.header_rows) == (
        "Table 1: Sales (million EUR)", "million EUR", 2, 1,
    )  # fmt: skip
    before, after = document.text[: table.start], document.text[table.end :]
    assert before.rstrip().endswith("Table 1: Sales (million EUR)")
    assert after.strip() == "Text after the table, in another sentence."
    assert document.text.count("South") == 1


def test_headers_that_span_columns() -> None:
    page = [
        Run(72, 300, "Table 2. Emissions in kt CO2"),
        Run(225, 280, "Scope 1"),
        Run(345, 280, "Scope 2"),
        *open_table((("Site", "2020", "2021", "2020", "2021"), ("Alpha", "1.2", "3.4", "5.6", "7.8")), 265, width=60),
        *open_table((("Beta", "2.2", "4.4", "6.6", "8.8"),), 235, width=60),
    ]
    (table,) = load_bytes(make_pdf([page]), "a.pdf").tables
    assert table.header_rows == 2
    assert [cell.text for cell in table.rows[3]] == ["Beta", "2.2", "4.4", "6.6", "8.8"]


def test_prose_in_two_columns_is_no_table() -> None:
    page = [
        *lines(
            ["Left column prose that mentions 2020", "and 14 others in the same long", "breath and so on."], top=740
        ),
        *lines(
            ["Right column prose that has 30", "people and 2021 in it, and it", "does end here."], top=740, left=330
        ),
    ]
    document = load_bytes(make_pdf([page]), "a.pdf")
    assert document.tables == ()
    assert document.text.index("breath and so on.") < document.text.index("Right column")


def test_title_and_date_of_the_metadata() -> None:
    pages = [lines(["Some text in the body."])]
    document = load_bytes(make_pdf(pages, {"Title": "River levels", "CreationDate": "D:20230406101112"}), "x.pdf")
    assert (document.title, str(document.date)) == ("River levels", "2023-04-06")
    # A title that is a file name of the writing program says nothing.
    document = load_bytes(make_pdf(pages, {"Title": "Microsoft Word - draft.docx"}), "river_levels.pdf")
    assert document.title == "river levels"


def test_a_year_in_the_name_and_the_date_of_the_metadata() -> None:
    pages = [lines(["Some text in the body."])]
    of_next_year = make_pdf(pages, {"CreationDate": "D:20250320"})
    assert str(load_bytes(of_next_year, "annual-report-2024.pdf").date) == "2025-03-20"
    assert str(load_bytes(of_next_year, "annual-report-2019.pdf").date) == "2019-01-01"


def test_lines_of_a_table_of_contents_are_no_headings() -> None:
    page = [
        Run(72, 740, "Contents", 16, 2),
        Run(72, 700, "1 Rivers . . . . . . . . 3", 13, 2),
        *lines(["Text. " * 9], 660),
    ]
    document = load_bytes(make_pdf([page]), "a.pdf")
    assert [heading.title for heading in document.headings] == ["Contents"]


def test_pages_cover_the_text() -> None:
    document = load_bytes(make_pdf([lines([f"Page {number} says something."]) for number in range(1, 30)]), "a.pdf")
    for page in document.pages:
        assert f"Page {page.number} says" in document.text[page.start : page.end]
