"""A document cut into passages: the pieces that are indexed, found and cited."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from deepresearch.corpus.sentence_bounds import guess_language, iterate_sentences
from deepresearch.model.documents import Document, Heading, Passage, Table

WORD = re.compile(r"\w+")
# Scripts without spaces: some two characters make a word.
WIDE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

ROW_MARKS = frozenset('|"{}[] ')


@dataclass(frozen=True)
class _Region:
    start: int
    end: int
    path: tuple[str, ...]
    table: Table | None = None


def split(document: Document, max_words: int = 160, overlap_sentences: int = 1) -> list[Passage]:
    """The passages of `document` in reading order.

    Prose becomes runs of whole sentences of at most `max_words` words, each run beginning with the last
    `overlap_sentences` sentences of the one before; a single sentence may be longer. No run crosses a
    heading, a page or a table. Each table becomes groups of whole rows. A heading with nothing under it is
    a passage itself.

    Raises `ValueError` for `max_words` below 1 or a negative overlap.
    """
    if max_words < 1 or overlap_sentences < 0:
        raise ValueError("max_words must be at least 1 and overlap_sentences not negative")
    language = guess_language(document.text)
    page_starts = [page.start for page in document.pages]
    passages: list[Passage] = []
    for region in _regions(document):
        if region.table is not None:
            spans: Iterator[tuple[int, int]] = _row_groups(region.table, document.text, max_words)
        else:
            spans = _runs(document.text, region, language, max_words, overlap_sentences)
        kind = "prose" if region.table is None else "table"
        for start, end in spans:
            page = bisect_right(page_starts, start) - 1
            passages.append(
                Passage(
                    id=f"{document.sha256[:16]}:{start}-{end}",
                    sha256=document.sha256,
                    start=start,
                    end=end,
                    text=document.text[start:end],
                    kind=kind,
                    page=document.pages[page].number if page >= 0 else None,
                    heading_path=region.path,
                )
            )
    return passages


def _regions(document: Document) -> Iterator[_Region]:
    """Stretches of prose between headings, pages and tables, and the tables, in order."""
    events: list[tuple[int, int, Heading | Table | None]] = []
    events.extend((heading.start, 1, heading) for heading in document.headings)
    events.extend((table.start, 2, table) for table in document.tables)
    events.extend((page.start, 0, None) for page in document.pages)
    events.sort(key=lambda event: event[:2])
    path: list[Heading] = []
    place = 0
    bare: Heading | None = None  # the last heading, while nothing stands under it

    def titles() -> tuple[str, ...]:
        return tuple(heading.title for heading in path)

    for start, _, event in events:
        if start > place and not document.text[place:start].isspace():
            yield _Region(place, start, titles())
            bare = None
        place = max(place, start)
        if isinstance(event, Heading):
            if event.end <= place and event.start < place:
                continue
            if bare is not None and event.level <= bare.level:
                yield _Region(bare.start, bare.end, titles()[:-1])
            while path and path[-1].level >= event.level:
                path.pop()
            path.append(event)
            place = max(place, event.end)
            bare = event
        elif isinstance(event, Table):
            yield _Region(event.start, event.end, titles(), event)
            place = max(place, event.end)
            bare = None
    if place < len(document.text) and not document.text[place:].isspace():
        yield _Region(place, len(document.text), titles())
        bare = None
    if bare is not None:
        yield _Region(bare.start, bare.end, titles()[:-1])


def _runs(text: str, region: _Region, language: str, limit: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Ranges of whole sentences, taken one by one: a text of millions of them needs no memory for a list."""
    run: list[tuple[int, int, int]] = []  # start, end, words
    words = 0
    for start, end in iterate_sentences(text, region.start, region.end, language):
        size = count_words(text, start, end)
        if run and words + size > limit:
            yield run[0][0], run[-1][1]
            # The overlap must leave room for the new sentence, and must not be the whole run again.
            kept = run[max(1, len(run) - overlap) :] if overlap else []
            while kept and sum(one[2] for one in kept) + size > limit:
                kept = kept[1:]
            run, words = kept, sum(one[2] for one in kept)
        run.append((start, end, size))
        words += size
    if run:
        yield run[0][0], run[-1][1]


def _row_groups(table: Table, text: str, limit: int) -> Iterator[tuple[int, int]]:
    start: int | None = None
    end = words = 0
    for row in table.rows:
        row_start = max(end, _widened(text, min(cell.start for cell in row), table.start, -1))
        row_end = _widened(text, max(row_start, *(cell.end for cell in row)), table.end, 1)
        if row_start >= row_end or text[row_start:row_end].isspace():
            continue
        size = count_words(text, row_start, row_end)
        if start is not None and words + size > limit:
            yield start, end
            start, words = None, 0
        start = row_start if start is None else start
        end, words = row_end, words + size
    if start is not None and start < end:
        yield start, end


def _widened(text: str, place: int, bound: int, step: int) -> int:
    """Take the marks around a row's first or last cell with it: pipes, quotes, brackets, keys of JSON."""
    if step < 0:
        while place > bound and text[place - 1] in ROW_MARKS:
            place -= 1
    else:
        while place < bound and text[place] in ROW_MARKS:
            place += 1
    return place


def count_words(text: str, start: int, end: int) -> int:
    """Words in `text[start:end]`; in scripts without spaces every two characters count as one."""
    part = text[start:end]
    if part.isascii():
        return len(part.split())
    wide = len(WIDE.findall(part))
    return len(part.split()) + wide // 2
