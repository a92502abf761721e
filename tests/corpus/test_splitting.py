"""Passages: whole sentences within a size, exact, with overlap and without gaps."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.made_files import make_all

from deepresearch.corpus import load_bytes, sentences, split
from deepresearch.corpus.splitting import count_words

LINES = st.sampled_from(
    [
        "# Head one",
        "## Head two",
        "Plain text here. It goes on for some words. And ends.",
        "- item one",
        "",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |",
        "Title\n=====",
        "```\n# code\n```",
        "Ein Satz auf Deutsch. Noch einer, z. B. dieser.",
    ]
)


@given(st.lists(LINES, min_size=1, max_size=25), st.integers(1, 40), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_passages_of_any_markdown(blocks: list[str], max_words: int, overlap: int) -> None:
    text = "\n".join(blocks)
    if not text.strip():
        return
    document = load_bytes(text.encode(), "any.md")
    passages = split(document, max_words, overlap)
    covered = [False] * len(text)
    for passage in passages:
        assert passage.text == text[passage.start : passage.end]
        for place in range(passage.start, passage.end):
            covered[place] = True
        if passage.kind == "prose":
            inner = sentences(passage.text)
            words = sum(count_words(passage.text, start, end) for start, end in inner)
            assert words <= max_words or len(inner) == 1
    for heading in document.headings:
        for place in range(heading.start, heading.end):
            covered[place] = True
    for table in document.tables:
        # The rule between header and rows belongs to no cell.
        for place in range(table.start, table.end):
            covered[place] = True
    assert not any(text[place].isalnum() and not covered[place] for place in range(len(text)))


def test_overlap_repeats_the_last_sentences() -> None:
    text = " ".join(f"Sentence number {number} stands here." for number in range(40))
    passages = split(load_bytes(text.encode(), "a.txt"), max_words=30, overlap_sentences=1)
    assert len(passages) > 5
    for before, after in pairwise(passages):
        last = sentences(before.text)[-1]
        assert after.start == before.start + last[0]
        assert after.end > before.end


def test_heading_paths_pages_and_kinds(tmp_path: Path) -> None:
    files = make_all()
    passages = split(load_bytes(files["plan.md"], "plan.md"))
    table = next(passage for passage in passages if passage.kind == "table")
    assert table.heading_path == ("Energy plan", "Figures")
    assert "2021 | 11 | 22" in table.text
    slides = split(load_bytes(files["traffic.pptx"], "traffic.pptx"))
    assert {passage.page for passage in slides} == {1, 2}
    assert any(passage.kind == "table" and passage.heading_path == ("Ships by year",) for passage in slides)


def test_large_tables_become_groups_of_whole_rows() -> None:
    text = "year,value\n" + "".join(f"{1900 + number},{number * 7}\n" for number in range(120))
    passages = split(load_bytes(text.encode(), "years.csv"), max_words=20)
    assert len(passages) >= 6
    assert all(line.count(",") == 1 for passage in passages for line in passage.text.splitlines())
    assert sum(len(passage.text.splitlines()) for passage in passages) == 121


def test_a_heading_with_nothing_under_it_is_found() -> None:
    document = load_bytes(b"# Only a title\n\n# Next\n\nText.", "a.md")
    assert [passage.text for passage in split(document)] == ["# Only a title", "Text."]


def test_impossible_sizes_are_refused() -> None:
    document = load_bytes(b"Text.", "a.txt")
    with pytest.raises(ValueError, match="max_words"):
        split(document, max_words=0)
    with pytest.raises(ValueError, match="max_words"):
        split(document, overlap_sentences=-1)
