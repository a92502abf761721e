"""The quote gate: a quotation is found in its source, or it is not a quotation.

`locate_quote` looks in this order, and the first that succeeds wins:

1. the words as given;
2. the words with white space, quotation marks, dashes, soft hyphens, ligatures and line-end hyphens made
  equal;
3. the same without regard to case;
4. the same without regard to punctuation and spaces (text from PDF loses and gains them);
5. parts around an ellipsis, in order and close together;
6. fuzzy alignment with a strict floor, widened to whole words. The numbers and the negations of the
   quotation must then be exactly those of the place found, so that a changed figure is never "the same
   words".

What comes back always satisfies `document.text[start:end] == quote`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from deepresearch.evidence.normalise import Normalised, folded, normalised
from deepresearch.evidence.words import negates, words
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Quote

FLOOR = 90.0
"""Least similarity (0 to 100, normalised edit distance of the best window) of a fuzzy find."""

SHORTEST_FUZZY = 24
"""Quotations with fewer characters than this are found exactly or not at all."""

LARGEST_GAP = 400
"""Most characters that an ellipsis may stand for."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ELLIPSIS = re.compile(r"\s*(?:\[\s*(?:\.{3}|…)\s*\]|\.{3,}|…)\s*")
_OUTER = " \t\r\n\"'“”„‘’«»`*_"
_SQUASHED = re.compile(r"[^\W_]|(?<=\d)[.,](?=\d)|[%‰$€£¥<>≤≥±=+]|(?<![^\W_])-(?=[\d.,$€£])")


def locate_quote(document: Document, quote: str, near: int | None = None) -> Quote | None:
    """The place of a quotation in a document, or None when the document does not hold these words.

    `near` is an offset in `document.text`; among several equally good places the nearest to it is taken, the
    first without it. Quotation marks around the quotation are ignored.
    """
    wanted = quote.strip(_OUTER)
    if not any(character.isalnum() for character in wanted) or not document.text:
        return None
    span = (
        _exact(document.text, wanted, near)
        or _comparable(document.text, wanted, near)
        or _around_ellipses(document.text, wanted, near)
        or _aligned(document.text, wanted, near)
    )
    if span is None:
        return None
    start, end = span
    return Quote(
        source=document.source,
        sha256=document.sha256,
        page=document.page_at(start),
        start=start,
        end=end,
        quote=document.text[start:end],
    )


def gate(citation: Quote, document: Document) -> bool:
    """Whether a citation is true: this document, these characters, these words, this page, and not empty."""
    return (
        citation.sha256 == document.sha256
        and 0 <= citation.start < citation.end <= len(document.text)
        and document.text[citation.start : citation.end] == citation.quote
        and any(character.isalnum() for character in citation.quote)
        and citation.page == document.page_at(citation.start)
    )


def _occurrences(text: str, wanted: str, limit: int = 1000) -> Iterator[int]:
    place = text.find(wanted)
    while place >= 0 and limit > 0:
        yield place
        limit -= 1
        place = text.find(wanted, place + 1)


def _nearest(text: str, wanted: str, near: int | None) -> int | None:
    """The best start of an exact occurrence that begins and ends at the border of a word."""
    if not wanted:
        return None
    whole = (
        place
        for place in _occurrences(text, wanted)
        if not _splits_word(text, place) and not _splits_word(text, place + len(wanted))
    )
    if near is None:
        return next(whole, None)
    return min(whole, key=lambda place: abs(place - near), default=None)


def _splits_word(text: str, place: int) -> bool:
    """Whether a border at this place would cut a word or a number in two."""
    if not 0 < place < len(text):
        return False
    before, after = text[place - 1], text[place]
    if before.isalnum() and after.isalnum():
        return not _without_spaces(before) and not _without_spaces(after)
    if before in ".," and after.isdigit():
        return place > 1 and text[place - 2].isdigit()
    return before.isdigit() and after in ".," and place + 1 < len(text) and text[place + 1].isdigit()


def _without_spaces(character: str) -> bool:
    return "\u0e00" <= character <= "\u0e7f" or "\u3040" <= character <= "\u9fff"


def _exact(text: str, wanted: str, near: int | None) -> tuple[int, int] | None:
    place = _nearest(text, wanted, near)
    return None if place is None else (place, place + len(wanted))


