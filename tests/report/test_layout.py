"""What is numbered how, and what documents are called."""

from __future__ import annotations

import pytest
from tests.report.material import Shelf, claim, ferry_report

from deepresearch.model.mathematics import DataPoint, Series
from deepresearch.report.excerpts import excerpt
from deepresearch.report.layout import arrange
from deepresearch.report.names import readable_number, readable_time, readable_value, short_names
from deepresearch.report.visible import one_line, visible


def test_references_in_the_answer_are_found_only_for_claims_that_exist() -> None:
    report, texts, _ = ferry_report()
    layout = arrange(
        report.model_copy(update={"answer": "One [C1, C2] two [C99] three [1] four [C3].\n\nFive"}),
        texts.__getitem__,
    )
    first, second = layout.answer
    assert [part.text for part in first] == ["One", "C1", "C2", " two [C99] three [1] four", "C3", "."]
    assert [part.entry.claim.id for part in first if part.entry] == ["C1", "C2", "C3"]
    assert [part.text for part in second] == ["Five"]


def test_the_same_words_at_the_same_place_have_one_number() -> None:
    report, texts, _ = ferry_report()
    layout = arrange(report, texts.__getitem__)
    numbers = [quote.number for quote in layout.quotes + layout.data_quotes]
    assert numbers == list(range(1, 20))
    first_cell = layout.computations[0].tables[0].rows[0][1][0]
    assert first_cell.quote is layout.topics[0].entries[0].quotes[0]


def test_claims_are_grouped_by_id_or_words_of_their_sub_question_and_none_is_lost() -> None:
    report, texts, _ = ferry_report()
    odd = (report.claims[0].model_copy(update={"sub_question": report.sub_questions[1].text}),)
    lost = (report.claims[1].model_copy(update={"sub_question": "S77"}),)
    layout = arrange(report.model_copy(update={"claims": odd + lost}), texts.__getitem__)
    groups = {topic.title: [entry.claim.id for entry in topic.entries] for topic in layout.topics}
    assert groups[report.sub_questions[1].text] == ["C1"]
    assert groups["S77"] == ["C2"]
    assert groups[report.sub_questions[0].text] == []


def test_series_share_a_table_by_axis_and_lose_no_value() -> None:
    shelf = Shelf()
    shelf.add("/a/t.csv", "1 2 3 4", "t")
    quotes = [shelf.quote("/a/t.csv", digit) for digit in "1234"]

    def series(name: str, axis: str, labels: str) -> Series:
        points = tuple(DataPoint(label=x, value=n, quote=quotes[n]) for n, x in enumerate(labels))
        return Series(name=name, unit="", axis=axis, points=points)

    report, _, _ = ferry_report()
    script = report.scripts[0].model_copy(
        update={"series": (series("a", "Year", "xyz"), series("b", "Year", "yzw"), series("c", "Year", "xx"))}
    )
    layout = arrange(
        report.model_copy(update={"scripts": (script,), "claims": (claim("C1", "t", "S1", ()),)}),
        shelf.texts.__getitem__,
    )
    shared, alone = layout.computations[0].tables
    assert shared.columns == ("a", "b")
    assert [(label, [cell.text for cell in cells]) for label, cells in shared.rows] == [
        ("x", ["0", ""]), ("y", ["1", "0"]), ("z", ["2", "1"]), ("w", ["", "2"]),
    ]  # fmt: skip
    assert [(label, cells[0].text) for label, cells in alone.rows] == [("x", "0"), ("x", "1")]


def test_an_excerpt_has_whole_words_around_the_exact_quote() -> None:
    shelf = Shelf()
    text = "alpha " * 200 + "THE QUOTE" + " omega" * 200
    shelf.add("/a", text, "a")
    found = excerpt(shelf.quote("/a", "THE QUOTE"), shelf.texts.__getitem__, 400)
    assert found is not None
    assert found.before + found.words + found.after in text
    assert found.before.startswith("alpha ") and found.after.endswith(" omega")
    assert 360 <= len(found.before) <= 400 and 360 <= len(found.after) <= 400
    assert found.cut_before and found.cut_after
    whole = excerpt(shelf.quote("/a", text), shelf.texts.__getitem__, 400)
    assert whole is not None and not whole.cut_before and not whole.cut_after and whole.before == whole.after == ""


@pytest.mark.parametrize(
    ("sources", "names"),
    [
        (["/home/e/docs/a/x.md", "/home/e/docs/b/y.md"], ["a/x.md", "b/y.md"]),
        (["/x.md"], ["x.md"]),
        (["/a/x.md", "/b/x.md"], ["a/x.md", "b/x.md"]),
        (["/a/b c/ü 🚢.md"], ["ü 🚢.md"]),
        (["https://host.example/p?q=1", "/a/x.md"], ["host.example/p?q=1", "x.md"]),
        (["x.md", "/a/x.md"], ["x.md", "/a/x.md"]),
        (["http://[broken", ""], ["http://[broken", ""]),
    ],
)
def test_short_names_keep_sources_apart(sources: list[str], names: list[str]) -> None:
    assert list(short_names(sources).values()) == names


def test_numbers_and_times_read_well() -> None:
    values: list[float | str] = [
        31483.0,
        4.6,
        -12664,
        0.1 + 0.2,
        1e300,
        float("nan"),
        float("inf"),
        "<b>",
        True,
    ]
    assert [readable_number(value) for value in values] == [
        "31,483", "4.6", "-12,664", "0.3", "1e+300", "nan", "inf", "<b>", "1",
    ]  # fmt: skip
    assert readable_value("change_percent", -40.2) == ("change", "-40.2 %")
    assert readable_time("2026-11-28T05:18:50+00:00") == "28 November 2026, 05:18 UTC"
    assert readable_time("2026-11-28T05:18:50Z") == "28 November 2026, 05:18 UTC"
    assert readable_time("yesterday") == "yesterday"


def test_unseen_characters_become_signs_and_the_rest_stays() -> None:
    assert visible("a\x00b\u202ec\r\nd\re\tf\u200d\u200f🏴") == "a‹U+0000›b‹U+202E›c\nd\ne\tf\u200d\u200f🏴"
    assert visible("\ud800") == "‹U+D800›"
    assert one_line("  a\n\n b\t") == "a b"
