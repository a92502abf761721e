"""Sentence boundaries: exact places, and the places where a person would put them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepresearch.corpus import sentences

PIECES = st.sampled_from(
    [
        "Dr. ",
        "He left. ",
        "\n\n",
        "\n",
        "\r\n",
        "- item\n",
        "# Head\n",
        "3.5 ",
        "e.g. ",
        "だ。",
        "| a | b |\n",
        "😀 ",
        "\ufeff",
        " \t",
        "“No!” ",
        "\ud800",
        "1. one\n",
        "---\n",
        "x" * 300,
    ]
)


@given(st.lists(PIECES | st.text(max_size=30), max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
def test_places_are_ordered_trimmed_and_complete(text: str) -> None:
    spans = sentences(text)
    place = 0
    for start, end in spans:
        assert place <= start < end <= len(text)
        assert not text[start].isspace() and not text[end - 1].isspace()
        assert "\n\n" not in text[start:end] and "\n\r\n" not in text[start:end]
        # Nothing that a person reads lies between two sentences.
        assert not any(letter.isalnum() for letter in text[place:start])
        place = end
    assert not any(letter.isalnum() for letter in text[place:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith paid $3.5 million. See Fig. 3 now!", ["Dr. Smith paid $3.5 million.", "See Fig. 3 now!"]),
        ("The U.S. grew by 2.5 % in 2020. It fell later.", ["The U.S. grew by 2.5 % in 2020.", "It fell later."]),
        ("- first\n- second. More.", ["- first", "- second.", "More."]),
        ("1. one\n2. two\n", ["1. one", "2. two"]),
        ("- wraps over\n  two lines\n- next", ["- wraps over\n  two lines", "- next"]),
        ("# Head\nBody one. Body two.", ["# Head", "Body one.", "Body two."]),
        ("It ended in May\n2020. We went on.", ["It ended in May\n2020.", "We went on."]),
        ("これは文です。もう一つ！本当？", ["これは文です。", "もう一つ！", "本当？"]),
        ("One without an end\n\nTwo", ["One without an end", "Two"]),
        ("One\r\n\r\nTwo wraps\r\nhere. Three.", ["One", "Two wraps\r\nhere.", "Three."]),
        (
            "Die Miete ist nicht von der Stadt. Am 3. März 2024 kam z. B. Herr Dr. Meier.",
            ["Die Miete ist nicht von der Stadt.", "Am 3. März 2024 kam z. B. Herr Dr. Meier."],
        ),
        ("* * *\ntext", ["text"]),
        (" \n\t\n", []),
        ("", []),
    ],
)
def test_where_a_person_would_part(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_a_line_without_an_end_is_cut_at_white_space() -> None:
    text = "word " * 10_000
    spans = sentences(text)
    assert len(spans) > 10
    assert all(end - start <= 2_000 for start, end in spans)
    assert all(text[start:end].startswith("word") and text[start:end].endswith("word") for start, end in spans)
