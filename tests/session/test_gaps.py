"""What may be asked of a search service after a person's documents have been read."""

from __future__ import annotations

from deepresearch.model.plan import Plan, QuestionType, SubQuestion
from deepresearch.session.gaps import Gaps, words_of
from deepresearch.session.material import Indexed
from deepresearch.session.web_records import WebGathered

SUB = SubQuestion(
    id="S1",
    text="How many berths does the harbour of Tarvik have?",
    type=QuestionType.QUANTITY,
    queries=("berths harbour Tarvik",),
    terms=("berths", "harbour", "Tarvik"),
)
PLAN = Plan(question=SUB.text, type=SUB.type, sub_questions=(SUB,), wants_computation=False)
INDEXED = Indexed(collection=None, passages=0, superseded={})


class Web:
    """Notes what it is asked for and finds nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def gather(self, queries: list[list[str]], limit: int, on_progress: object, known: object) -> WebGathered:
        self.asked += queries[0]
        return WebGathered()


def gaps(web: Web, *, private: bool) -> Gaps:
    return Gaps(
        web,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        30,
        WebGathered,
        lambda _done, _total, _label: None,
        lambda: words_of(PLAN) if private else None,
    )


async def test_no_word_of_a_document_reaches_a_search_service() -> None:
    web = Web()
    wider = SUB.model_copy(update={"queries": (*SUB.queries, "Tarvik berths password hunter2", "account 4711 secret")})
    assert await gaps(web, private=True).close(SUB, wider, INDEXED, []) is None
    assert web.asked == ["Tarvik berths"]


async def test_without_documents_of_a_person_a_query_is_free() -> None:
    web = Web()
    wider = SUB.model_copy(update={"queries": (*SUB.queries, "moorings Tarvik")})
    await gaps(web, private=False).close(SUB, wider, INDEXED, [])
    assert web.asked == ["moorings Tarvik"]


async def test_without_other_queries_one_term_is_left_out_at_a_time() -> None:
    web = Web()
    await gaps(web, private=True).close(SUB, None, INDEXED, [])
    assert web.asked == ["harbour Tarvik", "berths Tarvik", "berths harbour"]


async def test_rounds_and_pages_are_bounded() -> None:
    web = Web()
    assert await gaps(web, private=True).close(SUB, None, INDEXED, [WebGathered(), WebGathered()]) is None
    assert web.asked == []
