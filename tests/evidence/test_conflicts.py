from __future__ import annotations

from datetime import date

import pytest

from deepresearch.evidence import Statement, find_conflicts


def statement(number: int, text: str, **more: object) -> Statement:
    return Statement.model_validate(
        {"id": f"C{number}", "text": text, "sha256": str(number), "source": f"/sources/{number}.md"} | more
    )


def test_two_values_for_one_thing_conflict_newest_first() -> None:
    (conflict,) = find_conflicts(
        [
            statement(1, "The Lindau plant used 42 GWh of electricity in 2022.", date=date(2023, 1, 5)),
            statement(
                2, "In 2022, electricity consumption at the Lindau plant came to 45,000 MWh.", date=date(2024, 2, 1)
            ),
        ]
    )
    assert conflict.claims == ("C2", "C1")
    assert conflict.kind == "number"
    assert "45,000 MWh (2.md, 2024-02-01) against 42 GWh (1.md, 2023-01-05)" in conflict.note


def test_two_dates_of_one_event_conflict() -> None:
    (conflict,) = find_conflicts(
        [statement(1, "The Lindau plant was opened in 1998."), statement(2, "The Lindau plant opened in May 2001.")]
    )
    assert conflict.kind == "date"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "The Lindau plant used 45 GWh of electricity in 2021.",
        ),
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "The Bregenz plant used 45 GWh of electricity in 2022.",
        ),
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "The Lindau plant used 42,100 MWh of electricity in 2022.",
        ),
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "The Lindau plant used about 40 GWh of electricity in 2022.",
        ),
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "The Lindau plant used more than 40 GWh of electricity in 2022.",
        ),
        ("The Lindau plant used 42 GWh of electricity in 2022.", "The Lindau plant used 42 GWh of gas in 2022."),
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "The Lindau plant is expected to use 50 GWh of electricity in 2022.",
        ),
        (
            "The Lindau plant used 42 GWh of electricity in 2022.",
            "Unit 2 of the Lindau plant used 20 GWh of electricity in 2022.",
        ),
        (
            "The share of women at Lindau rose by 3 percent in 2022.",
            "The share of women at Lindau rose by 3.5 percentage points in 2022.",
        ),
        ("Net revenue of Nordwerk was €5 million in 2022.", "Gross revenue of Nordwerk was €8 million in 2022."),
        ("Revenue of Nordwerk grew by 5 % in 2022.", "Revenue of Nordwerk grew to 8 % of the group in 2022."),
        ("The Lindau plant used 42 GWh of electricity in 2022.", "The Lindau plant used 3,000 tonnes of coal in 2022."),
        ("The Lindau plant opened in May 2001.", "The Lindau plant was opened in 2001."),
        (
            "Did the Lindau plant use 42 GWh of electricity in 2022?",
            "The Lindau plant used 45 GWh of electricity in 2022.",
        ),
    ],
)
def test_what_only_looks_alike_is_no_conflict(first: str, second: str) -> None:
    assert find_conflicts([statement(1, first), statement(2, second)]) == []


def test_one_document_and_its_own_later_version_do_not_conflict() -> None:
    both = [
        statement(1, "The Lindau plant used 42 GWh of electricity in 2022."),
        statement(2, "The Lindau plant used 45 GWh of electricity in 2022."),
    ]
    assert len(find_conflicts(both)) == 1
    assert find_conflicts(both, superseded={"1": "2"}) == []
    assert find_conflicts([both[0], both[1].model_copy(update={"sha256": "1"})]) == []


def test_a_repeated_origin_is_no_second_voice() -> None:
    text = "The Lindau plant used 42 GWh of electricity in 2022."
    (conflict,) = find_conflicts(
        [
            statement(1, text, origin="agency"),
            statement(2, text, origin="agency"),
            statement(3, "The Lindau plant used 45 GWh of electricity in 2022.", origin="plant"),
        ]
    )
    assert len(conflict.claims) == 2
    assert "C3" in conflict.claims


def test_the_heading_gives_the_year_and_the_place() -> None:
    found = find_conflicts(
        [
            statement(1, "Electricity consumption was 42 GWh.", title="Lindau plant 2022"),
            statement(2, "Electricity consumption was 45 GWh.", title="Lindau plant 2022"),
            statement(3, "Electricity consumption was 47 GWh.", title="Lindau plant 2023"),
        ]
    )
    assert [set(conflict.claims) for conflict in found] == [{"C1", "C2"}]
