"""The answers worked out by hand are really in the corpus, read here without the product's own loaders."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pypdfium2
import pytest
from lxml import html  # type: ignore[import-untyped,unused-ignore]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CORPUS = EXAMPLES / "corpus"
EXPECTED: dict[str, Any] = json.loads((EXAMPLES / "expected.json").read_text("utf-8"))
EVIDENCE = [
    pytest.param(evidence, id=f"{question['id']}-{number}")
    for question in EXPECTED["questions"]
    for number, evidence in enumerate(question["evidence"], 1)
]


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _pages(path: Path) -> list[str]:
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as pdf:
            return [page.get_textpage().get_text_bounded() for page in pdf]
    if path.suffix == ".docx":
        return ["\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)]
    if path.suffix == ".html":
        return [str(html.fromstring(path.read_bytes()).text_content())]
    return [path.read_text("utf-8")]


def _rows(path: Path, page: int | None) -> list[list[str]]:
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[(page or 1) - 1]
        return [["" if value is None else str(value) for value in row] for row in sheet.values]
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines))
    if path.suffix == ".html":
        return [
            [str(cell.text_content()) for cell in row.iter("td", "th")]
            for row in html.fromstring(path.read_bytes()).iter("tr")
        ]
    if path.suffix == ".md":
        lines_with_bars = [line for line in path.read_text("utf-8").splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines_with_bars]
    return [line.split() for line in _pages(path)[(page or 1) - 1].splitlines()]


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_the_expected_evidence_is_in_the_document(evidence: dict[str, Any]) -> None:
    path = CORPUS / evidence["document"]
    if "quote" in evidence:
        assert _squeezed(evidence["quote"]) in _squeezed(_pages(path)[(evidence["page"] or 1) - 1])
        return
    rows = _rows(path, evidence["page"])
    place = next(number for number, row in enumerate(rows) if row and row[0] == evidence["row"])
    heading = next(row for row in reversed(rows[:place]) if evidence["column"] in row)
    found: object = rows[place][heading.index(evidence["column"])]
    if not isinstance(evidence["value"], str):
        found = float(str(found).replace(",", ""))
    assert found == evidence["value"]


def test_the_corpus_is_as_described() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert 18 <= len(files) <= 24
    assert {path.suffix for path in files} >= {
        ".md",
        ".txt",
        ".html",
        ".pdf",
        ".docx",
        ".xlsx",
        ".csv",
        ".pptx",
    }
    assert len(EXPECTED["questions"]) >= 12
    assert sum(not question["answerable"] for question in EXPECTED["questions"]) >= 3
    for name in [*EXPECTED["off_topic"], *EXPECTED["instructions_in"]]:
        assert (CORPUS / name).is_file()
    deck = pptx.Presentation(str(CORPUS / "slides/members-evening-2025.pptx"))
    assert len(deck.slides) == 3


def test_the_binary_documents_come_out_of_the_script_unchanged(tmp_path: Path) -> None:
    pytest.importorskip("reportlab", reason="reportlab is missing; it is needed only to write the corpus again")
    subprocess.run([sys.executable, EXAMPLES / "make_corpus.py", tmp_path], check=True, capture_output=True)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 8
    for path in written:
        assert path.read_bytes() == (CORPUS / path.relative_to(tmp_path)).read_bytes(), path.name
