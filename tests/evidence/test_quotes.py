from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.evidence.made_documents import document

from deepresearch.evidence import gate, locate_quote

TEXT = (
    "The ﬁrst plant used “42 GWh” of elec-\ntricity  in 2022 – more than planned. It did not\nexpand. "
    "The second plant employs 1,200 people. The second plant closed in May."
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("The second plant employs 1,200 people.", "The second plant employs 1,200 people."),
        (
            'The first plant used "42 GWh" of electricity in 2022',
            "The ﬁrst plant used “42 GWh” of elec-\ntricity  in 2022",
        ),
        ("“the FIRST plant used”", "The ﬁrst plant used"),
        ("in 2022 - more than planned", "in 2022 – more than planned"),
        ("It did not expand [...] employs 1,200 people", "It did not\nexpand. The second plant employs 1,200 people"),
        ("The second plants employ 1,200 people", "The second plant employs 1,200 people"),
        ("Thefirst plant used 42GWh of electricity in 2022", "The ﬁrst plant used “42 GWh” of elec-\ntricity  in 2022"),
    ],
)
def test_the_same_words_are_found_whatever_their_dress(quote: str, found: str) -> None:
    source = document(TEXT)
    citation = locate_quote(source, quote)
    assert citation is not None
    assert citation.quote == found
    assert gate(citation, source)


@pytest.mark.parametrize(
    "quote",
    [
        "The second plant employs 1,300 people.",  # another figure
        "It did expand. The second plant employs 1,200",  # the negation is gone
        "lant employs 1,200",  # cuts a word
        "employs 1,20",  # cuts a number
        "Solar panels were mounted on every roof.",
        "",
        "“…”",
        "   ",
    ],
)
def test_other_words_are_not_found(quote: str) -> None:
    assert locate_quote(document(TEXT), quote) is None


def test_near_decides_between_equal_places() -> None:
    source = document(TEXT)
    first, last = TEXT.index("The second plant"), TEXT.rindex("The second plant")
    near_first, near_last = (
        locate_quote(source, "The second plant", near=0),
        locate_quote(source, "the second plant", near=len(TEXT)),
    )
    assert near_first is not None and near_first.start == first
    assert near_last is not None and near_last.start == last


def test_the_page_is_told_and_gated() -> None:
    source = document("One page. Another page.", pages=((0, 10), (10, 23)))
    citation = locate_quote(source, "Another page")
    assert citation is not None and citation.page == 2
    assert gate(citation, source)
    assert not gate(citation.model_copy(update={"page": 1}), source)
    assert not gate(citation.model_copy(update={"start": 9}), source)
    assert not gate(citation.model_copy(update={"sha256": "0" * 64}), source)
    assert not gate(citation.model_copy(update={"end": 99, "quote": "Another page."}), source)


def test_a_quotation_in_a_long_document_is_aligned() -> None:
    generator = random.Random(7)
    words = [f"{a}{b}" for a in ("ba", "do", "ri", "me", "lu") for b in ("kan", "ter", "lis", "mon", "vek")]
    noise = [" ".join(generator.choices(words, k=12)) + "." for _ in range(4000)]
    noise[2500] = "The committee of Harrowgate approved a levy of 310 crowns on every barge in the canal."
    source = document(" ".join(noise))
    citation = locate_quote(
        source, "The committee of Harrowgate has approved a levy of 310 crowns on every barge in the canal"
    )
    assert citation is not None
    assert "levy of 310 crowns" in citation.quote and gate(citation, source)
    assert (
        locate_quote(
            source, "The committee of Harrowgate has approved a levy of 301 crowns on every barge in the canal"
        )
        is None
    )


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.integers(0, 200), st.integers(1, 60), st.data())
def test_whatever_is_found_passes_the_gate(text: str, start: int, length: int, data: st.DataObject) -> None:
    source = document(text)
    quote = data.draw(st.sampled_from([text[start : start + length], text[start : start + length].upper(), text[::-1]]))
    citation = locate_quote(source, quote)
    assert citation is None or gate(citation, source)
