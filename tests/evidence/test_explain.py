from __future__ import annotations

import math

import pytest

from deepresearch.evidence import check_support, explain_support
from deepresearch.model.evidence import Support

EVIDENCE = [
    "The Lindau plant used 42 GWh of electricity in 2022.",
    "It belongs to the Nordwerk group.",
    "Snow fell in March.",
]


@pytest.mark.parametrize(
    "claim",
    [
        "The Lindau plant used 43 GWh in 2022.",
        "Lindau belongs to Nordwerk.",
        "Swans sing at night.",
        "",
        "Snow fell in March.",
    ],
)
def test_the_explanation_is_of_the_same_verdict(claim: str) -> None:
    assert explain_support(claim, EVIDENCE).check == check_support(claim, EVIDENCE)


def test_a_missing_number_is_named() -> None:
    explanation = explain_support("The Lindau plant used 43 GWh of electricity in 2022.", EVIDENCE)
    assert explanation.to_next_band > 0
    assert "“43 GWh”" in explanation.would_change[0]


def test_missing_words_are_named_and_spans_are_exact() -> None:
    explanation = explain_support(
        "The Lindau plant of the Nordwerk group used 42 GWh of electricity for smelting.", EVIDENCE
    )
    assert any("“smelting”" in sentence for sentence in explanation.would_change)
    first = explanation.sentences[0]
    assert first.text == EVIDENCE[0]
    assert {first.text[start:end] for start, end in first.shared} >= {"Lindau", "plant", "42", "electricity"}
    assert explanation.sentences[1].adds == ("Nordwerk", "group")


def test_contributions_add_up_to_the_score() -> None:
    explanation = explain_support("The plant at Lindau needed much electricity in 2022.", EVIDENCE)
    estimate = 1 / (1 + math.exp(-sum(explanation.contributions.values())))
    assert explanation.check.score == pytest.approx(estimate, abs=0.001)


def test_without_evidence_the_reason_is_said() -> None:
    explanation = explain_support("Snow fell.", [])
    assert explanation.check.support is Support.UNSUPPORTED
    assert explanation.would_change == ("There is no evidence to compare with.",)
