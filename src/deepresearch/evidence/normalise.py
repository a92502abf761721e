"""Text made comparable without losing its places.

Two writers of the same words differ in white space, quotation marks, dashes, soft hyphens, ligatures and
hyphens at the ends of lines. `normalised` removes these differences and remembers, for every place of the
result, the place in the text it came from.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

_ONE_TO_ONE = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict.fromkeys(
            "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\v\f",
            " ",
        ),
    }
)
_LIGATURES = {
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
    "…": "...",
    "Ĳ": "IJ",
    "ĳ": "ij",
}
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
# In order: a hyphen that a line break put into a word; white space other than one blank; what is not seen;
# ligatures; letters with separate accents.
_SPECIAL = re.compile(
    rf"(?<=[^\W\d_])-[ ]*\r?\n\s*(?=[^\W\d_])|(?:[\r\n]|\s\s)\s*|[{_INVISIBLE}]+|"
    rf"[{''.join(_LIGATURES)}]|[^\W\d_][\u0300-\u036f]+"
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """A comparable text and the way back: `origin(i)` is the place in the original of character `i`."""

    text: str
    length: int
    _places: tuple[int, ...]
    _origins: tuple[int, ...]

    def origin(self, place: int) -> int:
        """The place in the original text of a place in the comparable text (its end maps to the end)."""
        if place >= len(self.text):
            return self.length
        index = bisect_right(self._places, place) - 1
        return self._origins[index] + (place - self._places[index])

    def origin_span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open span in the original of a non-empty half-open span here."""
        return self.origin(start), self.origin(end - 1) + 1


@lru_cache(maxsize=4)
def normalised(text: str) -> Normalised:
    """The comparable form of a text; case is kept. Kept for the last few texts, since one document is asked often."""
    flat = text.translate(_ONE_TO_ONE)
    pieces: list[str] = []
    places: list[int] = [0]
    origins: list[int] = [0]
    length = 0
    last = 0

    def add(piece: str, origin: int) -> None:
        nonlocal length
        if piece:
            if places[-1] == length:
                origins[-1] = origin
            else:
                places.append(length)
                origins.append(origin)
            pieces.append(piece)
            length += len(piece)

    for match in _SPECIAL.finditer(flat):
        add(flat[last : match.start()], last)
        special = match.group()
        if special[0] in _INVISIBLE or (special[0] == "-" and len(special) > 1):
            replacement = ""
        elif special.isspace():
            replacement = "" if pieces and pieces[-1].endswith(" ") else " "
        elif special in _LIGATURES:
            replacement = _LIGATURES[special]
        else:
            replacement = unicodedata.normalize("NFC", special)
        for offset, character in enumerate(replacement):
            add(character, match.start() + min(offset, len(special) - 1))
        last = match.end()
    add(flat[last:], last)
    return Normalised("".join(pieces), len(text), tuple(places), tuple(origins))


def folded(text: str) -> str:
    """Lower case of the same length, character by character where the whole would change it."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)
