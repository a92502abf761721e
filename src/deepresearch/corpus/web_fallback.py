"""The text of HTML that nests too deep to be parsed: tags taken off in one pass, nothing more."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from deepresearch.corpus.parsed import one_line

TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
RAW = frozenset({"script", "style", "noscript", "template", "svg", "textarea", "title"})
INLINE = frozenset(
    (
        "a",
        "abbr",
        "b",
        "bdi",
        "cite",
        "code",
        "em",
        "font",
        "i",
        "kbd",
        "mark",
        "q",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "u",
    )
)


def text_blocks(markup: str) -> Iterator[str]:
    """Paragraphs of text between the tags of `markup`. Time is linear in its length."""
    lowered = markup.lower()
    parts: list[str] = []
    place = 0
    while place < len(markup):
        opening = markup.find("<", place)
        if opening < 0:
            parts.append(markup[place:])
            break
        parts.append(markup[place:opening])
        if markup.startswith("<!--", opening):
            closing = markup.find("-->", opening + 4)
            if closing < 0:
                break
            place = closing + 3
            continue
        closing = markup.find(">", opening)
        if closing < 0:
            break
        place = closing + 1
        name = TAG_NAME.match(markup, opening + 1)
        tag = name[1].lower() if name else ""
        if tag not in INLINE:
            if text := one_line(html.unescape("".join(parts))):
                yield text
            parts.clear()
        if tag in RAW and markup[opening + 1] != "/":
            end = lowered.find(f"</{tag}", place)
            if end < 0:
                break
            place = end
    if text := one_line(html.unescape("".join(parts))):
        yield text
