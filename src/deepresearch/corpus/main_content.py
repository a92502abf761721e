"""Which blocks of a page are what it is about, as `trafilatura` sees it: not banners, menus, teasers and comments.

The text of a page stays the corpus' own, with its exact places and its tables; `trafilatura` only says what to keep.
"""

from __future__ import annotations

import re

#: Longer markup is read whole: looking for its main part would take longer than reading what is beside it.
MOST_MARKUP = 3_000_000

#: Of a long block its beginning or its end has to be in the main part: what lies between may have been cut differently.
_ENDS = 60
_NO_WORD = re.compile(r"[\W_]+")


class MainContent:
    """The main part of a page, to be asked about its blocks."""

    def __init__(self, text: str) -> None:
        self._letters = _letters(text)

    def holds(self, block: str) -> bool:
        """Whether a paragraph, list item or heading belongs to the main part."""
        letters = _letters(block)
        if len(letters) <= 2 * _ENDS:
            return letters in self._letters
        return letters[:_ENDS] in self._letters or letters[-_ENDS:] in self._letters


def main_content(markup: str) -> MainContent | None:
    """The main part of a page; None when none can be told from the rest."""
    if len(markup) > MOST_MARKUP:
        return None
    import trafilatura

    try:
        text = trafilatura.extract(
            markup, favor_recall=True, include_comments=False, include_tables=True, deduplicate=False
        )
    except Exception:  # whatever it meets in a hostile page, the page is read whole
        return None
    return MainContent(text) if text else None


def _letters(text: str) -> str:
    return _NO_WORD.sub("", text).casefold()
