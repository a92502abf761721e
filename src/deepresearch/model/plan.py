"""What is asked: a question and its parts."""

from __future__ import annotations

from enum import StrEnum

from deepresearch.model.base import Value


class QuestionType(StrEnum):
    """What kind of answer a question wants."""

    DEFINITION = "definition"
    FACT = "fact"
    QUANTITY = "quantity"
    TIME = "time"
    TREND = "trend"
    COMPARISON = "comparison"
    CAUSE = "cause"
    LIST = "list"


class SubQuestion(Value):
    """One part of a question. `queries` are what is searched for; `terms` what an answer has to speak of."""

    id: str
    text: str
    type: QuestionType
    queries: tuple[str, ...]
    terms: tuple[str, ...]


class Plan(Value):
    """A question taken apart. `wants_computation` asks the mathematician for a number or a figure."""

    question: str
    type: QuestionType
    sub_questions: tuple[SubQuestion, ...]
    wants_computation: bool
