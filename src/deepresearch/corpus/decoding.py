"""Bytes of a text file to exactly the text they stand for."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

SAMPLE_BYTES = 200_000

# Longest first: the UTF-32 mark begins with the UTF-16 one.
WIDE_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Control characters that no text editor writes. ESC (colour codes of logs) and form feed are forgiven.
CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")


class NotTextError(ValueError):
    """These bytes are no text in any charset."""


def decode_text(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text and the name of its charset. A byte order mark stays, as U+FEFF.

    UTF-16 and UTF-32 are recognised by their mark, then UTF-8 is tried, then the charset the file declares
    for itself, and only then is the charset estimated (`charset_normalizer`).

    Raises `NotTextError` for binary content.
    """
    for mark, charset in WIDE_MARKS:
        if data.startswith(mark):
            try:
                text = data.decode(charset)
            except UnicodeDecodeError:
                break
            if "\0" in text:
                break
            return text, charset
    if b"\0" in data or looks_binary(data):
        raise NotTextError
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    for named in (declared, _estimated(data[:SAMPLE_BYTES])):
        if named is None:
            continue
        try:
            return data.decode(named), named
        except (UnicodeDecodeError, LookupError):
            continue
    # Every byte has a meaning in Latin-1; what remains is nearly always a Western file with stray bytes.
    return data.decode("latin-1"), "latin-1"


def looks_binary(data: bytes) -> bool:
    """Whether the bytes hold what text never holds: a NUL, or many control characters."""
    if not data or data.startswith(tuple(mark for mark, _ in WIDE_MARKS)):
        return False
    sample = data[:65_536]
    return b"\0" in data or len(CONTROLS.findall(sample)) > len(sample) // 100


@lru_cache(maxsize=8)
def _estimated(sample: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best is not None else None
