"""What every index must do, whichever engine carries it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError, UsageError
from deepresearch.retrieval import EmbeddedIndex, Filters, Index
from deepresearch.retrieval.server import ServerIndex, connect, remove_collection

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
def embedded(tmp_path: Path) -> Opener:
    return lambda: EmbeddedIndex(tmp_path / "index", wait=0.2)


@pytest.fixture
def client_without_server(tmp_path: Path) -> Opener:
    """The client library's own engine: the same calls, without a server behind them."""
    client = pytest.importorskip("qdrant_client").QdrantClient(path=str(tmp_path / "local"))
    return lambda: ServerIndex(client, "contract")


@pytest.fixture
def server(qdrant_url: str) -> Iterator[Opener]:
    name = f"contract-{uuid.uuid4().hex}"
    with closing(connect(qdrant_url)) as client:
        yield lambda: ServerIndex(client, name)
        remove_collection(client, name)


@pytest.fixture(params=["embedded", "client_without_server", "server"])
def opener(request: pytest.FixtureRequest) -> Opener:
    made: Opener = request.getfixturevalue(request.param)
    return made


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
    after = index.search("rye bread", limit=5)
    assert [hit.passage for hit in after] == [hit.passage for hit in before]
    assert [hit.score for hit in after] == pytest.approx([hit.score for hit in before], abs=1e-5)


def test_a_changed_passage_replaces_the_former(index: Index) -> None:
    index.upsert(PASSAGES)
    index.upsert([passage("ferry-1", "The ferry was replaced by a tunnel.")])
    assert index.count() == len(PASSAGES)
    assert index.search("tunnel")[0].passage.text == "The ferry was replaced by a tunnel."
    assert "eleven" not in {word for hit in index.search("eleven times a day") for word in hit.passage.text.split()}


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


def test_many_languages_in_one_index(index: Index) -> None:
    texts = {
        "de": "Die Fähre überquert den Fjord im Sommer elfmal am Tag, und im Winter ist das nicht so.",
        "fr": "Le traversier est en hausse : les élèves étudient dans les écoles de la région.",
        "ja": "東京都は日本の首都であり、人口は約千四百万人です。",
        "ru": "Паром пересекает фьорд одиннадцать раз в день.",
        "hi": "हिन्दी भारत की एक प्रमुख भाषा है।",
        "ar": "العبّارة تعبر المضيق كل يوم.",
        "en": "The lighthouse keeper counted seals and wrote their number into the book of the harbour.",
    }
    index.upsert(passage(name, text) for name, text in texts.items())
    for question, expected in {
        "Fähren im Fjord": "de",
        "ecole eleve": "fr",
        "首都の人口": "ja",
        "паром фьорд": "ru",
        "भाषा हिन्दी": "hi",
        "العبّارة": "ar",
        "counting seals": "en",
    }.items():
        assert index.search(question)[0].passage.id == expected, question


def test_hostile_texts_are_stored_and_searched(index: Index) -> None:
    hostile = [
        "",
        " \n\t",
        "\x00\x01",
        "\ufffd" * 50,
        "a" * 100_000,
        "'; DROP TABLE passages; --",
        "🙂 " * 500,
        "?" * 10,
    ]
    index.upsert(passage(f"odd-{number}", text) for number, text in enumerate(hostile))
    assert index.count() == len(hostile)
    for text in hostile:
        if text.strip() and len(text) <= 20_000:
            index.search(text)
    with pytest.raises(UsageError, match="shorten"):
        index.search("a" * 100_000)
    assert index.search("drop table passages")[0].passage.text == hostile[5]


def test_an_iterable_that_fails_half_way_leaves_what_came_before(index: Index) -> None:
    def failing() -> Iterator[Passage]:
        for number in range(2_500):
            yield passage(f"many-{number}", f"Passage number {number} about ferries.")
        raise ValueError("the disk was pulled out")

    with pytest.raises(ValueError, match="pulled out"):
        index.upsert(failing())
    assert index.count() == 2_000
    seen: list[int] = []
    index.upsert((passage(f"many-{number}", "Again.") for number in range(1_500)), progress=seen.append)
    assert seen == [1_000, 1_500]
    assert index.count() == 2_000
