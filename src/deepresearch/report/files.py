"""Several files written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from deepresearch.model.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NOT_A_FOLDER = {errno.ENOTDIR, errno.EEXIST}


def write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files (relative path to content) into a folder, made when missing.

    Every file is first written and synced under another name beside its place; only when all are safe on disk
    are they moved into place, in the order given. When anything refuses, what was begun is taken away, older
    files stay as they were, and a `StorageError` says what to mend.
    """
    begun: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for name, content in files.items():
            target = folder / name
            _make_folder(target.parent, made)
            beside = target.parent / f".{target.name}.{secrets.token_hex(6)}.part"
            begun.append((beside, target))
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for beside, target in begun:
            beside.replace(target)
    except BaseException as error:
        _take_away([beside for beside, _ in begun], made)
        if isinstance(error, OSError):
            raise StorageError(_message(folder, error)) from error
        raise


def clean_name(text: str, longest: int = 60) -> str:
    """Turn any text into a file name of lower-case ASCII letters, digits and hyphens; may come out empty."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain)[:longest].strip("-")


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        made.append(path)


def _take_away(files: list[Path], folders: list[Path]) -> None:
    for path in files:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            pass
    for path in reversed(folders):
        try:
            path.rmdir()
        except OSError:
            pass


def _message(folder: Path, error: OSError) -> str:
    mend = "Choose another --out."
    if error.errno in _FULL:
        reason, mend = "because the disk is full", "Free some space or choose another --out."
    elif error.errno in _FORBIDDEN:
        reason = "because this user may not write there"
    elif error.errno in _NOT_A_FOLDER:
        reason = "because a file is where a folder has to be"
    else:
        reason = f"({error.strerror or error})"
    return f"{folder}: the report was not written {reason}. {mend}"
