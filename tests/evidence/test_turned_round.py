"""Sentences that turn their evidence round with its own words, and sentences that only put it in others."""

from __future__ import annotations

import pytest

from deepresearch.evidence.turned import turned_round, wrong_way

FUEL = "Fuel consumption fell from 7,430 tonnes in 2022 to 6,620 tonnes in 2023."
TIMBER = "Most of the cargo was timber from the north."
MASTER = "The harbour master is Ilse Tamm, who was appointed in 2019 after the flood."
BOARD = "The board approved the hybrid conversion at a cost of 9.4 million euros; the yard made the lowest offer."
STEAM = "Slow steaming means sailing at a lower speed than the one a ship was designed for, in order to burn less fuel."


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Fuel consumption rose from 7,430 tonnes in 2022 to 6,620 tonnes in 2023.", FUEL),
        ("Fuel consumption fell from 6,620 tonnes in 2022 to 7,430 tonnes in 2023.", FUEL),
        ("Fuel consumption fell from 7,430 tonnes in 2023 to 6,620 tonnes in 2022.", FUEL),
        ("In 2022 fuel consumption was 6,620 tonnes and in 2023 it was 7,430 tonnes.", FUEL),
        ("Fuel consumption was 6,620 tonnes in 2022.", FUEL),
        ("Most of the cargo was timber from the south.", TIMBER),
        ("Little of the cargo was timber from the north.", TIMBER),
        ("Ilse Tamm was appointed in 2019 before the flood.", MASTER),
        ("The board rejected the hybrid conversion.", BOARD),
        ("The yard made the highest offer.", BOARD),
        ("Slow steaming means sailing at a higher speed to burn more fuel.", STEAM),
    ],
)
def test_turned_round(claim: str, evidence: str) -> None:
    assert turned_round(claim, [evidence]) is not None


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        (FUEL, FUEL),
        ("Fuel consumption fell to 6,620 tonnes in 2023 from 7,430 tonnes in 2022.", FUEL),
        ("Fuel consumption declined from 7,430 to 6,620 tonnes between 2022 and 2023.", FUEL),
        ("In 2023, 6,620 tonnes of fuel were used, down from 7,430 tonnes in 2022.", FUEL),
        ("Timber from the north made up most of the cargo.", TIMBER),
        ("Ilse Tamm has been harbour master since 2019.", MASTER),
        ("The hybrid conversion was accepted by the board and cost 9.4 million euros.", BOARD),
        ("Slow steaming is sailing below a ship's design speed to save fuel.", STEAM),
        ("Ships rose from 1,102 in 2020 to 1,284 in 2023, before they fell to 900 in 2024.", "Anything at all."),
        ("", FUEL),
    ],
)
def test_put_in_other_words(claim: str, evidence: str) -> None:
    assert turned_round(claim, [evidence]) is None


def test_a_rise_to_less_is_none() -> None:
    assert wrong_way("It rose from 12.5 % to 11.9 %.") is not None
    assert wrong_way("It rose from 2014 to 2024.") is None
    assert wrong_way("It rose from 1,102 in 2020 to 1,284 in 2023.") is None
