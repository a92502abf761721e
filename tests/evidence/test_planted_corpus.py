"""The planted corpus: precision at least .95, recall at least .8, for conflicts and for superseded versions."""

from __future__ import annotations

import pytest
from tests.evidence.planted_corpus import PlantedCorpus, planted_corpus

from deepresearch.evidence import find_conflicts, find_superseded

SEEDS = (0, 11, 2024)


@pytest.fixture(scope="module", params=SEEDS)
def corpus(request: pytest.FixtureRequest) -> PlantedCorpus:
    return planted_corpus(int(request.param))


def test_planted_conflicts_are_found(corpus: PlantedCorpus) -> None:
    found = [
        {corpus.fact_of.get(claim, "") for claim in conflict.claims} for conflict in find_conflicts(corpus.statements)
    ]
    right = [facts for facts in found if len(facts) == 1 and facts <= corpus.conflicts]
    assert len(corpus.documents) == 200
    assert len(corpus.conflicts) >= 26
    assert len(right) / len(found) >= 0.95
    assert len(set().union(*right)) / len(corpus.conflicts) >= 0.8


def test_planted_versions_are_found(corpus: PlantedCorpus) -> None:
    found = find_superseded(corpus.documents)
    right = [old for old, new in found.items() if corpus.superseded.get(old) == new]
    assert len(right) / len(found) >= 0.95
    assert len(right) / len(corpus.superseded) >= 0.8
