"""Characters that a reader cannot see, or that reorder what a reader sees, made visible.

A document may hold NUL, control characters, or the bidirectional overrides that let a text show other words
than it contains (the "Trojan Source" attack, Boucher and Anderson 2021, arXiv 2111.00169). A report shows
them as signs; the exact words stay in `report.json`.
"""

from __future__ import annotations

import re

# C0 and C1 controls (without tab and line feed), embeddings, overrides and isolates, deprecated format
# characters, interlinear marks, language tags (used to hide whole sentences), surrogates, noncharacters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u206f\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f\U0001fffe-\U0001ffff]"
)


def visible(text: str) -> str:
    """Return the text with line ends as LF and every unseen or reordering character as a sign.

    The sign is the code point (``‹U+202E›``) in letters that every font has.
    """
    return _UNSEEN.sub(_sign, text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Return the visible text with every run of white space as one space."""
    return " ".join(visible(text).split())


def _sign(match: re.Match[str]) -> str:
    return f"‹U+{ord(match[0]):04X}›"
