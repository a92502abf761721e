"""Which names a file may have on its way into and out of the sandbox; used by both ends. Standard library only."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 200
LONGEST_PATH = 400
DEEPEST = 8


def fault(path: str) -> str | None:
    """Why `path` is no clean relative name, as half a sentence; None when it is one.

    Clean means: parts of letters, digits and punctuation joined by single forward slashes; no part begins with
    a dot or a dash; nothing that a terminal, a shell or another file system would read as something else.
    """
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError:
        return "is not valid Unicode"
    if not path:
        return "is empty"
    if path.startswith("/"):
        return "is absolute"
    if "\\" in path or ":" in path:
        return "holds a backslash or a colon"
    if len(encoded) > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} bytes"
    for character in path:
        # Cc, Cf: control and format characters (also those that reverse the reading direction); Cs, Co, Cn: no
        # characters at all; Zl, Zp: line ends.
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            return "holds a character that cannot be shown"
    parts = path.split("/")
    if len(parts) > DEEPEST:
        return f"is nested deeper than {DEEPEST} folders"
    for part in parts:
        if not part:
            return "has an empty part"
        if part[0] == ".":
            return "has a part that begins with a dot"
        if part[0] == "-":
            return "has a part that begins with a dash"
        if part != part.strip():
            return "has a part that begins or ends with a space"
        if len(part.encode("utf-8")) > LONGEST_NAME:
            return f"has a part longer than {LONGEST_NAME} bytes"
    return None


def same(path: str) -> str:
    """The form in which two names are the same file on a file system that ignores case and composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def shown(path: str | bytes) -> str:
    """A name made safe to show: everything doubtful escaped, at most 120 characters."""
    text = path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
    safe = "".join(
        character
        if character.isprintable() and unicodedata.category(character) not in ("Cf", "Cs", "Co", "Cn")
        else ascii(character)[1:-1]
        for character in text[:400]
    )
    return safe if len(safe) <= 120 else safe[:117] + "..."
