"""The lines of a PDF page with their places on the paper, and paragraphs made of them."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from deepresearch.corpus.parsed import storable
from deepresearch.corpus.sentence_bounds import LIST_ITEM

# PDFium's sign for a hyphen at the end of a line; the next line follows without a break.
HYPHEN = "\ufffe"
WORD_AT_END = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)$")
WORD_AT_START = re.compile(r"[^\W\d_]+")
KEEPS_HYPHEN = frozenset(
    [
        "well",
        "self",
        "non",
        "long",
        "short",
        "high",
        "low",
        "cross",
        "co",
        "pre",
        "post",
        "anti",
        "semi",
        "multi",
        "half",
        "full",
        "mid",
        "ex",
        "all",
        "part",
        "real",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "year",
        "two-year",
        "three-year",
        "so-called",
        "e",
        "quasi",
        "off",
        "on",
        "over-the",
    ]
)
# A caption begins a block of its own.
NAMED = re.compile(r"(?:table|figure|fig\.|chart|exhibit|tabelle|abbildung|tableau|tabla)\s+[\dA-Z]", re.IGNORECASE)
# The dots that lead to a page number in a table of contents.
LEADERS = re.compile(r"(?:\.\s?){4,}|…{2,}")
SPACES = re.compile(r"[ \t\u00a0]+")


@dataclass(frozen=True)
class Line:
    """One line of text. Left, right, top, bottom and size are in points, from the lower left of the page."""

    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float
    bold: bool

    @property
    def middle(self) -> float:
        """The height of the line's middle."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Block:
    """A paragraph or a heading: its text, and its heading level (None for a paragraph)."""

    text: str
    level: int | None = None


def plain_line(text: str) -> str:
    """One line's text with single spaces and without what cannot be stored; the hyphen sign stays."""
    return SPACES.sub(" ", HYPHEN.join(storable(part) for part in text.split(HYPHEN))).replace("\n", " ").strip()


def body_size(pages: Iterable[Sequence[Line]]) -> float:
    """The font size, in points, that sets most of the characters."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def heading_levels(pages: Iterable[Sequence[Line]], body: float) -> dict[float, int]:
    """Levels of the font sizes clearly over the body's, the largest first, at most six."""
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            size = round(line.size * 2) / 2
            if size >= body * 1.12 and size - body >= 1:
                sizes[size] += 1
    return {size: min(6, level) for level, size in enumerate(sorted(sizes, reverse=True), start=1)}


def blocks(lines: Sequence[Line], body: float, levels: dict[float, int], known: Callable[[str], bool]) -> list[Block]:
    """Paragraphs and headings of one page in reading order.

    `known` tells whether a word stands unbroken elsewhere in the document; it settles whether a hyphen at a
    line's end belongs to the word.
    """
    found: list[Block] = []
    for group in _groups(lines, body, levels):
        level = _level(group[0], body, levels)
        text = _joined(group, known, one_line=level is not None)
        if text:
            found.append(Block(text, level if level is not None and len(text) <= 200 else None))
    return found


def _level(line: Line, body: float, levels: dict[float, int]) -> int | None:
    text = line.text.strip()
    if not 2 <= len(text) <= 160 or not any(letter.isalpha() for letter in text) or LEADERS.search(text):
        return None
    if (level := levels.get(round(line.size * 2) / 2)) is not None:
        return level
    # A bold line in the size of the body is a heading when it is short and no sentence.
    if line.bold and len(text) <= 90 and not text.endswith((".", ",", ";", ":")) and "\t" not in text:
        return min(6, max(levels.values(), default=0) + 1)
    return None


def _groups(lines: Sequence[Line], body: float, levels: dict[float, int]) -> list[list[Line]]:
    pitches = [
        upper.middle - lower.middle
        for upper, lower in pairwise(lines)
        if 0 < upper.middle - lower.middle < 4 * max(upper.size, 4)
    ]
    pitch = statistics.median_low(pitches) if pitches else 0.0
    groups: list[list[Line]] = []
    for line in lines:
        if groups and _same_block(groups[-1], line, pitch, body, levels):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _same_block(group: Sequence[Line], line: Line, pitch: float, body: float, levels: dict[float, int]) -> bool:
    above = group[-1]
    if NAMED.match(line.text):
        return False
    if abs(above.size - line.size) > max(1.0, 0.12 * above.size):
        return False
    level, level_above = _level(line, body, levels), _level(above, body, levels)
    if (level is None) != (level_above is None) or (above.bold != line.bold and level != level_above):
        return False
    drop = above.middle - line.middle
    if drop < -line.size:  # up again: the next column
        return level is None and not above.text.endswith((".", "!", "?", ":")) and line.text[:1].islower()
    if level is not None and above.bold and line.size <= body * 1.12:
        return False  # two bold lines: two headings (or labels), not one
    return drop <= max(1.35 * pitch if pitch else 0.0, 1.15 * line.size)


def _joined(group: Sequence[Line], known: Callable[[str], bool], *, one_line: bool) -> str:
    right = max(line.right for line in group)
    parts = [group[0].text.strip()]
    for above, line in pairwise(group):
        text = line.text.strip()
        if parts[-1].endswith("-") and len(parts[-1]) > 1 and text[:1].isalpha() and parts[-1][-2].isalpha():
            parts[-1] = parts[-1][:-1] + HYPHEN
        if parts[-1].endswith(HYPHEN):
            parts.append(text)
            continue
        parts.append(("\n" if not one_line and _ends_line(above, line, right) else " ") + text)
    return without_hyphens("".join(parts), known)


def _ends_line(above: Line, line: Line, right: float) -> bool:
    """Whether the writer ended the line there: the next word would still have fitted, or an item begins."""
    if LIST_ITEM.match(line.text):
        return True
    width = (above.right - above.left) / max(1, len(above.text))
    word = len(line.text.split(" ", 1)[0]) + 1
    return above.right + word * width * 0.9 < right


def without_hyphens(text: str, known: Callable[[str], bool]) -> str:
    """Join words parted at a line's end: ``inter-national`` is one word, ``well-known`` keeps its hyphen."""
    if HYPHEN not in text:
        return text
    parts = text.split(HYPHEN)
    joined = parts[0]
    for part in parts[1:]:
        joined += ("-" if _keeps_hyphen(joined, part, known) else "") + part.lstrip(" \n")
    return joined


def _keeps_hyphen(before: str, after: str, known: Callable[[str], bool]) -> bool:
    left, right = WORD_AT_END.search(before), WORD_AT_START.match(after.lstrip())
    if left is None or right is None:
        return True
    first, second = left[1].rsplit("-", 1)[-1], right[0]
    if known(f"{left[1]}-{second}".lower()):
        return True
    if known((first + second).lower()):
        return False
    return second[0].isupper() or first.lower() in KEEPS_HYPHEN
