"""Walks the structure of raster pictures without decoding a pixel.

Sizes come from the headers. A picture has to end where its format says it ends: what follows is another file, carried
along. Structure by the formats' specifications (PNG third edition, GIF89a, ITU-T T.81, the WebP container).
"""

from __future__ import annotations

import struct
import zlib

from deepresearch.sandbox.content_refusal import Refused, refuse_pixels

_PNG_HEADER = struct.Struct(">II")
_MOST_BLOCKS = 1_000_000


def check_png(content: bytes, largest_pixels: int) -> None:
    """Raise `Refused` for a PNG that is too large, broken, or not over at its IEND chunk."""
    at, frames, first, data = 8, 1, True, False
    width = height = 0
    while True:
        if at + 12 > len(content):
            raise Refused("a PNG that breaks off")
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise Refused("a PNG that breaks off")
        if first and (kind != b"IHDR" or length != 13):
            raise Refused("a PNG without a header")
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(memoryview(content)[at + 4 : end - 4]) != checksum:
            raise Refused("a PNG with a wrong checksum")
        if first:
            width, height = _PNG_HEADER.unpack_from(content, at + 8)
            refuse_pixels(width, height, 1, largest_pixels)
        elif kind == b"acTL" and length == 8:
            (frames,) = struct.unpack_from(">I", content, at + 8)
            refuse_pixels(width, height, frames, largest_pixels)
        data = data or kind == b"IDAT"
        first, at = False, end
        if kind == b"IEND":
            break
    if not data:
        raise Refused("a PNG without a picture")
    if at != len(content):
        raise Refused("a PNG with something else behind its end")


def check_gif(content: bytes, largest_pixels: int) -> None:
    """Raise `Refused` for a GIF that is too large over all frames, broken, or not over at its trailer."""
    try:
        width, height, flags = struct.unpack_from("<HHB", content, 6)
        refuse_pixels(width, height, 1, largest_pixels)
        at, frames = 13 + _colour_table(flags), 0
        while content[at] != 0x3B:
            if content[at] == 0x2C:
                left, top, wide, high, flags = struct.unpack_from("<HHHHB", content, at + 1)
                frames += 1
                refuse_pixels(max(width, left + wide), max(height, top + high), frames, largest_pixels)
                at = _after_blocks(content, at + 11 + _colour_table(flags))
            elif content[at] == 0x21:
                at = _after_blocks(content, at + 2)
            else:
                raise Refused("a GIF with an unknown block")
    except (IndexError, struct.error) as broken:
        raise Refused("a GIF that breaks off") from broken
    if frames == 0:
        raise Refused("a GIF without a picture")
    if at + 1 != len(content):
        raise Refused("a GIF with something else behind its end")


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(content: bytes, at: int) -> int:
    while content[at]:
        at += 1 + content[at]
    return at + 1


def check_jpeg(content: bytes, largest_pixels: int) -> None:
    """Raise `Refused` for a JPEG that is too large, broken, or not over at its end marker."""
    at, sized = 2, False
    for _ in range(_MOST_BLOCKS):
        if at + 1 >= len(content) or content[at] != 0xFF:
            raise Refused("a JPEG that breaks off")
        marker = content[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            if not sized:
                raise Refused("a JPEG without a size")
            if at + 2 != len(content):
                raise Refused("a JPEG with something else behind its end")
            return
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        if at + 4 > len(content):
            raise Refused("a JPEG that breaks off")
        (length,) = struct.unpack_from(">H", content, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if at + 9 > len(content):
                raise Refused("a JPEG that breaks off")
            height, width = struct.unpack_from(">HH", content, at + 5)
            refuse_pixels(width, height, 1, largest_pixels)
            sized = True
        at += 2 + length
        if marker == 0xDA:
            at = _after_scan(content, at)
    raise Refused("a JPEG of too many segments")


def _after_scan(content: bytes, at: int) -> int:
    """Where the marker behind entropy-coded data is: 0xFF before anything but zero or a restart."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0 or at + 1 >= len(content):
            raise Refused("a JPEG that breaks off")
        following = content[at + 1]
        if following == 0 or 0xD0 <= following <= 0xD7:
            at += 2
        else:
            return at


def check_webp(content: bytes, largest_pixels: int) -> None:
    """Raise `Refused` for a WebP that is too large over all frames, broken, or longer than it says."""
    (length,) = struct.unpack_from("<I", content, 4) if len(content) >= 12 else (0,)
    if length + 8 != len(content):
        raise Refused("a WebP that is shorter or longer than it says")
    at, width, height, frames = 12, 0, 0, 0
    try:
        while at < len(content):
            kind, size = struct.unpack_from("<4sI", content, at)
            body = at + 8
            if body + size > len(content):
                raise Refused("a WebP that breaks off")
            if kind == b"VP8X":
                size_at = body + 4
                width = max(width, 1 + int.from_bytes(content[size_at : size_at + 3], "little"))
                height = max(height, 1 + int.from_bytes(content[size_at + 3 : size_at + 6], "little"))
            elif kind == b"VP8 ":
                wide, high = struct.unpack_from("<HH", content, body + 6)
                width, height, frames = max(width, wide & 0x3FFF), max(height, high & 0x3FFF), frames + 1
            elif kind == b"VP8L":
                (bits,) = struct.unpack_from("<I", content, body + 1)
                width, height = max(width, 1 + (bits & 0x3FFF)), max(height, 1 + (bits >> 14 & 0x3FFF))
                frames += 1
            elif kind == b"ANMF":
                frames += 1
            at = body + size + (size & 1)
    except struct.error as broken:
        raise Refused("a WebP that breaks off") from broken
    if frames == 0:
        raise Refused("a WebP without a picture")
    refuse_pixels(width, height, frames, largest_pixels)
