"""What every index must do, whichever engine carries it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError, UsageError
from deepresearch.retrieval import EmbeddedIndex, Filters, Index

Opener = Callable[[], Index]

TEXTS = {
    "ferry-1": "The ferry crosses the fjord eleven times a day in summer.",
    "ferry-2": "In winter the ferry crosses only four times, and never during a storm.",
    "bakery-1": "The bakery sold 1,250 loaves of rye bread in March 2024.",
    "bakery-2": "Rye bread keeps longer than wheat bread because of its acidity.",
    "harbour-1": "The harbour master records every vessel that enters the fjord.",
}


def passage(name: str, text: str, kind: str = "prose") -> Passage:
    return Passage(
        id=name,
        sha256=name.split("-", maxsplit=1)[0],
        start=0,
        end=len(text),
        text=text,
        kind=kind,
        page=3,
        heading_path=("Notes",),
    )


PASSAGES = [passage(name, text) for name, text in TEXTS.items()]


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    return lambda: EmbeddedIndex(tmp_path / "index", wait=0.2)


@pytest.fixture
def index(opener: Opener) -> Iterator[Index]:
    opened = opener()
    yield opened
    opened.close()


def test_finds_the_passage_and_gives_it_back_whole(index: Index) -> None:
    index.upsert(PASSAGES)
    hit = index.search("How much rye bread was sold?")[0]
    assert hit.passage == PASSAGES[2]


def test_explains_every_hit_by_rank_score_and_contribution(index: Index) -> None:
    index.upsert(PASSAGES)
    hits = index.search("ferry in winter")
    assert hits[0].passage.id == "ferry-2"
    for hit in hits:
        assert set(hit.legs) <= {"sparse", "feedback", "dense"}
        assert hit.score == pytest.approx(sum(leg.contribution for leg in hit.legs.values()))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits[0].legs["sparse"].rank == 1


def test_storing_twice_changes_nothing(index: Index) -> None:
    index.upsert(PASSAGES)
    before = index.search("rye bread", limit=5)
    assert index.upsert(PASSAGES) == len(PASSAGES)
    assert index.count() == len(PASSAGES)
    assert index.search("rye bread", limit=5) == before


def test_a_changed_passage_replaces_the_former(index: Index) -> None:
    index.upsert(PASSAGES)
    index.upsert([passage("ferry-1", "The ferry was replaced by a tunnel.")])
    assert index.count() == len(PASSAGES)
    assert index.search("tunnel")[0].passage.text == "The ferry was replaced by a tunnel."
    assert "eleven" not in {
        word for hit in index.search("eleven times a day") for word in hit.passage.text.split()
    }


def test_deletes_whole_documents_and_knows_which_are_left(index: Index) -> None:
    index.upsert(PASSAGES)
    assert index.documents() == {"ferry", "bakery", "harbour"}
    index.delete(["bakery", "never-stored"])
    assert index.documents() == {"ferry", "harbour"}
    assert index.count() == 3
    assert all(hit.passage.sha256 != "bakery" for hit in index.search("rye bread fjord"))


def test_filters_by_document_kind_tag_and_date(index: Index) -> None:
    index.upsert(PASSAGES[:2], tags=["sea"], dates={"ferry": datetime.date(2023, 5, 1)})
    index.upsert(PASSAGES[2:4], tags=["food", "trade"], dates={"bakery": datetime.date(2024, 4, 2)})
    index.upsert([passage("harbour-1", TEXTS["harbour-1"], kind="table")])
    question = "fjord ferry rye bread vessel"

    def found(filters: Filters) -> set[str]:
        return {hit.passage.id for hit in index.search(question, filters=filters)}

    assert found(Filters(sha256s=("ferry",))) == {"ferry-1", "ferry-2"}
    assert found(Filters(kinds=("table",))) == {"harbour-1"}
    assert found(Filters(tags=("trade", "sea"))) == {"ferry-1", "ferry-2", "bakery-1", "bakery-2"}
    assert found(Filters(date_from=datetime.date(2024, 1, 1))) == {"bakery-1", "bakery-2"}
    assert found(Filters(date_to=datetime.date(2023, 5, 1))) == {"ferry-1", "ferry-2"}
    assert found(Filters(tags=("sea",), kinds=("table",))) == set()


def test_an_empty_text_or_limit_is_refused(index: Index) -> None:
    with pytest.raises(UsageError, match="empty"):
        index.search(" \n ")
    with pytest.raises(UsageError, match="limit"):
        index.search("ferry", limit=0)


def test_stop_words_alone_or_an_empty_index_find_nothing(index: Index) -> None:
    assert index.search("ferry") == []
    index.upsert(PASSAGES)
    assert index.search("what is the of and") == []
    assert index.search("?!") == []


def test_opens_again_with_everything_in_it(opener: Opener) -> None:
    with opener() as index:
        index.upsert(PASSAGES)
        before = index.search("rye bread in March")
    with opener() as index:
        assert index.search("rye bread in March") == before
        assert index.count() == len(PASSAGES)


def test_a_closed_index_says_so(opener: Opener) -> None:
    index = opener()
    index.close()
    index.close()
    with pytest.raises(IndexingError, match="closed"):
        index.search("ferry")
    with pytest.raises(IndexingError, match="closed"):
        index.upsert(PASSAGES)
