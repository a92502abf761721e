"""Looks through a PDF for what acts by itself, without rendering it.

Names of actions are searched in the file's bytes, with the `#xx` spelling undone, and in every stream that inflates
and may hold objects (ISO 32000-2, 7.5.7: compressed objects). Readers may disagree on where an object begins, so no
structure is trusted: a name that could start something is refused wherever it stands, but for the inflated content of
pages in a file that keeps no objects in streams.
"""

from __future__ import annotations

import re
import zlib

from deepresearch.sandbox.content_refusal import Refused, refuse_pixels

_ACTIVE = {
    b"JavaScript": "a PDF with JavaScript",
    b"Launch": "a PDF that starts a program",
    b"EmbeddedFile": "a PDF with an embedded file",
    b"EmbeddedFiles": "a PDF with an embedded file",
    b"RichMedia": "a PDF with embedded media",
    b"SubmitForm": "a PDF that sends a form",
    b"ImportData": "a PDF that reads a file",
    b"GoToE": "a PDF that opens another file",
    b"GoToR": "a PDF that opens another file",
    b"XFA": "a PDF with an active form",
    b"Encrypt": "an encrypted PDF, which cannot be looked into",
}
_NAME = re.compile(rb"/([^\x00\t\n\f\r ()<>\[\]{}/%]{3,80})")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"stream\r?\n")
#: Ways of packing objects that no writer uses for them and that are not undone here.
_UNUSUAL = re.compile(rb"/(?:LZWDecode|ASCIIHexDecode|ASCII85Decode|RunLengthDecode|Crypt|Predictor\s+[2-9])\b")
_IMAGE_SIDE = re.compile(rb"/(Width|Height)\s+(\d{1,10})")
#: All streams of one file, inflated: beyond is a bomb.
_MOST_INFLATED = 512 * 1024 * 1024
_STEP = 1024 * 1024


def check_pdf(content: bytes, largest_pixels: int) -> None:
    """Raise `Refused` for a PDF with anything active in it, that cannot be looked into, or that is two files."""
    end = content.rfind(b"%%EOF")
    if end < 0:
        raise Refused("a PDF that breaks off")
    if content[end + 5 :].strip(b"\x00\t\n\f\r "):
        raise Refused("a PDF with something else behind its end")
    plain = _plainly_spelt(content)
    _refuse_active(content)
    holds_objects = b"ObjStm" in plain or b"/First" in plain
    if b"ObjStm" in plain and _UNUSUAL.search(plain):
        raise Refused("a PDF with objects packed in an unusual way")
    left = _MOST_INFLATED
    for match in _STREAM.finditer(content):
        head = _dictionary_before(content, match.start())
        _refuse_large_image(head, largest_pixels)
        left = _look_into(content, match.end(), holds_objects, left)


def _plainly_spelt(data: bytes) -> bytes:
    return _ESCAPED.sub(lambda code: bytes([int(code.group(1), 16)]), data)


def _refuse_active(data: bytes) -> None:
    for match in _NAME.finditer(data):
        name = match.group(1)
        if b"#" in name:
            name = _plainly_spelt(name)
        reason = _ACTIVE.get(name)
        if reason is not None:
            raise Refused(reason)


def _dictionary_before(content: bytes, at: int) -> bytes:
    """The bytes between the last `obj` and the word `stream`, names in their plain spelling."""
    window = content[max(0, at - 65536) : at]
    return _plainly_spelt(window[window.rfind(b"obj") + 3 :] if b"obj" in window else window)


def _refuse_large_image(head: bytes, largest_pixels: int) -> None:
    sides = {name: int(value) for name, value in _IMAGE_SIDE.findall(head)}
    if b"Width" in sides and b"Height" in sides and b"Image" in head:
        refuse_pixels(sides[b"Width"], sides[b"Height"], 1, largest_pixels)


def _look_into(content: bytes, start: int, holds_objects: bool, left: int) -> int:
    """Inflate one stream piece by piece; returns how many bytes may still be inflated."""
    inflater = zlib.decompressobj()
    data: bytes = content[start : start + _STEP]
    position, kept = start + len(data), bytearray()
    while data and not inflater.eof:
        try:
            part = inflater.decompress(data, _STEP)
        except zlib.error:
            break
        left -= len(part)
        if left < 0:
            raise Refused("a PDF that unpacks to more than 512 MiB")
        if holds_objects:
            kept += part
        data = inflater.unconsumed_tail
        if not data and not inflater.eof:
            data = content[position : position + _STEP]
            position += len(data)
    if holds_objects:
        _refuse_active(bytes(kept))
    return left
