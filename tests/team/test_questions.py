"""Questions are typed by their words and taken apart where they ask several things."""

from __future__ import annotations

import pytest

from deepresearch.model.plan import QuestionType
from deepresearch.team import questions


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What is slow steaming?", QuestionType.DEFINITION),
        ("When did the MV Osmer return to service?", QuestionType.TIME),
        ("How many passengers can it carry?", QuestionType.QUANTITY),
        ("What was the average price of fuel?", QuestionType.QUANTITY),
        ("How did emissions change between 2014 and 2024?", QuestionType.TREND),
        ("What is the trend of electricity use?", QuestionType.TREND),
        ("Why did fuel consumption fall in 2023?", QuestionType.CAUSE),
        ("What caused the delay?", QuestionType.CAUSE),
        ("Which route was more punctual, A or B?", QuestionType.COMPARISON),
        ("Which vessels belong to the fleet?", QuestionType.LIST),
        ("Who signed the contract?", QuestionType.FACT),
        ("Warum sank der Verbrauch?", QuestionType.CAUSE),
    ],
)
def test_types(question: str, kind: QuestionType) -> None:
    assert questions.classify(question) is kind


def test_a_double_question_has_two_parts_and_the_second_keeps_its_subject() -> None:
    plan = questions.plan("How did CO2 emissions change between 2014 and 2024, and why?")
    assert [sub.type for sub in plan.sub_questions] == [QuestionType.TREND, QuestionType.CAUSE]
    assert "emissions" in plan.sub_questions[1].text
    assert plan.wants_computation


def test_one_question_stays_one() -> None:
    plan = questions.plan("How do wind and waves affect sailings?")
    assert len(plan.sub_questions) == 1
    assert set(plan.sub_questions[0].terms) == {"wind", "waves", "affect", "sailings"}


def test_every_plan_has_a_sub_question_with_a_query() -> None:
    for question in ("why?", "2019?", "…and then?", "日本の首都はどこですか", "a" * 5000):
        plan = questions.plan(question)
        assert plan.sub_questions
        assert all(query.strip() for sub in plan.sub_questions for query in sub.queries)
