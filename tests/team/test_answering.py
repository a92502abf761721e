"""Whether a sentence gives the kind of thing that a question asks for."""

from __future__ import annotations

import pytest

from deepresearch.team.answering import gives_type
from deepresearch.team.questions import plan


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How many quays does the harbour have?", "It has four quays for ferries."),
        ("How many ships does the line own?", "The ships of the line: 6, all of them hybrid."),
        ("How many people work there?", "At the end of 2024 the cooperative employed 214 people."),
        ("How many employees are there?", "The yard has a staff of 88."),
        ("How many six-car trains were bought?", "The board bought 12 six-car trains in 2020."),
        ("How much fuel was burned?", "The fleet burned 840 tonnes of diesel."),
        ("Wie viele Schiffe hat die Reederei?", "Die Reederei besitzt sieben Schiffe."),
    ],
)
def test_a_count_of_what_is_asked(question: str, sentence: str) -> None:
    assert gives_type(plan(question).sub_questions[0], sentence)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How many ships are there?", "In 1994 the islanders bought the ships from the receiver."),
        (
            "How many ships are there?",
            "On 3 March 2022 the supply at berths 1 and 2 was switched on for all the ships.",
        ),
        ("How many quays does the harbour have?", "The harbour has 240 parking places beside a long row of old quays."),
        ("How many islands are there?", "Many members of the crews live on one of the islands."),
        ("How many people work there?", "The cooperative employed people from all islands in 2024."),
    ],
)
def test_another_number_is_no_answer(question: str, sentence: str) -> None:
    assert not gives_type(plan(question).sub_questions[0], sentence)
