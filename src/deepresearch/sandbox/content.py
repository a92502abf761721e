"""Decides what an output is from its bytes, and whether it may be handed on.

`inspect` names the type a file truly has, whatever its name says, and raises `Refused` with half a sentence for
what must not reach a reader: an SVG or PDF with something active in it that cannot be taken out, a picture with
more pixels than a viewer survives, a file that is two things at once. Nothing is decoded or unpacked; an archive
is opaque bytes. An SVG comes back sanitised, everything else unchanged.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from dataclasses import dataclass

from deepresearch.sandbox.content_pdf import check_pdf
from deepresearch.sandbox.content_raster import check_gif, check_jpeg, check_png, check_webp
from deepresearch.sandbox.content_refusal import LARGEST_PIXELS, Refused
from deepresearch.sandbox.content_svg import sanitised_svg

__all__ = ["LARGEST_PIXELS", "OPAQUE", "Inspected", "Refused", "inspect"]

OPAQUE = "application/octet-stream"
_TEXT_MARKS = (codecs.BOM_UTF8,)
_RASTER_CHECKS = (
    (b"\x89PNG\r\n\x1a\n", "image/png", check_png),
    (b"\xff\xd8\xff", "image/jpeg", check_jpeg),
    (b"GIF87a", "image/gif", check_gif),
    (b"GIF89a", "image/gif", check_gif),
)
#: Looked for at the start of a picture: what makes a lenient reader take it for a page or a PDF.
_SECOND_NATURE = re.compile(rb"%PDF-|<(?:!doctype|html|script|svg|iframe|body)\b", re.IGNORECASE)
_SECOND_NATURE_WITHIN = 1024
#: Control characters that no text holds: everything below a space but tab, line feed, form feed, carriage return.
_NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_SVG_START = re.compile(
    r"\s*(?:<\?xml\b[^>]*\?>\s*)?(?:<!--.*?-->\s*|<\?[^>]*\?>\s*)*(?:<!DOCTYPE\s+(\S+)|<(?:[\w.-]+:)?(\w+))", re.DOTALL
)
_PAGE_START = re.compile(
    r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE | re.DOTALL
)
_LARGEST_PARSED_JSON = 8 * 1024 * 1024
_CSV_ROWS_LOOKED_AT = 50


@dataclass(frozen=True, slots=True)
class Inspected:
    """What a file is and what may be handed on of it."""

    media_type: str
    content: bytes


def inspect(content: bytes, name: str = "", largest_pixels: int = LARGEST_PIXELS) -> Inspected:
    """Type and checked content of an output.

    `name` only settles what bytes cannot: whether a small table is CSV or plain text. Types: ``image/png``,
    ``image/jpeg``, ``image/gif``, ``image/webp``, ``image/svg+xml``, ``application/pdf``, ``application/json``,
    ``text/csv``, ``text/plain`` (HTML and other XML too: they are never shown as pages), and
    ``application/octet-stream`` for all else. Raises `Refused`. May take seconds for tens of megabytes of SVG, so
    it is best called off the event loop.
    """
    for magic, media_type, check in _RASTER_CHECKS:
        if content.startswith(magic):
            _refuse_second_nature(content)
            check(content, largest_pixels)
            return Inspected(media_type, content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        _refuse_second_nature(content)
        check_webp(content, largest_pixels)
        return Inspected("image/webp", content)
    if content.startswith(b"%PDF-"):
        check_pdf(content, largest_pixels)
        return Inspected("application/pdf", content)
    text = _as_text(content)
    if text is None:
        _refuse_hidden_pdf(content)
        return Inspected(OPAQUE, content)
    if _is_svg(text):
        return Inspected("image/svg+xml", sanitised_svg(text, largest_pixels))
    return Inspected(_text_type(text, name), content)


def _refuse_second_nature(content: bytes) -> None:
    found = _SECOND_NATURE.search(content, 0, _SECOND_NATURE_WITHIN)
    if found is not None:
        what = "a PDF" if found.group().startswith(b"%") else "a page"
        raise Refused(f"a picture that is {what} as well")
    # An archive is read from its end: its directory's end record names the length of the comment behind it.
    tail_at = max(0, len(content) - 65557)
    at = content.rfind(b"PK\x05\x06", tail_at)
    if at >= 0 and at + 22 + int.from_bytes(content[at + 20 : at + 22], "little") == len(content):
        raise Refused("a picture that is an archive as well")


def _refuse_hidden_pdf(content: bytes) -> None:
    # Readers accept a PDF whose header comes a little late.
    if b"%PDF-" in content[:_SECOND_NATURE_WITHIN] and b"%%EOF" in content:
        raise Refused("a PDF with something else before its header")


def _as_text(content: bytes) -> str | None:
    """The text of UTF-8 bytes without control characters, else None."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if _NO_TEXT.search(text) else text


def _is_svg(text: str) -> bool:
    start = _SVG_START.match(text)
    if start is None:
        return False
    doctype, element = start.groups()
    if doctype is not None:
        return doctype.rstrip(">[").lower().rpartition(":")[2] == "svg"
    return bool(element == "svg")


def _text_type(text: str, name: str) -> str:
    stripped = text.lstrip()
    if stripped[:1] in ("{", "[") and _is_json(text):
        return "application/json"
    if _PAGE_START.match(text) or stripped.startswith("<"):
        return "text/plain"
    return "text/csv" if _is_table(text, name) else "text/plain"


def _is_json(text: str) -> bool:
    if len(text) > _LARGEST_PARSED_JSON:
        return text.rstrip()[-1:] in ("}", "]")
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _is_table(text: str, name: str) -> bool:
    named = name.lower().endswith((".csv", ".tsv"))
    lines = text[:262_144].splitlines()[:_CSV_ROWS_LOOKED_AT]
    if named:
        return any(line.strip() for line in lines)
    if len(lines) < 3:
        return False
    for delimiter in (",", "\t", ";"):
        try:
            widths = {len(row) for row in csv.reader(lines, delimiter=delimiter, strict=True)}
        except csv.Error:
            continue
        if len(widths) == 1 and widths.pop() >= 2:
            return True
    return False
