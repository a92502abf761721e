"""Series told by sentences of several documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepresearch.corpus import load
from deepresearch.model.documents import Document
from deepresearch.team import questions
from deepresearch.team.computing import requests_for
from deepresearch.team.prose_series import find_prose_series

EARLY = """# Harbour

In 2019 the harbour of Wick handled 410,000 passengers. The weather was mild.

In 2020 the harbour of Wick handled 180,000 passengers.
"""
LATE = """# Harbour, later

The harbour of Wick handled 260,500 passengers in 2021. In 2022 the harbour of Wick handled 1.2 million passengers.

It plans for 3 million passengers in 2030. In 2021 the harbour of Stravan handled 90 passengers.
"""
QUESTION = "How did the number of passengers of the harbour of Wick develop between 2019 and 2022?"


@pytest.fixture
def documents(tmp_path: Path) -> list[Document]:
    (tmp_path / "early.md").write_text(EARLY, encoding="utf-8")
    (tmp_path / "late.md").write_text(LATE, encoding="utf-8")
    return [load(tmp_path / "early.md"), load(tmp_path / "late.md")]


def test_one_fact_of_several_periods_is_a_series(documents: list[Document]) -> None:
    (found,) = find_prose_series(QUESTION, documents)
    assert [(point.label, point.value) for point in found.series.points] == [
        ("2019", 410_000), ("2020", 180_000), ("2021", 260_500), ("2022", 1_200_000),
    ]  # fmt: skip
    texts = {document.sha256: document.text for document in documents}
    for point in found.series.points:
        assert texts[point.quote.sha256][point.quote.start : point.quote.end] == point.quote.quote


def test_it_is_computed_like_a_series_of_a_table(documents: list[Document]) -> None:
    (request,) = requests_for(questions.plan(QUESTION), documents)
    assert [point.value for point in request.series[0].points] == [410_000, 180_000, 260_500, 1_200_000]


def test_two_periods_are_no_series(documents: list[Document]) -> None:
    assert find_prose_series(QUESTION, documents[:1]) == []


def test_a_period_with_two_values_is_left_out(documents: list[Document], tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("In 2020 the harbour of Wick handled 185,000 passengers.\n", encoding="utf-8")
    (found,) = find_prose_series(QUESTION, [*documents, load(tmp_path / "other.md")])
    assert [point.label for point in found.series.points] == ["2019", "2021", "2022"]
