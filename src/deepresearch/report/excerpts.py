"""A quote in the words around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deepresearch.model.evidence import Quote

TextOf = Callable[[str], str]
"""Gives the stored text of a document by its SHA-256; raises `KeyError` for one it does not have."""

_WORD_SLACK = 40


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A quote with what stands before and after it; `cut_before` and `cut_after` say whether more follows."""

    before: str
    words: str
    after: str
    cut_before: bool
    cut_after: bool


def excerpt(quote: Quote, text_of: TextOf, width: int) -> Excerpt | None:
    """Take the quote out of its document with about `width` code points on either side, in whole words.

    Returns None when the document's text is not at hand or does not hold the quote at its place: a report
    never shows a context that does not fit.
    """
    try:
        text = text_of(quote.sha256)
    except KeyError:
        return None
    if text[quote.start : quote.end] != quote.quote:
        return None
    start = _next_word(text, max(0, quote.start - width), quote.start)
    end = _last_word(text, min(len(text), quote.end + width), quote.end)
    return Excerpt(
        before=text[start : quote.start],
        words=quote.quote,
        after=text[quote.end : end],
        cut_before=start > 0,
        cut_after=end < len(text),
    )


def _next_word(text: str, start: int, limit: int) -> int:
    if start == 0:
        return 0
    for place in range(start, min(start + _WORD_SLACK, limit)):
        if text[place].isspace():
            return place + 1
    return start


def _last_word(text: str, end: int, limit: int) -> int:
    if end == len(text):
        return end
    for place in range(end, max(end - _WORD_SLACK, limit), -1):
        if text[place - 1].isspace():
            return place - 1
    return end
