"""Text on its way to a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text of documents never drives the terminal: control characters are shown, not sent."""
    return "".join(
        character if character == "\t" or (ord(character) >= 32 and not 0x7F <= ord(character) < 0xA0) else "�"
        for character in text
    )
