"""Plain text: nothing but the decoded file."""

from __future__ import annotations

from deepresearch.corpus.parsed import Parsed


def parse_plain_text(text: str) -> Parsed:
    """The text as it is; its title is a short first line in capitals, or over an empty or underlining line."""
    lines = [line.strip() for line in text[:4_000].splitlines()]
    first = next((number for number, line in enumerate(lines) if line.strip("\ufeff")), None)
    title = None
    if first is not None:
        line = lines[first].lstrip("\ufeff").strip()
        following = lines[first + 1] if first + 1 < len(lines) else ""
        underlined = len(following) >= 3 and not following.strip("=-~*")
        shouted = line.isupper() and len(line.split()) > 1
        if len(line) <= 120 and (not following or underlined or shouted) and not line.endswith((".", ",", ";", ":")):
            title = line
    return Parsed(text=text, media_type="text/plain", title=title)
