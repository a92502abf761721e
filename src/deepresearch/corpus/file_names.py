"""File names as text that survives JSON, whatever bytes they are made of."""

from __future__ import annotations

import os
import re
from pathlib import Path

ESCAPED_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def source_name(path: str | Path) -> str:
    r"""The path as valid Unicode: bytes that are not UTF-8 become ``\xNN``.

    Python keeps such bytes as lone surrogates, which neither JSON nor a database takes.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def source_path(source: str) -> Path:
    r"""The file a `source_name` stands for. A name that really holds ``\xNN`` is found first."""
    path = Path(source)
    if path.exists() or "\\x" not in source:
        return path
    escaped = ESCAPED_BYTE.sub(lambda match: chr(0xDC00 + int(match[1], 16)), source)
    return Path(escaped)


def absolute(path: str | Path) -> Path:
    """The path from the root, without ``.`` and ``..``; symbolic links stay as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links
