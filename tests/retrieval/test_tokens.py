"""Text to terms, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepresearch.retrieval.stopwords import SNOWBALL_NAMES, STOP_WORDS
from deepresearch.retrieval.tokens import language_of, stems_of, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The company's revenue, in Q3 2024.", ["the", "company", "s", "revenue", "in", "q3", "2024"]),
        ("1,234.5 and 1.234,5 and 1234.5", ["1234.5", "and", "1234.5", "and", "1234.5"]),
        ("12,345 or 1.234.567,89 or 3.5%", ["12345", "or", "1234567.89", "or", "3.5"]),
        ("version 1.2.3 of 2024-01-05", ["version", "1.2.3", "of", "2024", "01", "05"]),
        ("10km CO2 x86_64", ["10", "km", "co2", "x86", "64"]),
        ("Übergrößen im Café naïve", ["ubergrossen", "im", "cafe", "naive"]),
        ("东京都", ["东京", "京都"]),
        ("日", ["日"]),
        ("한국어", ["한국", "국어"]),
        ("Привет, мир! й", ["привет", "мир", "й"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("τόνος", ["τονος"]),
        ("ＦＵＬＬ　ｗｉｄｔｈ １２", ["full", "width", "12"]),
        ("🙂 ... — !", []),
        ("", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the revenue of the company in the year 2024?", "en"),
        ("Der Umsatz der Firma ist in diesem Jahr gestiegen und wird weiter steigen.", "de"),
        ("Le chiffre d'affaires de la société est en hausse dans les pays du nord.", "fr"),
        ("Los ingresos de la empresa en el año son los más altos que se han visto.", "es"),
        ("I ricavi della società sono aumentati nel corso dell'anno e non per caso.", "it"),
        ("De omzet van het bedrijf is dit jaar gestegen en wordt nog hoger.", "nl"),
        ("東京都は日本の首都です。", None),
        ("Siemens 2024", None),
    ],
)
def test_the_language_is_told_by_its_stop_words(text: str, language: str | None) -> None:
    assert language_of(terms_of(text)) == language


def test_stop_words_are_folded_like_text_and_every_language_has_a_stemmer() -> None:
    assert set(SNOWBALL_NAMES) == set(STOP_WORDS)
    for language, words in STOP_WORDS.items():
        assert all(terms_of(word) == [word] for word in words), language
        assert stems_of(words, language) == []


@given(st.text())
def test_any_text_gives_folded_terms_without_spaces(text: str) -> None:
    for term in terms_of(text):
        assert term
        assert term == term.strip()
        assert len(term) <= 60
    assert terms_of(text.upper().lower()) == terms_of(text.upper().lower().lower())
