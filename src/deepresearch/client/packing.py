"""Local files and folders as an upload: each under a relative name that any server takes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from deepresearch.corpus import discover, source_name
from deepresearch.model.errors import UsageError

#: Bytes of one part of a name.
_LONGEST_PART = 120

_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\\:\u2028\u2029]")


@dataclass(frozen=True)
class Upload:
    """Files by the names they are sent under, in their order."""

    files: Mapping[str, Path] = field(default_factory=dict)

    def opened(self, stack: ExitStack, name: str = "files") -> list[tuple[str, tuple[str, BinaryIO]]]:
        """The parts of a form; the files stay open as long as the stack. Raises `UsageError` for one that vanished."""
        parts: list[tuple[str, tuple[str, BinaryIO]]] = []
        for sent_as, path in self.files.items():
            try:
                parts.append((name, (sent_as, stack.enter_context(path.open("rb")))))
            except OSError as error:
                raise UsageError(f"{source_name(path)} cannot be read: {error.strerror}.") from error
        return parts

    def restored(self, value: Any) -> Any:
        """A JSON value in which every text that is the name of a file sent is that file's path here."""
        if isinstance(value, str):
            path = self.files.get(value)
            return value if path is None else source_name(path)
        if isinstance(value, dict):
            return {key: self.restored(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.restored(item) for item in value]
        return value


def pack(paths: Sequence[str | Path]) -> Upload:
    """Every file behind files, folders and globs. A folder's files keep its name before theirs.

    Raises `UsageError` for a path that is not there or holds no file.
    """
    given = [Path(os.path.abspath(Path(path).expanduser())) for path in paths]  # noqa: PTH100 - links stay
    folders = [path for path in given if path.is_dir()]
    named: dict[str, Path] = {}
    taken: set[str] = set()
    for file in discover(paths):
        above = [folder for folder in folders if file.is_relative_to(folder)]
        # The outermost folder given: its whole tree keeps its shape.
        relative = file.relative_to(min(above, key=lambda path: len(path.parts)).parent) if above else Path(file.name)
        name = "/".join(_plain(source_name(part)) for part in relative.parts)
        if name.casefold() in taken:
            name = _beside(name, file)
        taken.add(name.casefold())
        named[name] = file
    return Upload(named)


def _plain(part: str) -> str:
    """A part of a name without what some system or server would not take."""
    plain = _UNWANTED.sub("_", part).strip(" ")
    plain = re.sub(r"^(?:\.|~\$)", "_", plain)
    plain = re.sub(r"[~. ]$", "_", plain) or "_"
    if len(plain.encode()) > _LONGEST_PART:
        stem, dot, suffix = plain.rpartition(".")
        suffix = f"{dot}{suffix}" if dot and len(suffix) < 10 else ""
        mark = hashlib.sha256(plain.encode()).hexdigest()[:12]
        kept = (stem or plain).encode()[: _LONGEST_PART - 30].decode("utf-8", "ignore")
        plain = f"{kept}-{mark}{suffix}"
    return plain


def _beside(name: str, file: Path) -> str:
    folder, slash, last = name.rpartition("/")
    mark = hashlib.sha256(os.fsencode(file)).hexdigest()[:8]
    return f"{folder}{slash}{mark}-{last}"
