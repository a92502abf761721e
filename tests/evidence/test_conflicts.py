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


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "Population of Ferrin was 12,300 in the 2021 census.",
            "In 2021 Ferrin had 14,800 inhabitants.",
        ),
        (
            "Total energy use in 2022 was 310 GWh at the Lindau site.",
            "The Lindau site's total energy consumption for 2022 amounted to 335 GWh.",
        ),
        (
            "The bridge cost €45 million to build.",
            "Construction of the bridge cost €61 million.",
        ),
        (
            "Marlow Foods had 1,250 employees at the end of 2023.",
            "At the end of 2023, Marlow Foods employed 1,410 people.",
        ),
        (
            "Ferry line 3 carried 1.9 million passengers in 2024.",
            "In 2024, 2.3 million passengers travelled on ferry line 3.",
        ),
        (
            "Average salary at Brix was $54,000 in 2020.",
            "In 2020 the average salary at Brix was $61,500.",
        ),
        (
            "Unemployment in Karst stood at 7.4% in March 2024.",
            "Karst's unemployment rate was 8.9 percent in March 2024.",
        ),
        (
            "The reactor was commissioned in 1984.",
            "The reactor was commissioned in 1987.",
        ),
        (
            "The company was founded in 1921 in Graz.",
            "Founded in 1924, the company is based in Graz.",
        ),
        (
            "Der Stromverbrauch des Werks Lindau betrug 2022 42 GWh.",
            "2022 lag der Stromverbrauch des Werks Lindau bei 47 GWh.",
        ),
        (
            "NOx emissions fell to 320 tonnes in 2021 at Dunmore.",
            "Dunmore emitted 410 tonnes of NOx in 2021.",
        ),
        (
            "The survey had 1,204 respondents.",
            "A total of 1,420 respondents took part in the survey.",
        ),
        (
            "Scope 1 emissions of Nordwerk were 12,400 t in 2022.",
            "In 2022 Nordwerk reported Scope 1 emissions of 15,100 t.",
        ),
        (
            "The fleet consists of 14 ferries.",
            "The fleet comprises 17 ferries.",
        ),
        (
            "The vaccine was 94 percent effective in the 2021 trial.",
            "In the 2021 trial, the vaccine was 78 percent effective.",
        ),
        (
            "Renewables supplied 38% of electricity in Norland in 2020.",
            "In 2020, 45% of Norland's electricity came from renewables.",
        ),
    ],
)
def test_conflicts_in_other_words_are_found(first: str, second: str) -> None:
    assert len(find_conflicts([statement(1, first), statement(2, second)])) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "The Aldmoor dam holds 12.4 million cubic metres of water.",
            "The Aldmoor dam is 54 metres high.",
        ),
        (
            "The tunnel is 3.2 km long.",
            "The tunnel is 11 m wide.",
        ),
        (
            "Marlow Foods had 1,250 employees at the end of 2023.",
            "Marlow Foods had 1,410 employees at the end of March 2023.",
        ),
        (
            "Ferry line 3 carried 1.9 million passengers in 2024.",
            "Ferry line 4 carried 2.3 million passengers in 2024.",
        ),
        (
            "Scope 1 emissions of Nordwerk were 12,400 t in 2022.",
            "Scope 2 emissions of Nordwerk were 15,100 t in 2022.",
        ),
        (
            "Revenue was €45 million in 2022.",
            "Profit was €5 million in 2022.",
        ),
        (
            "Marlow Foods had revenue of €45 million in 2022.",
            "Brix Foods had revenue of €51 million in 2022.",
        ),
        (
            "Electricity prices in Norland averaged €45/MWh in 2020.",
            "Gas prices in Norland averaged €25/MWh in 2020.",
        ),
        (
            "Renewables supplied 38% of electricity in Norland in 2020.",
            "Nuclear power supplied 22% of electricity in Norland in 2020.",
        ),
        (
            "Wind supplied 18% of electricity in Norland in 2020.",
            "Renewables supplied 38% of electricity in Norland in 2020.",
        ),
        (
            "The average age of staff at Brix is 41 years.",
            "The average age of staff at Marlow is 44 years.",
        ),
        (
            "The survey had 1,204 respondents.",
            "Of the respondents in the survey, 640 were women.",
        ),
        (
            "Tuition at Halden College was $12,400 in 2021.",
            "Tuition at Halden College was $12,400 in 2021 for residents and $24,000 for others.",
        ),
        (
            "The bridge cost €45 million to build.",
            "Maintenance of the bridge costs €2 million a year.",
        ),
        (
            "In 2021, 12 accidents were recorded at Dunmore.",
            "In 2021, 4 fatal accidents were recorded at Dunmore.",
        ),
        (
            "Exports of wheat reached 2.1 million tonnes in 2019.",
            "Imports of wheat reached 0.4 million tonnes in 2019.",
        ),
        (
            "Exports of wheat reached 2.1 million tonnes in 2019.",
            "Exports of barley reached 1.4 million tonnes in 2019.",
        ),
        (
            "The plant's capacity is 45 MW.",
            "The plant's output averaged 31 MW.",
        ),
        (
            "The plant was closed in 2012.",
            "The plant was opened in 1972.",
        ),
        (
            "The first turbine was installed in 2012.",
            "The second turbine was installed in 2014.",
        ),
        (
            "The company was founded in 1921.",
            "Another company was founded in 1934 in Linz.",
        ),
        (
            "In 2022, Lindau used 42 GWh of electricity.",
            "From January to June 2022, Lindau used 20 GWh of electricity.",
        ),
        (
            "In 2022, Lindau used 42 GWh of electricity.",
            "Over 2020-2022, Lindau used 130 GWh of electricity.",
        ),
        (
            "Sales rose 4% in 2022 at Brix.",
            "Sales were 4.5 million in 2022 at Brix.",
        ),
        (
            "Sales at Brix rose 4% in 2022.",
            "Sales at Brix rose 7% in 2023.",
        ),
        (
            "Sales at Brix rose 4% in Germany in 2022.",
            "Sales at Brix rose 7% in France in 2022.",
        ),
        (
            "The hotel has 120 rooms.",
            "The hotel has 85 employees.",
        ),
        (
            "The hotel has 120 rooms.",
            "The annexe of the hotel has 30 rooms.",
        ),
        (
            "The dose was 5 mg per day.",
            "The dose was 10 mg per day in the second group.",
        ),
        (
            "The population of Ferrin was 12,300 in 2021.",
            "The population density of Ferrin was 340 people per km² in 2021.",
        ),
        (
            "The company plans to cut emissions to 300 t in 2030.",
            "Emissions were 410 t in 2021.",
        ),
        (
            "Turnover without the foundry was €30 million in 2022 at Brix.",
            "Turnover was €45 million in 2022 at Brix.",
        ),
        (
            "Water use was 1.2 million m3 in 2022 in Dunmore.",
            "Water use was 1,180,000 m3 in 2022 in Dunmore.",
        ),
        (
            "Unemployment in Karst stood at 7.4% in March 2024.",
            "Unemployment in Karst stood at 7.9% in April 2024.",
        ),
        (
            "Unemployment among young people in Karst stood at 17.4% in March 2024.",
            "Unemployment in Karst stood at 7.9% in March 2024.",
        ),
        (
            "The 2019 report puts revenue of Brix at €45 million.",
            "The 2021 report puts revenue of Brix at €51 million.",
        ),
        (
            "Maximum temperature was 31 °C in Lindau in July 2022.",
            "Minimum temperature was 11 °C in Lindau in July 2022.",
        ),
        (
            "Brix sold 5,000 bicycles in 2022.",
            "Brix sold 800 electric bicycles in 2022.",
        ),
        (
            "Brix sold 5,000 bicycles in 2022.",
            "Brix sold 5,200 scooters in 2022.",
        ),
        (
            "Table salt costs 1.20 euros per kg in Ferrin.",
            "Table sugar costs 1.80 euros per kg in Ferrin.",
        ),
        (
            "The road is 12 km long.",
            "The path is 9 km long.",
        ),
        (
            "According to the ministry, the unemployment rate will be 6% in 2026 in Karst.",
            "The unemployment rate was 5% in 2026 in Karst.",
        ),
    ],
)
def test_other_matters_are_no_conflict(first: str, second: str) -> None:
    assert find_conflicts([statement(1, first), statement(2, second)]) == []
