"""Where sentences begin and end, in prose, lists and headings of many languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

MAX_CHARACTERS = 2_000

LINE = re.compile(r"[^\n]*\n?")
LIST_ITEM = re.compile(r"[ \t>]*(?:[-*+•▪◦‣●○·–—]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)])[ \t]+(?=\S)")
OWN_LINE = re.compile(r"[ \t]{0,3}(?:#{1,6}(?:[ \t]|$)|\||```|~~~|={3,}[ \t\r]*$|-{3,}[ \t\r]*$|\*{3,}[ \t\r]*$|<!--)")
# What the segmenter must not see as a break of its own, and lone surrogates, which it refuses.
UNSEEN = re.compile("[\r\ud800-\udfff]")
SURROGATE = re.compile("[\ud800-\udfff]")
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
WORDS = {language: frozenset(words.split()) for language, words in FUNCTION_WORDS.items()}
WORD = re.compile(r"[^\W\d_]+")
SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)


def guess_language(text: str) -> str:
    """The likely language of the first 4,000 characters, by script and function words; ``en`` when unsure."""
    sample = text[:4_000]
    for language, script in SCRIPTS:
        if len(script.findall(sample)) * 8 > len(sample):
            return language
    words = [word.lower() for word in WORD.findall(sample)]
    counts = {language: sum(word in known for word in words) for language, known in WORDS.items()}
    best = max(counts, key=lambda language: counts[language])
    return best if counts[best] > counts["en"] * 1.2 and counts[best] >= 3 else "en"


def sentences(text: str, language: str | None = None) -> list[tuple[int, int]]:
    """The (start, end) of every sentence in `text`, in code points, without the white space around it.

    Headings, items of lists, and rows of Markdown tables are sentences of their own; none reaches across an
    empty line. What runs on without an end is cut at white space after 2,000 characters. Segmentation
    within a paragraph is `sentencex`'s rules for `language` (guessed when None).
    """
    language = language or guess_language(text)
    found: list[tuple[int, int]] = []
    for start, end in _units(text):
        for first, last in _segments(text, start, end, language):
            found.extend(_cut(text, first, last))
    return found


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Paragraphs, list items and single lines that a sentence cannot leave."""
    start: int | None = None
    end = 0
    for match in LINE.finditer(text):
        line = match[0]
        if not line:
            break
        if line.isspace():
            if start is not None:
                yield start, end
            start = None
            continue
        if OWN_LINE.match(line):
            if start is not None:
                yield start, end
            yield match.start(), match.end()
            start = None
            continue
        if start is not None and LIST_ITEM.match(line) and not _continues(text, start, end, line):
            yield start, end
            start = None
        if start is None:
            start = match.start()
        end = match.end()
    if start is not None:
        yield start, end


def _continues(text: str, start: int, end: int, line: str) -> bool:
    """A wrapped line that only looks like an item: "… in May\\n2020. We …", "… – as said\\n– and …"."""
    marker = line.lstrip()
    if not marker[0].isdigit() and not marker[0].isalpha():
        return False
    before = text[max(start, end - 80) : end].rstrip()
    first = text[start : start + 12].lstrip()
    item_before = LIST_ITEM.match(text[start : start + 40]) is not None
    return (
        bool(before)
        and before[-1] not in ".:;!?)"
        and not item_before
        and not marker.startswith(("1.", "1)", "a)"))
        and bool(first)
    )


def _segments(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    # sentencex looks at the whole of what it is given: bound it for files that are one single line.
    while start < end:
        stop = end if end - start <= 100_000 else start + 100_000
        unit = text[start:stop]
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
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > MAX_CHARACTERS:
        stop = start + MAX_CHARACTERS
        cuts = [match.end() for match in CUT.finditer(text, start + MAX_CHARACTERS // 2, stop)]
        cut = cuts[-1] if cuts else stop
        last = cut
        while last > start and text[last - 1].isspace():
            last -= 1
        if last > start:
            yield start, last
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if end > start:
        yield start, end
