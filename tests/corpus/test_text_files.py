"""Plain text and Markdown: the stored text is the decoded file, whatever it holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepresearch.corpus import load_bytes
from deepresearch.model.errors import SourceError


@given(st.text(min_size=1, max_size=300), st.sampled_from(["a.txt", "a.md", "a.csv", "a.jsonl", "README"]))
@settings(max_examples=300, deadline=None)
def test_stored_text_is_the_decoded_file(text: str, name: str) -> None:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    try:
        document = load_bytes(data, name)
    except SourceError as error:
        assert error.kind in {"empty", "binary", "broken", "unknown_format"}
        return
    if document.media_type != "text/html":
        assert document.text == text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfMark\r\n", "\ufeffMark\r\n"),
        ("\ufeffwide 日本\n".encode("utf-16-le"), "\ufeffwide 日本\n"),
        ("\ufeffwide\n".encode("utf-16-be"), "\ufeffwide\n"),
        ("\ufeffwider\n".encode("utf-32-le"), "\ufeffwider\n"),
        ("Der Käufer zahlt für die Öfen und die Mühe über 30 €.\n".encode("cp1252") * 3, None),
        ("Съешь же ещё этих мягких французских булок, да выпей чаю.\n".encode("cp1251") * 5, None),
    ],
)
def test_charsets(data: bytes, expected: str | None) -> None:
    text = load_bytes(data, "a.txt").text
    if expected is not None:
        assert text == expected
    else:
        assert "Käufer zahlt für die Öfen" in text or "мягких французских булок" in text


def test_markdown_headings_and_tables_outside_of_code() -> None:
    source = (
        "# One #\n\n~~~\n# no\n~~~\n\nTwo\n---\n\n- item\n---\n\n    # indented code\n\n"
        "Sales (million EUR):\n\n| Year | \\| odd |\n|:--|--:|\n| 2020 | **5** |\n| 2021 |\n\ntext | with pipe\n"
    )
    document = load_bytes(source.encode(), "a.md")
    assert [(heading.level, heading.title) for heading in document.headings] == [(1, "One"), (2, "Two")]
    (table,) = document.tables
    assert [[cell.text for cell in row] for row in table.rows] == [["Year", "\\| odd"], ["2020", "**5**"], ["2021", ""]]
    assert (table.caption, table.unit, table.header_rows) == ("Sales (million EUR)", "million EUR", 1)


def test_front_matter_gives_title_date_and_version() -> None:
    document = load_bytes(b"---\ntitle: 'Plan B'\ndate: 2024-03-01\nversion: 2.1\n---\n# Other\n\nBody.\n", "a.md")
    assert (document.title, str(document.date), document.version) == ("Plan B", "2024-03-01", "2.1")


@pytest.mark.parametrize(
    ("source", "rows", "unit"),
    [
        ('a,b\n"x, y","q ""z"""\n', [["a", "b"], ["x, y", 'q ""z""']], None),
        (
            "Jahr;Menge (kWh)\r\n2020;1,5\r\n2021;2,5\r\n",
            [["Jahr", "Menge (kWh)"], ["2020", "1,5"], ["2021", "2,5"]],
            "kWh",
        ),
        ("k\tv\n1\t2\n", [["k", "v"], ["1", "2"]], None),
        ('n,text\n1,"two\nlines"\n2,b\n', [["n", "text"], ["1", "two\nlines"], ["2", "b"]], None),
        ("a|b\n1|2\n", [["a", "b"], ["1", "2"]], None),
    ],
)
def test_separated_values(source: str, rows: list[list[str]], unit: str | None) -> None:
    (table,) = load_bytes(source.encode(), "a.csv").tables
    assert [[cell.text for cell in row] for row in table.rows] == rows
    assert (table.header_rows, table.unit) == (1, unit)


def test_years_down_without_a_header_and_several_tables() -> None:
    document = load_bytes(b"2020,100,7\n2021,110,8\n\nKind,2020,2021\nx,1,2\n", "a.csv")
    assert [table.header_rows for table in document.tables] == [0, 1]


def test_json_records_keep_their_places_and_numbers() -> None:
    source = '{"sales": [{"year": 2020, "eur": 3.5, "who": "a \\"b\\""}, {"year": 2021, "eur": -1e3}]}'
    (table,) = load_bytes(source.encode(), "a.json").tables
    assert table.caption == "sales"
    assert [cell.text for cell in table.rows[0]] == ["year", "eur", "who"]
    assert [cell.number for cell in table.rows[1]] == [2020, 3.5, None]
    assert [cell.number for cell in table.rows[2]] == [2021, -1000, None]


@pytest.mark.parametrize("source", ['{"a": {"b": 1}}', "[1, 2, 3]", '[{"a": [1]}, {"a": 2}]', "{broken", '"text"'])
def test_json_that_is_no_table_is_text(source: str) -> None:
    document = load_bytes(source.encode(), "a.json")
    assert document.text == source
    assert document.tables == ()
