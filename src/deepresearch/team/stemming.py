"""Words to stems, one way for questions, sentences and tables."""

from __future__ import annotations

from functools import lru_cache

import Stemmer

from deepresearch.team.questions import words

_english = Stemmer.Stemmer("english")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of one word, in lower case."""
    return str(_english.stemWord(word.casefold().strip("'’")))


def stems(text: str) -> list[str]:
    """The stems of a text's words in order; words with an inner hyphen also give their parts."""
    found = []
    for word in words(text.replace("_", " ")):
        found.append(stem(word))
        if "-" in word:
            found.extend(stem(part) for part in word.split("-") if part)
    return found
