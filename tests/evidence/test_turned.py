"""Claims that say with the words of their sentence what it does not say, and claims that only tell it otherwise."""

from __future__ import annotations

import pytest

from deepresearch.evidence import check_support, explain_support
from deepresearch.evidence.turned import turned
from deepresearch.evidence.words import language_of
from deepresearch.model.evidence import Support

BOUGHT = "Northern Ferries acquired Halvard Lines in 2019 for 40 million euros."
WAS_BOUGHT = "Halvard Lines was acquired by Northern Ferries in 2019."
FUEL = "Fuel consumption fell from 7,430 tonnes in 2022 to 6,620 tonnes in 2023."
EXPORTS = "Norway exported 5 tonnes and Denmark 7 tonnes."
REVENUE = "Revenue grew in Norway and shrank in Denmark."
PROFIT = "Profit was higher in 2021 than in 2022."


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        (BOUGHT, "Halvard Lines acquired Northern Ferries in 2019 for 40 million euros."),
        (WAS_BOUGHT, "Halvard Lines acquired Northern Ferries in 2019."),
        (WAS_BOUGHT, "Northern Ferries was acquired by Halvard Lines in 2019."),
        (FUEL, "Fuel consumption rose from 7,430 tonnes in 2022 to 6,620 tonnes in 2023."),
        (FUEL, "Fuel consumption fell from 6,620 tonnes in 2022 to 7,430 tonnes in 2023."),
        (FUEL, "In 2023 fuel consumption was 7,430 tonnes and in 2022 it was 6,620 tonnes."),
        ("The Aurora is faster than the Borealis by 3 knots.", "The Borealis is faster than the Aurora by 3 knots."),
        (REVENUE, "Revenue grew in Denmark and shrank in Norway."),
        (EXPORTS, "Norway exported 7 tonnes and Denmark 5 tonnes."),
        (PROFIT, "Profit was higher in 2022 than in 2021."),
        ("Anna Berg succeeded Jonas Lind as director.", "Jonas Lind succeeded Anna Berg as director."),
        ("The court allowed the sale of the harbour.", "The court prohibited the sale of the harbour."),
        ("Der Umsatz der Werft stieg 2023 in Norwegen.", "Der Umsatz der Werft sank 2023 in Norwegen."),
        (
            "The more people complained, the more visible it was.",
            "The fewer people complained, the more visible it was.",
        ),
        (
            "More than 30 million adults have diabetes and another 84 million adults have prediabetes.",
            "More than 84 million adults have diabetes and another 30 million adults have prediabetes.",
        ),
    ],
)
def test_turned_claims_are_never_supported(sentence: str, claim: str) -> None:
    assert turned(claim, sentence, language_of(claim)).is_turned
    assert check_support(claim, [sentence]).support is not Support.SUPPORTED
    assert check_support(sentence, [sentence]).support is Support.SUPPORTED


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        (BOUGHT, "Halvard Lines was acquired by Northern Ferries in 2019 for 40 million euros."),
        (WAS_BOUGHT, "Northern Ferries acquired Halvard Lines in 2019."),
        (FUEL, "In 2023 consumption of fuel was 6,620 tonnes, down from 7,430 tonnes in 2022."),
        (FUEL, "In 2023 fuel consumption was 6,620 tonnes and in 2022 it was 7,430 tonnes."),
        (REVENUE, "Revenue shrank in Denmark and grew in Norway."),
        (EXPORTS, "Denmark exported 7 tonnes and Norway 5 tonnes."),
        (PROFIT, "Profit was lower in 2022 than in 2021."),
        ("Norway and Denmark signed the treaty in 1951.", "Denmark and Norway signed the treaty in 1951."),
        ("Sales of tickets rose sharply in winter.", "In winter sales of tickets rose sharply."),
        ("Ann Lee married Tom Oak in Bergen in 1950.", "Tom Oak married Ann Lee in Bergen in 1950."),
        ("The fall in costs raised the margin of the yard.", "The margin of the yard rose as costs fell."),
    ],
)
def test_the_same_told_otherwise_is_not_turned(sentence: str, claim: str) -> None:
    assert not turned(claim, sentence, language_of(claim)).is_turned


def test_another_sentence_that_says_it_lifts_the_bar() -> None:
    claim = "Costs of fuel increased in the yard."
    fell, rose = "Costs of fuel fell in the yard before.", "Costs of fuel rose in the yard."
    assert check_support(claim, [fell]).features["turned"] == 1.0
    assert check_support(claim, [fell, rose]).features["turned"] == 0.0


@pytest.mark.parametrize(
    ("sentence", "claim", "said"),
    [
        (BOUGHT, "Halvard Lines acquired Northern Ferries in 2019 for 40 million euros.", "each other's place"),
        (FUEL, "Fuel consumption rose from 7,430 tonnes in 2022 to 6,620 tonnes in 2023.", "“rose” where"),
        (FUEL, "In 2023 fuel consumption was 7,430 tonnes and in 2022 it was 6,620 tonnes.", "another time than 2023"),
    ],
)
def test_the_explanation_names_what_is_turned(sentence: str, claim: str, said: str) -> None:
    would_change = explain_support(claim, [sentence]).would_change
    assert len(would_change) == 1
    assert said in would_change[0]
