from __future__ import annotations

import pytest

from deepresearch.evidence import check_support
from deepresearch.model.evidence import Support

EVIDENCE = [
    "The Lindau plant used 42 GWh of electricity in 2022, down from 45 GWh the year before.",
    "Most of it was generated on site by two turbines.",
    "It is not true that the plant exports power.",
]


@pytest.mark.parametrize(
    "claim",
    [
        "Most of it was generated on site by two turbines.",
        "most of it was generated on site by two turbines",
        "The Lindau plant used 42 GWh of electricity in 2022",
    ],
)
def test_words_that_stand_there_are_supported(claim: str) -> None:
    check = check_support(claim, EVIDENCE)
    assert check.support is Support.SUPPORTED
    assert check.score > 0.95
    assert check.missing == ()


@pytest.mark.parametrize(
    ("claim", "missing"),
    [
        ("The Lindau plant used 43 GWh of electricity in 2022.", "43 GWh"),
        ("The Lindau plant used 42 GWh of electricity in 2021.", "2021"),
        ("The Lindau plant used 42 MWh of electricity in 2022.", "42 MWh"),
        ("Most of it was generated on site by three turbines.", "three"),
        ("The Lindau plant used 42 GWh of electricity in 2022, down from 46 GWh the year before.", "46 GWh"),
    ],
)
def test_a_wrong_number_is_never_supported(claim: str, missing: str) -> None:
    check = check_support(claim, EVIDENCE)
    assert check.support is not Support.SUPPORTED
    assert missing in check.missing


def test_a_converted_and_a_rounded_number_are_found() -> None:
    check = check_support("The Lindau plant used about 42,000 MWh of electricity in 2022.", EVIDENCE)
    assert "42,000 MWh" not in check.missing
    assert check.features["numbers_missing"] == 0


def test_a_denied_sentence_is_not_verbatim_support() -> None:
    check = check_support("The plant exports power.", ["It is not true that the plant exports power."])
    assert "verbatim" not in check.features


def test_other_matter_is_unsupported() -> None:
    check = check_support("The mayor of Bregenz opened a library with sixty rooms for musicians.", EVIDENCE)
    assert check.support is Support.UNSUPPORTED
    assert check.score < 0.2


@pytest.mark.parametrize("evidence", [[], [""], ["   ", "\n"]])
def test_no_evidence_is_no_support(evidence: list[str]) -> None:
    check = check_support("The plant used 42 GWh.", evidence)
    assert (check.support, check.score) == (Support.UNSUPPORTED, 0.0)


@pytest.mark.parametrize("claim", ["", "  ", "!!!", "的", "🙂🙂", "a" * 20_000])
def test_strange_claims_get_a_verdict(claim: str) -> None:
    check = check_support(claim, EVIDENCE)
    assert 0.0 <= check.score <= 1.0
    assert check.support is not Support.SUPPORTED


def test_one_long_piece_is_read_as_sentences() -> None:
    check = check_support("Most of it was generated on site by two turbines.", [" ".join(EVIDENCE * 3)])
    assert check.support is Support.SUPPORTED
