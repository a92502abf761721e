"""What a search of a collection or of files gives, and what it says when it gives nothing."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Self

from deepresearch.model.base import Value
from deepresearch.model.errors import UsageError
from deepresearch.model.retrieval import Hit, LegScore
from deepresearch.retrieval.stopwords import STOP_WORDS
from deepresearch.retrieval.tokens import terms_of

#: Kinds of passage that a search may ask for.
KINDS = ("prose", "table")


class Found(Value):
    """A passage that was found, and why: `text` is ``document.text[start:end]`` of the stored text."""

    source: str
    sha256: str
    page: int | None
    heading_path: tuple[str, ...]
    kind: str
    start: int
    end: int
    text: str
    score: float
    legs: dict[str, LegScore]
    also_in: tuple[str, ...] = ()

    @classmethod
    def of(cls, hit: Hit, sources: Sequence[str]) -> Self:
        """A hit in a document that is there under these names, at least one."""
        passage = hit.passage
        return cls(
            source=sources[0],
            also_in=tuple(sources[1:]),
            sha256=passage.sha256,
            page=passage.page,
            heading_path=passage.heading_path,
            kind=passage.kind,
            start=passage.start,
            end=passage.end,
            text=passage.text,
            score=hit.score,
            legs=hit.legs,
        )


class SearchResult(Value):
    """What a search found, best first. `note` says in a sentence what a person must know, mostly why nothing.

    `collection` is None when files were searched that are in none.
    """

    collection: str | None
    query: str
    hits: tuple[Found, ...]
    note: str = ""


def check_search(text: str, kinds: Sequence[str]) -> None:
    """Raise `UsageError` for an empty text or a kind of passage that does not exist."""
    if not text.strip():
        raise UsageError("The search text is empty: give at least one word to look for.")
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise UsageError(f"There is no kind of passage {unknown[0]!r}; there are {' and '.join(KINDS)}.")


def fits(source: str, globs: Sequence[str]) -> bool:
    """Whether one of the globs fits a source: its whole path or, for a glob without a slash, its file name."""
    name = PurePosixPath(source).name
    return any(fnmatch.fnmatchcase(source if "/" in pattern else name, pattern) for pattern in globs)


def none_named(what: str, globs: Sequence[str]) -> str:
    """The note when no source fits the globs."""
    return f"No {what} is named {' or '.join(globs)}."


def why_nothing(text: str) -> str:
    """The note when there are passages and none was found."""
    terms = terms_of(text)
    if not any(character.isalnum() for character in text):
        return "The search text holds no word to look for."
    if terms and any(all(term in words for term in terms) for words in STOP_WORDS.values()):
        return "The search text holds only words too common to look for; add a word that says what about."
    return "No passage fits."
