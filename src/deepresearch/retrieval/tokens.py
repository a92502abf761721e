"""Text to search terms, alike for documents and questions in any script.

Lower case; Latin and Greek accents folded; numbers kept whole with their thousands separators removed;
words of scripts without spaces (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese) as overlapping pairs of
characters. The language of a text is voted by its stop words and only chooses the stemmer and the stop
list, so a wrong vote costs little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any

from deepresearch.retrieval.stopwords import SNOWBALL_NAMES, STOP_WORDS

DEFAULT_LANGUAGE = "en"
_LONGEST_TERM = 40
_FEWEST_VOTES = 2
_VOTING_WORDS = 200

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
# Vowel signs of the Indic, Hebrew and Arabic scripts are marks, which `\w` leaves out.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
_ASCII_TERM = re.compile(r"\d+(?:[.,]\d+)*|[a-z]+\d*")
_TERM = re.compile(rf"\d+(?:[.,]\d+)*|[{_UNSPACED}]+|(?:(?![{_UNSPACED}])[^\W\d_][{_MARKS}]*)+\d*")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_GROUPS_OF_THREE = re.compile(r"\d{1,3}(?:(?:,\d{3})+|(?:\.\d{3}){2,})")
_SPECIAL_FOLDS = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


def terms_of(text: str) -> list[str]:
    """The words, numbers and character pairs of a text in order, folded but neither stemmed nor stopped."""
    lowered = text.lower()
    if lowered.isascii():
        found = _ASCII_TERM.findall(lowered)
    else:
        found = []
        for term in _TERM.findall(_fold(lowered)):
            if _IS_UNSPACED.match(term):
                found.extend([term] if len(term) == 1 else (term[i : i + 2] for i in range(len(term) - 1)))
            else:
                found.append(term)
    return [_number(term) if "," in term or "." in term else term[:_LONGEST_TERM] for term in found]


def language_of(terms: Sequence[str], among: Iterable[str] = STOP_WORDS) -> str | None:
    """The language whose stop words occur most among the first terms, or None when too few or level."""
    sample = terms[:_VOTING_WORDS]
    votes = sorted(((sum(map(STOP_WORDS[name].__contains__, sample)), name) for name in among), reverse=True)
    if not votes or votes[0][0] < _FEWEST_VOTES:
        return None
    if len(votes) > 1 and votes[0][0] == votes[1][0]:
        return None
    return votes[0][1]


def stems_of(terms: Iterable[str], language: str) -> list[str]:
    """Snowball stems (PyStemmer) of the terms that are no stop words of this language."""
    stop = STOP_WORDS[language]
    stem = _stemmer(language)
    return [stem(term) for term in terms if term not in stop]


def _number(term: str) -> str:
    """One spelling for a number: ``1,234.5``, ``1.234,5`` and ``1234.5`` are the same."""
    comma, point = term.count(","), term.count(".")
    if comma and point:
        separator, decimal = (",", ".") if term.rfind(".") > term.rfind(",") else (".", ",")
        if term.count(decimal) == 1:
            return term.replace(separator, "").replace(decimal, ".")
    elif _GROUPS_OF_THREE.fullmatch(term):
        return re.sub(r"[.,]", "", term)
    return term.replace(",", ".")


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    base = unicodedata.normalize("NFD", character)[0]
    return base if "a" <= base <= "z" or "\u03b1" <= base <= "\u03c9" else character


def _fold(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text).lower().translate(_SPECIAL_FOLDS)
    if composed.isascii():
        return composed
    return "".join(character if character.isascii() else _fold_character(character) for character in composed)


@cache
def _stemmer(language: str) -> Any:
    import Stemmer

    cached: dict[str, str] = {}
    word = Stemmer.Stemmer(SNOWBALL_NAMES[language], 0).stemWord

    def stem(term: str) -> str:
        known = cached.get(term)
        if known is None:
            if len(cached) > 400_000:
                cached.clear()
            known = cached[term] = word(term)
        return known

    return stem
