"""How fast files become passages, each format beside a named library that reads the same files in the same run.

    python -m benchmarks.corpus [--files 400] [--json]

Files are written by seed into a temporary folder. Every row is the best of three runs. The libraries only take the text
out; `deepresearch` also places headings, tables and pages, and splits. Rates are of this machine at this hour: compare
the two columns of one run, not figures of two runs.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from deepresearch.corpus import discover, load, load_many, split
from deepresearch.model.documents import Document

WORDS = (
    *(
        "river",
        "report",
        "measure",
        "level",
        "year",
        "bridge",
        "water",
        "energy",
        "market",
        "growth",
        "price",
        "region",
    ),
    *("supply", "demand", "figure", "model", "method", "result", "study", "sample", "value", "share", "north", "south"),
    *("winter", "summer", "public", "private", "company", "board", "member", "plan", "policy", "change", "increase"),
    *("decline", "average", "total", "annual", "daily", "new", "old", "large", "small", "first", "second", "strong"),
    *("weak", "early", "late", "and", "of", "the", "in", "for", "with", "from", "by", "on", "at", "is", "was"),
)


@dataclass(frozen=True)
class Row:
    """One line of the result."""

    what: str
    files: int
    megabytes: float
    passages: int
    seconds: float
    alternative: str
    alternative_seconds: float

    @property
    def passages_a_second(self) -> float:
        """The rate of `deepresearch`."""
        return self.passages / self.seconds


def sentence(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randint(8, 24))]
    if chance.random() < 0.3:
        words.insert(3, f"{chance.uniform(1, 900):.1f}")
    return " ".join(words).capitalize() + "."


def prose(chance: random.Random, paragraphs: int) -> list[str]:
    return [" ".join(sentence(chance) for _ in range(chance.randint(3, 7))) for _ in range(paragraphs)]


def write_files(folder: Path, files: int) -> None:
    """Text, Markdown, HTML, DOCX, XLSX and PDF files under `folder`, one folder a format."""
    import docx
    import xlsxwriter
    from tests.corpus.made_files import lines, make_pdf

    chance = random.Random("corpus benchmark")
    for kind in ("txt", "md", "html", "docx", "xlsx", "pdf"):
        (folder / kind).mkdir()
    for number in range(files):
        blocks = prose(chance, 40)
        (folder / "txt" / f"{number:05}.txt").write_text("\n\n".join(blocks))
        marked = "\n\n".join(f"## Part {place}\n\n{block}" for place, block in enumerate(blocks))
        (folder / "md" / f"{number:05}.md").write_text(f"# Report {number}\n\n{marked}")
        body = "".join(f"<h2>Part {place}</h2><p>{block}</p>" for place, block in enumerate(blocks))
        (folder / "html" / f"{number:05}.html").write_text(f"<html><body><h1>Report</h1>{body}</body></html>")
    for number in range(max(2, files // 20)):
        document = docx.Document()
        for place, block in enumerate(prose(chance, 60)):
            document.add_heading(f"Part {place}", 2)
            document.add_paragraph(block)
        document.save(str(folder / "docx" / f"{number:05}.docx"))
        book = xlsxwriter.Workbook(folder / "xlsx" / f"{number:05}.xlsx")
        sheet = book.add_worksheet("Data")
        for row in range(1_000):
            sheet.write_row(row, 0, [f"Row {row}", *(chance.randint(0, 9_999) for _ in range(7))])
        book.close()
        pages = [lines(_wrapped(prose(chance, 6)), 740) for _ in range(15)]
        (folder / "pdf" / f"{number:05}.pdf").write_bytes(make_pdf(pages))


def _wrapped(blocks: list[str]) -> list[str]:
    import textwrap

    return [line for block in blocks for line in textwrap.wrap(block, 85)][:48]


def read_text(path: Path) -> None:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    RecursiveCharacterTextSplitter(chunk_size=900, chunk_overlap=100).split_text(path.read_text())


def read_html(path: Path) -> None:
    import trafilatura

    trafilatura.extract(path.read_text(), favor_recall=True)


def read_docx(path: Path) -> None:
    import docx

    for paragraph in docx.Document(str(path)).paragraphs:
        _ = (paragraph.text, paragraph.style.name if paragraph.style else None)


def read_xlsx(path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                _ = (cell.value, cell.number_format)


def read_pdf(path: Path) -> None:
    import pdfplumber

    with pdfplumber.open(io.BytesIO(path.read_bytes())) as document:
        for page in document.pages:
            page.extract_text()


ALTERNATIVES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "txt": ("langchain-text-splitters", read_text),
    "md": ("langchain-text-splitters", read_text),
    "html": ("trafilatura", read_html),
    "docx": ("python-docx", read_docx),
    "xlsx": ("openpyxl", read_xlsx),
    "pdf": ("pdfplumber", read_pdf),
}


def best_of_three(work: Callable[[], int]) -> tuple[float, int]:
    best, count = float("inf"), 0
    for _ in range(3):
        began = time.perf_counter()
        count = work()
        best = min(best, time.perf_counter() - began)
    return best, count


def measure(folder: Path) -> Iterator[Row]:
    for kind, (name, read) in ALTERNATIVES.items():
        paths = discover([folder / kind])
        size = sum(path.stat().st_size for path in paths) / 1e6

        def ours(paths: list[Path] = paths) -> int:
            return sum(len(split(load(path))) for path in paths)

        def theirs(paths: list[Path] = paths, read: Callable[[Path], None] = read) -> int:
            for path in paths:
                read(path)
            return len(paths)

        seconds, passages = best_of_three(ours)
        try:
            other, _ = best_of_three(theirs)
        except ImportError:
            other, name = float("nan"), f"{name} (not installed)"
        yield Row(kind, len(paths), size, passages, seconds, name, other)
    paths = discover([folder])

    def in_order() -> int:
        return sum(len(split(one)) for one in load_many(paths) if isinstance(one, Document))

    def one_by_one() -> int:
        return sum(len(split(load(path))) for path in paths)

    seconds, passages = best_of_three(in_order)
    other, _ = best_of_three(one_by_one)
    size = sum(path.stat().st_size for path in paths) / 1e6
    yield Row("load_many", len(paths), size, passages, seconds, "load, one by one", other)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--files", type=int, default=400, help="text files of each kind; a twentieth of it of the others"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, arguments.files)
        rows = list(measure(folder))
    if arguments.json:
        json.dump([asdict(row) for row in rows], sys.stdout, indent=1)
        return
    print(f"{'files':>16} {'MB':>7} {'passages':>9} {'seconds':>8} {'passages/s':>11}   beside")
    for row in rows:
        print(
            f"{row.files:>6} {row.what:<9} {row.megabytes:>7.2f} {row.passages:>9,} {row.seconds:>8.2f} "
            f"{row.passages_a_second:>11,.0f}   {row.alternative} {row.alternative_seconds:.2f} s "
            f"({row.alternative_seconds / row.seconds:.1f} times as long)"
        )


if __name__ == "__main__":
    main()
