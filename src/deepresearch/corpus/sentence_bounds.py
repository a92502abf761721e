"""Where sentences begin and end, in prose, lists and headings of many languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

MAX_CHARACTERS = 2_000

NOT_BLANK = re.compile(r"\S")
LIST_ITEM = re.compile(r"[ \t>]*(?:[-*+•▪◦‣●○·–—]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])[ \t]+(?=\S)")
OWN_LINE = re.compile(
    r"[ \t]{0,3}(?:#{1,6}(?:[ \t]|$)|\||```|~~~|={3,}[ \t\r]*$|-{3,}[ \t\r]*$|(?:[*_-][ \t]*){3,}$|<!--)"
)
# What the segmenter must not see as a break of its own, and lone surrogates, which it refuses.
UNSEEN = re.compile("[\r\ud800-\udfff]")
SURROGATE = re.compile("[\ud800-\udfff]")
ENDS_INSIDE = re.compile(r"[.!?](?=.)", re.DOTALL)
ONLY_MARKS = re.compile(r"[\W_]*")
CUT = re.compile(r"[;,:)\]]?\s+(?=\S)")

FUNCTION_WORDS = {
    "en": "the of and to in is that for was with as are by this from be at which have has were",
    "de": "der die das und ist nicht mit von den des im auf für eine dem sich wird als auch ein zu",
    "fr": "le la les des et est une dans pour que qui sur par au du en pas avec sont ce",
    "es": "el la los las de y que en un una por con para del es se su al como más",
    "it": "il di che la e un una per con del della sono non gli nel alla dei le da come",
    "nl": "de het een en van is dat niet op te zijn voor met die aan door ook er als om",
    "pt": "o a os as de e que do da em um uma para com não por dos no na é",
    "pl": "i w na z do nie się jest to że od po przez dla oraz są jak o za który",
    "sv": "och i att det som en på är av för med till den har inte om ett de från var",
    "da": "og i at det som en på er af for med til den har ikke om et de fra var",
}
LANGUAGES_OF = {
    word: tuple(language for language, words in FUNCTION_WORDS.items() if word in words.split())
    for known in FUNCTION_WORDS.values()
    for word in known.split()
}
WORD = re.compile(r"[^\W\d_]+")
SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)


def guess_language(text: str) -> str:
    """The likely language of the first 4,000 characters, by script and function words; ``en`` when unsure."""
    sample = text[:4_000]
    for language, script in () if sample.isascii() else SCRIPTS:
        if len(script.findall(sample)) * 8 > len(sample):
            return language
    counts = dict.fromkeys(FUNCTION_WORDS, 0)
    for word in WORD.findall(sample.lower()):
        for language in LANGUAGES_OF.get(word, ()):
            counts[language] += 1
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] * 1.2 and counts[best] >= 3 else "en"


def sentences(text: str, language: str | None = None) -> list[tuple[int, int]]:
    """The (start, end) of every sentence in `text`, in code points, without the white space around it.

    Headings, items of lists, and rows of Markdown tables are sentences of their own; none reaches across an
    empty line. What runs on without an end is cut at white space after 2,000 characters. Segmentation
    within a paragraph is `sentencex`'s rules for `language` (guessed when None).
    """
    return list(iterate_sentences(text, 0, len(text), language or guess_language(text)))


def iterate_sentences(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    """`sentences` of `text[start:end]` one by one, by their places in `text`."""
    for unit_start, unit_end in _units(text, start, end):
        for first, last in _segments(text, unit_start, unit_end, language):
            yield from _cut(text, first, last)


def _units(text: str, place: int, stop: int) -> Iterator[tuple[int, int]]:
    """Paragraphs, list items and single lines that a sentence cannot leave."""
    start: int | None = None
    end = place
    while place < stop:
        visible = NOT_BLANK.search(text, place, stop)
        if visible is None:
            break
        if (last_break := text.rfind("\n", place, visible.start())) >= 0:
            if start is not None:
                yield start, end
            start = None
            place = last_break + 1
        line_end = text.find("\n", place, stop) + 1 or stop
        if OWN_LINE.match(text, place, line_end):
            if start is not None:
                yield start, end
            yield place, line_end
            start = None
        else:
            if start is not None and LIST_ITEM.match(text, place, line_end) and not _continues(text, start, place):
                yield start, end
                start = None
            start = place if start is None else start
            end = line_end
        place = line_end
    if start is not None:
        yield start, end


def _continues(text: str, start: int, place: int) -> bool:
    """Whether the line at `place` only looks like an item and goes on with a sentence: "… in May\\n2020. We …"."""
    marker = text[place : place + 40].lstrip(" \t>")
    if not marker[0].isdigit() and not marker[0].isalpha():
        return False
    before = text[max(start, place - 80) : place].rstrip()
    after_item = LIST_ITEM.match(text, start, start + 40) is not None
    return before[-1] not in ".:;!?)" and not after_item and not marker.startswith(("1.", "1)", "a)"))


def _segments(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    # sentencex looks at the whole of what it is given: bound it for files that are one single line.
    while start < end:
        stop = end if end - start <= 100_000 else start + 100_000
        unit = text[start:stop]
        if unit.isascii() and not ENDS_INSIDE.search(unit):
            # Most items of lists and cells of text have no end inside; asking would cost more than looking.
            if not ONLY_MARKS.fullmatch(unit.strip()):
                yield start, stop
            start = stop
            continue
        if UNSEEN.search(unit):
            unit = SURROGATE.sub("\ufffd", unit).replace("\r", " ")
        marker = LIST_ITEM.match(unit)
        pending: tuple[int, int] | None = None
        for boundary in sentencex.get_sentence_boundaries(language, unit):
            first, last = start + boundary["start_index"], start + boundary["end_index"]
            if pending is not None:
                first = pending[0]
            # "1. " or "–" split off from its own item is joined to it again.
            joined = text[first:last].strip()
            alone = ONLY_MARKS.fullmatch(joined) or (marker and last <= start + marker.end())
            pending = (first, last) if alone else None
            if pending is None:
                yield first, last
        if pending is not None and not ONLY_MARKS.fullmatch(text[pending[0] : pending[1]]):
            yield pending
        start = stop


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    start, end = _trimmed(text, start, end)
    while end - start > MAX_CHARACTERS:
        stop = start + MAX_CHARACTERS
        cuts = [match.end() for match in CUT.finditer(text, start + MAX_CHARACTERS // 2, stop)]
        cut = cuts[-1] if cuts else stop
        if (piece := _trimmed(text, start, cut))[1] > piece[0]:
            yield piece
        start, end = _trimmed(text, cut, end)
    if end > start:
        yield start, end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    visible = NOT_BLANK.search(text, start, end)
    if visible is None:
        return start, start
    start = visible.start()
    if text[end - 1].isspace():
        end = start + len(text[start:end].rstrip())
    return start, end
