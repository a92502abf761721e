"""What holds for every document, whatever its format."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.corpus.made_files import make_all

from deepresearch.corpus import discover, load, split
from deepresearch.model.documents import Document

FILES = make_all()


@pytest.fixture(params=sorted(FILES))
def document(request: pytest.FixtureRequest, tmp_path: Path) -> Document:
    path = tmp_path / request.param
    path.write_bytes(FILES[request.param])
    return load(path)


def assert_exact(document: Document) -> None:
    """Every place the document names holds what it says."""
    text = document.text
    for table in document.tables:
        assert 0 <= table.start <= table.end <= len(text)
        assert len({len(row) for row in table.rows}) == 1
        assert 0 <= table.header_rows <= len(table.rows)
        for row in table.rows:
            for cell in row:
                assert text[cell.start : cell.end] == cell.text
                assert table.start <= cell.start <= cell.end <= table.end
    for heading in document.headings:
        assert heading.title.split()[0] in text[heading.start : heading.end]
    for before, after in zip(document.pages, document.pages[1:], strict=False):
        assert before.end == after.start
        assert after.number == before.number + 1
    if document.pages:
        assert document.pages[0].start == 0
        assert document.pages[-1].end == len(text)
    assert Document.model_validate_json(document.model_dump_json()) == document


def test_places_are_exact(document: Document) -> None:
    assert_exact(document)


def test_passages_are_exact_and_cross_nothing(document: Document) -> None:
    passages = split(document, max_words=12)
    assert passages
    assert len({passage.id for passage in passages}) == len(passages)
    for passage in passages:
        assert passage.text == document.text[passage.start : passage.end]
        assert passage.text.strip()
        assert passage.page == document.page_at(passage.start)
        for table in document.tables:
            inside = table.start <= passage.start and passage.end <= table.end
            outside = passage.end <= table.start or passage.start >= table.end
            assert inside if passage.kind == "table" and not outside else outside
        for heading in document.headings:
            is_heading = passage.start == heading.start and passage.end == heading.end
            assert is_heading or passage.end <= heading.start or passage.start >= heading.end


def test_discover_load_split_over_a_folder(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    documents = [load(path) for path in discover([tmp_path])]
    assert [Path(document.source).name for document in documents] == sorted(FILES)
    assert len({document.sha256 for document in documents}) == len(FILES)
    assert all(split(document) for document in documents)
