"""HTML as its reader sees it."""

from __future__ import annotations

import pytest
from tests.corpus.made_files import HTML

from deepresearch.corpus import load_bytes


def body(markup: str) -> str:
    return load_bytes(f"<!doctype html><html><body>{markup}</body></html>".encode(), "a.html").text


def test_a_whole_page() -> None:
    document = load_bytes(HTML.encode(), "river.html")
    assert document.text == (
        "The river\n\nIt rose by 3.5 metres. Nobody was hurt.\n\n- upper bank\n- lower bank\n\nLevels in cm\n\n"
        "Gauge\tLevel\t\n\t2021\t2022\nBridge\t310\t352\n\nThe end."
    )
    assert (document.title, str(document.date)) == ("River report", "2023-05-06")
    (table,) = document.tables
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["Gauge", "Level", "Level"], ["Gauge", "2021", "2022"], ["Bridge", "310", "352"],
    ]  # fmt: skip
    assert (table.caption, table.unit, table.header_rows) == ("Levels in cm", "cm", 2)
    assert len(document.notes) == 2


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>secret</p>",
        "<p aria-hidden='true'>secret</p>",
        "<div style='color:red; display : NONE'><p>secret</p></div>",
        "<p style='visibility:hidden'>secret</p>",
        "<template>secret</template>",
        "<script>secret</script>",
        "<style>secret</style>",
        "<noscript>secret</noscript>",
        "<!-- secret -->",
        "<textarea>secret</textarea>",
        "<select><option>secret</option></select>",
        "<footer>secret</footer>",
        "<div role='navigation'>secret</div>",
        "<table><tr><td>a</td><td>b</td></tr><tr><td>1</td><td><span hidden>secret</span></td></tr></table>",
        "<h2>Head<span style='display:none'>secret</span></h2>",
    ],
)
def test_what_no_reader_sees_is_left_out(hidden: str) -> None:
    text = body(f"<p>before</p>{hidden}<p>after</p>")
    assert "secret" not in text
    assert text.startswith("before") and text.endswith("after")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a &amp; b &lt;c&gt; &eacute;", "a & b <c> é"),
        ("<p>one</p>two<p>three", "one\n\ntwo\n\nthree"),
        ("<p>in<b>ter</b>national</p>", "international"),
        ("x<br>y", "x y"),
        ("<aside><p>Only this</p></aside>", "Only this"),
        ("<table><tr><td><h1>Laid out</h1><p>by table</p></td></tr></table>", "Laid out\n\nby table"),
        ("&#xD800;ok&#0;", "\ufffdok\ufffd"),
        ("<p>a\u00adb\u200bc</p>", "abc"),
    ],
)
def test_markup_to_text(markup: str, text: str) -> None:
    assert body(markup) == text


def test_charset_of_a_page() -> None:
    page = "<html><head><meta charset=windows-1251></head><body><p>Привет, мир. Это текст.</p></body></html>"
    assert load_bytes(page.encode("cp1251"), "a.html").text == "Привет, мир. Это текст."


def test_media_type_of_a_server_stands_in_for_the_extension() -> None:
    page = load_bytes(b"<p>Hello <b>there</b></p>", "https://example.org/page", media_type="text/html; charset=utf-8")
    assert (page.text, page.source) == ("Hello there", "https://example.org/page")
