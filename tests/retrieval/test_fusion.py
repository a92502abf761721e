"""Fusion, trust, feedback and diversity on values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from deepresearch.model.documents import Passage
from deepresearch.model.retrieval import Hit
from deepresearch.retrieval import mmr, without_near_duplicates
from deepresearch.retrieval.feedback import approach, widen
from deepresearch.retrieval.fusion import Fusion, agreement, fuse, normalised
from deepresearch.retrieval.sparse import TermVector
from deepresearch.retrieval.statistics import TermStatistics

SPARSE = [(1, 10.0), (2, 6.0), (3, 2.0)]
DENSE = [(2, 0.9), (4, 0.5), (1, 0.1)]


def test_scores_are_scaled_between_lowest_and_highest() -> None:
    assert normalised(SPARSE) == {1: 1.0, 2: 0.5, 3: 0.0}
    assert normalised([(7, 3.0), (8, 3.0)]) == {7: 1.0, 8: 1.0}
    assert normalised([]) == {}


def test_a_fused_score_is_the_weighted_sum_of_what_each_leg_gives() -> None:
    fused = fuse({"sparse": SPARSE, "dense": DENSE}, {"sparse": 0.6, "dense": 0.4}, 10)
    assert [one.key for one in fused] == [2, 1, 4, 3]
    assert fused[0].score == pytest.approx(0.6 * 0.5 + 0.4 * 1.0)
    assert fused[0].contributions == pytest.approx({"sparse": 0.3, "dense": 0.4})
    assert fused[1].contributions == pytest.approx({"sparse": 0.6, "dense": 0.0})


def test_legs_that_agree_are_trusted_and_legs_that_do_not_are_not() -> None:
    sparse = [(n, 100.0 - n) for n in range(100)]
    near = [(n, 1.0 - n / 200) for n in range(100)]
    far = [(1_000 + n, 1.0 - n / 200) for n in range(100)]
    assert agreement(sparse, near) > 0.95
    assert agreement(sparse, far) == 0.0
    assert agreement(sparse, []) == agreement([], near) == 0.0
    fusion = Fusion()
    assert fusion.trust(sparse, near) == 1.0
    assert fusion.trust(sparse, far) == 0.0


@pytest.mark.parametrize("trust", [0.0, 0.3, 1.0])
def test_weights_add_up_to_one_and_the_dense_leg_follows_the_trust(trust: float) -> None:
    weights = Fusion().weights(trust)
    assert sum(weights.values()) == pytest.approx(1.0)
    assert (weights["dense"] == 0.0) == (trust == 0.0)
    assert all(weight >= 0.0 for weight in weights.values())


def test_feedback_adds_the_words_of_the_best_passages_and_keeps_the_question_half() -> None:
    question = TermVector([1, 2], [1.0, 1.0])
    passages = [
        TermVector([1, 5, 9], [1.0, 1.0, 1.0]),
        TermVector([1, 5], [1.0, 1.0]),
        TermVector([4], [1.0]),
    ]
    statistics = TermStatistics.of([*passages, *[TermVector([9], [1.0])] * 50], 53)
    widened = widen(question, passages, [1.0, 0.8, 0.0], statistics)
    weights = dict(zip(widened.indices, widened.values, strict=True))
    assert sum(weights.values()) == pytest.approx(1.0)
    assert weights[2] == pytest.approx(0.25)
    assert weights[1] > weights[5] > 0.0
    assert weights[5] > weights[9]
    assert weights.get(4, 0.0) == 0.0
    assert widened.indices == sorted(widened.indices)


def test_feedback_from_nothing_is_the_question() -> None:
    question = TermVector([1, 2], [1.0, 1.0])
    statistics = TermStatistics.of([question], 1)
    for passages, weights in (([], []), ([TermVector([], [])], [1.0]), ([TermVector([3], [1.0])], [0.0])):
        widened = widen(question, passages, weights, statistics)
        assert widened.indices == [1, 2]


def test_the_question_moves_half_way_to_the_best() -> None:
    question = np.array([2.0, 0.0], np.float32)
    np.testing.assert_allclose(approach(question, [[0.0, 5.0]], [0.3]), [1.0, 1.0])
    np.testing.assert_allclose(approach(question, [], []), question)


def hit(name: str, text: str, score: float) -> Hit:
    return Hit(passage=Passage(id=name, sha256=name, start=0, end=len(text), text=text), score=score, legs={})


HITS = [
    hit("a", "The ferry crosses the fjord every morning in summer.", 1.0),
    hit("b", "The ferry crosses the fjord every morning in the summer.", 0.99),
    hit("c", "Rye bread keeps longer than wheat bread.", 0.7),
]


def test_mmr_prefers_what_is_new_and_keeps_the_order_at_balance_one() -> None:
    assert [one.passage.id for one in mmr(HITS, 3, 1.0)] == ["a", "b", "c"]
    assert [one.passage.id for one in mmr(HITS, 3, 0.5)] == ["a", "c", "b"]
    assert [one.passage.id for one in mmr(HITS, 2, 0.5)] == ["a", "c"]
    assert mmr([], 5) == mmr(HITS, 0) == []
    with pytest.raises(ValueError, match="balance"):
        mmr(HITS, 3, 1.5)


def test_near_duplicates_go_but_other_figures_stay() -> None:
    figures = [
        hit("old", "Passenger numbers rose to 4,100 in the year 2022 on the northern line.", 0.9),
        hit("new", "Passenger numbers rose to 4,350 in the year 2022 on the northern line.", 0.8),
        hit("copy", "Passenger numbers rose to 4100 in the year 2022 on the northern line!", 0.7),
    ]
    assert [one.passage.id for one in without_near_duplicates(figures)] == ["old", "new"]
    assert [one.passage.id for one in without_near_duplicates(HITS, 0.6)] == ["a", "c"]
    assert without_near_duplicates([hit("x", "", 1.0), hit("y", "", 0.5)])[0].passage.id == "x"
