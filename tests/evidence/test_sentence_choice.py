from __future__ import annotations

import pytest

from deepresearch.evidence import Candidate, candidates, choose_sentences, find_evidence, rank_sentences

PASSAGE = [
    "The ferry to Inish runs from April to October.",
    "It is named after a bishop.",
    "A single ticket for the ferry costs 12 euros, a return ticket 20 euros.",
    "Bicycles travel on the ferry for free.",
    "The harbour was built in 1903 from local stone.",
]


def test_the_answering_sentence_comes_first() -> None:
    ranked = rank_sentences("How much does a ferry ticket cost?", candidates(PASSAGE, heading="Ferry to Inish"))
    assert ranked[0].index == 2
    assert sorted(entry.index for entry in ranked) == [0, 1, 2, 3, 4]
    assert all(0 <= entry.score <= 1 and 0 <= entry.novelty <= 1 for entry in ranked)
    assert 2 in choose_sentences("How much does a ferry ticket cost?", candidates(PASSAGE))


def test_a_repetition_comes_later() -> None:
    twice = [*PASSAGE, PASSAGE[2]]
    ranked = rank_sentences("How much does a ferry ticket cost?", candidates(twice))
    order = [entry.index for entry in ranked]
    assert order[0] == 2
    assert order.index(5) > 1
    assert next(entry.novelty for entry in ranked if entry.index == 5) == 0.0


def test_evidence_adds_what_is_missing() -> None:
    found = find_evidence("The harbour of 1903 serves a ferry that runs from April to October.", PASSAGE, k=2)
    assert {entry.index for entry in found} == {0, 4}
    assert "harbour" in {word for entry in found for word in entry.adds}


@pytest.mark.parametrize("sentences", [[], ["", " "], ["的的的", "🙂"]])
def test_empty_and_strange_input(sentences: list[str]) -> None:
    assert len(rank_sentences("What is it?", candidates(sentences))) == len(sentences)
    assert find_evidence("What is it?", sentences) == []
    assert rank_sentences("", [Candidate("A sentence.")])[0].index == 0
