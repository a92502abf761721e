"""A page of the web is read without what is beside its matter, and a file of one's own is read whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepresearch.corpus import LoadLimits, load_bytes
from deepresearch.corpus.isolation import Worker
from deepresearch.model.documents import Document

PAGE = """<!doctype html><html lang=en><head><title>Ferry to Orkney - Northern Lines</title></head><body>
<div class="cookie-banner"><p>We use cookies to improve your experience. By clicking accept you agree to our use of cookies.</p></div>
<div class="header"><ul><li><a href=/>Home</a></li><li><a href=/t>Timetable</a></li></ul></div>
<div id=content><h1>Ferry to Orkney</h1><p>The ferry to Orkney sails <b>twice</b> a day in winter.<br>The crossing takes 90 minutes.</p>
<h2>Prices</h2><p>A return ticket for an adult costs 38.50 pounds; children under five travel free of charge.</p>
<table><tr><th>Month</th><th>Sailings</th></tr><tr><td>January</td><td>54</td></tr><tr><td>February</td><td>49</td></tr></table>
<dl><dt>Vessel</dt><dd>MV Hamnavoe, 8,780 tons</dd></dl><p>Key facts:</p><ul><li>Capacity: 600 passengers</li></ul>
<p style="display:none">The ferry costs 1 pound.</p></div>
<div class="sidebar related"><h3>You may also like</h3><ul><li><a href=/a>Ten islands you must see before you die</a></li></ul></div>
<div class="newsletter"><p>Subscribe to our newsletter and get 10% off your next trip with us today!</p></div>
<div id="comments" class="comments"><div class="comment"><p>I heard the ferry now costs 99 pounds, terrible!</p></div></div>
<div class="bottom"><p>Copyright 2024 Northern Lines. All rights reserved.</p></div></body></html>"""
MATTER = (
    "sails twice a day in winter", "The crossing takes 90 minutes", "38.50 pounds", "January\t54", "MV Hamnavoe",
    "Capacity: 600 passengers", "Prices",
)  # fmt: skip
BESIDE = ("cookies", "Timetable", "Ten islands", "You may also like", "newsletter", "99 pounds", "All rights reserved")


def test_what_is_beside_the_matter_is_left_out() -> None:
    document = load_bytes(PAGE.encode(), "https://ferries.example/orkney", media_type="text/html", main_only=True)
    assert all(words in document.text for words in MATTER)
    assert not any(words in document.text for words in BESIDE)
    assert "1 pound." not in document.text
    assert len(document.tables) == 1
    cell = document.tables[0].rows[1][1]
    assert document.text[cell.start : cell.end] == cell.text == "54"
    assert any("beside the page's main text" in note for note in document.notes)


def test_a_file_is_read_whole() -> None:
    document = load_bytes(PAGE.encode(), "orkney.html")
    assert all(words in document.text for words in (*MATTER, *BESIDE))


@pytest.mark.parametrize(
    "page",
    [
        "<html><body><p>The harbour has 12 berths.</p></body></html>",
        "<html><body><table><tr><th>Year</th><th>Berths</th></tr><tr><td>2023</td><td>12</td></tr></table></body></html>",
        "<html><body>" + "<div>" * 300 + "The harbour has 12 berths." + "</div>" * 300 + "</body></html>",
        "<html><body><ul>" + "<li><a href=/x>The harbour has 12 berths.</a></li>" * 40 + "</ul></body></html>",
        "<p>The harbour has 12 berths." + "<b>" * 2_000,
    ],
)
def test_a_page_without_a_main_part_is_read_whole(page: str) -> None:
    document = load_bytes(page.encode(), "https://ferries.example/x", media_type="text/html", main_only=True)
    assert "12" in document.text


def test_the_worker_reads_pages_so_and_files_whole(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_text(PAGE)
    worker = Worker(LoadLimits())
    try:
        page = worker.load_page(path, "https://ferries.example/orkney", "text/html", "utf-8")
        file = worker.load(path)
    finally:
        worker.close()
    assert isinstance(page, Document)
    assert isinstance(file, Document)
    assert page.source == "https://ferries.example/orkney"
    assert "newsletter" not in page.text
    assert "newsletter" in file.text
