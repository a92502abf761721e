"""Takes out of style sheets and style attributes what loads something or runs something.

Everything else stays as it was, so that a diagram looks as its maker meant it. A sheet that spells such a thing in
disguise (with CSS escapes, CSS Syntax Module Level 3, 4.3.7) is dropped whole.
"""

from __future__ import annotations

import re

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\r\n\f]?|(.)|\Z)", re.DOTALL)
_IMPORT = re.compile(r"@import\b[^;{}]*(?:;|\Z|(?=[{}]))", re.IGNORECASE)
_LOCAL = r"""["']?\s*(?:\#[^\s"'()\\]+|data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*)\s*["']?\s*\)"""
_ADDRESS = re.compile(rf"""url\(\s*(?!{_LOCAL})(?:"[^"\n]*"|'[^'\n]*'|[^"'()]*)\s*\)?""", re.IGNORECASE)
#: What must not be left. Each of these fetches or runs in some reader of style sheets, old ones included.
_HOSTILE = re.compile(
    rf"@import|@document|@namespace|expression\s*\(|javascript\s*:|vbscript\s*:|-moz-binding|behaviou?r\s*:"
    rf"|(?<![\w-])(?:-webkit-)?(?:image|image-set|cross-fade|src|element|paint)\s*\(|url\(\s*(?!{_LOCAL})|</?\s*style",
    re.IGNORECASE,
)
#: One of these is in everything hostile, and in few attributes of a drawing.
_SUSPECT = re.compile(r"[@\\:<]|[a-z-]\s*(?:/\*.*?\*/\s*)*\(|-moz", re.IGNORECASE | re.DOTALL)
_MOST_ROUNDS = 4


def harmless_css(css: str) -> str | None:
    """The sheet or the declarations without what loads or runs; None when nothing safe can be left of it.

    References inside the file (``url(#arrow)``) and embedded raster pictures stay.
    """
    if not _SUSPECT.search(css):
        return css
    for _ in range(_MOST_ROUNDS):
        if not _is_hostile(css):
            return css
        cleaner = _ADDRESS.sub("none", _IMPORT.sub("", _COMMENT.sub("", css)))
        if cleaner == css:
            return None
        css = cleaner
    return None if _is_hostile(css) else css


def _is_hostile(css: str) -> bool:
    """Whether the sheet, read with its comments taken out or left in and its escapes undone, does anything."""
    bare = _COMMENT.sub("", css)
    return any(_HOSTILE.search(reading) for reading in (css, bare, _unescaped(css), _unescaped(bare)))


def _unescaped(css: str) -> str:
    return _ESCAPE.sub(_character, css)


def _character(match: re.Match[str]) -> str:
    digits, other = match.groups()
    if digits is not None:
        code = int(digits, 16)
        return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
    return "" if other in (None, "\n", "\r", "\f") else str(other)