def _comparable(text: str, wanted: str, near: int | None) -> tuple[int, int] | None:
    document, quotation = normalised(text), normalised(wanted).text.strip()
    goal = None if near is None else _near_here(document, near)
    place = _nearest(document.text, quotation, goal)
    if place is not None:
        return document.origin_span(place, place + len(quotation))
    lower, small = folded(document.text), folded(quotation)
    place = _nearest(lower, small, goal)
    if place is not None:
        return document.origin_span(place, place + len(small))
    return _without_punctuation(document, small, goal)


def _near_here(document: Normalised, near: int) -> int:
    """About where an original offset lies in the comparable text: the two differ by removed characters only."""
    return int(near * len(document.text) / max(1, document.length))


def _without_punctuation(document: Normalised, small: str, near: int | None) -> tuple[int, int] | None:
    places = _letters(document.text)
    squashed = "".join(character for character in (folded(document.text[place]) for place in places))
    wanted = "".join(_SQUASHED.findall(small))
    if len(wanted) < 12:  # too little is left to tell one place from another
        return None
    best: tuple[int, tuple[int, int]] | None = None
    for index in _occurrences(squashed, wanted):
        start, end = places[index], places[index + len(wanted) - 1] + 1
        if _splits_word(document.text, start) or _splits_word(document.text, end):
            continue
        distance = 0 if near is None else abs(start - near)
        if best is None or distance < best[0]:
            best = distance, document.origin_span(start, end)
    return None if best is None else best[1]


@lru_cache(maxsize=4)
def _letters(text: str) -> tuple[int, ...]:
    return tuple(match.start() for match in _SQUASHED.finditer(text))


def _around_ellipses(text: str, wanted: str, near: int | None) -> tuple[int, int] | None:
    parts = [part.strip(_OUTER) for part in _ELLIPSIS.split(wanted)]
    parts = [part for part in parts if part]
    if len(parts) < 2 or any(len(part) < 12 for part in parts):
        return None
    first = _exact(text, parts[0], near) or _comparable(text, parts[0], near)
    if first is None:
        return None
    start, end = first
    for part in parts[1:]:
        rest = text[end : end + LARGEST_GAP + 2 * len(part)]
        found = _exact(rest, part, 0) or _comparable(rest, part, 0)
        if found is None or found[0] > LARGEST_GAP:
            return None
        end += found[1]
    return start, end


def _aligned(text: str, wanted: str, near: int | None) -> tuple[int, int] | None:
    if len(wanted) < SHORTEST_FUZZY:
        return None
    from rapidfuzz import fuzz  # loaded on first use: importing this room stays cheap

    document = normalised(text)
    lower, small = folded(document.text), folded(normalised(wanted).text.strip())
    goal = None if near is None else _near_here(document, near)
    best: tuple[float, int, tuple[int, int]] | None = None
    for start, end in _windows(lower, small):
        window = lower[start:end]
        alignment = fuzz.partial_ratio_alignment(small, window, score_cutoff=FLOOR - 10)
        if alignment is None:
            continue
        left, right = _to_word_borders(lower, start + alignment.dest_start, start + alignment.dest_end)
        similarity = fuzz.ratio(small, lower[left:right])
        if similarity < FLOOR or not _same_figures(small, lower[left:right]):
            continue
        rank = (similarity, 0 if goal is None else -abs(left - goal))
        if best is None or rank > best[:2]:
            best = (*rank, (left, right))
    return None if best is None else document.origin_span(*best[2])


def _to_word_borders(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    while start > 0 and _splits_word(text, start):
        start -= 1
    while end < len(text) and _splits_word(text, end):
        end += 1
    return start, end


def _same_figures(wanted: str, found: str) -> bool:
    """Whether numbers and negations are the same in both, so that alignment cannot turn the meaning."""
    if Counter(_NUMBER.findall(wanted)) != Counter(_NUMBER.findall(found)):
        return False
    return negates(wanted) == negates(found)


def _windows(text: str, wanted: str, most: int = 8) -> list[tuple[int, int]]:
    """Stretches of the text worth aligning: around the rarest words of the quotation, the fullest first."""
    width = len(wanted) * 2 + 80
    if len(text) <= width * 4:
        return [(0, len(text))]
    counted = {word: text.count(word) for word in set(words(wanted)) if len(word) > 3}
    rare = sorted((word for word, count in counted.items() if count), key=lambda word: counted[word])[:6]
    votes: Counter[int] = Counter()
    for word in rare:
        for bucket in {place // width for place in _occurrences(text, word, limit=200)}:
            votes[bucket] += 1
    return [
        (max(0, (bucket - 1) * width), min(len(text), (bucket + 2) * width))
        for bucket, _ in sorted(votes.items(), key=lambda item: (-item[1], item[0]))[:most]
    ]
