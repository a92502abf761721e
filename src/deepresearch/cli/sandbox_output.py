"""What a script prints and makes, brought safely onto a terminal and into a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from deepresearch.model.errors import UsageError
from deepresearch.sandbox import Output

#: Control characters that move the cursor, ring, rename the window or worse; line ends and tabs are none.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class ScriptOutput:
    """Passes a script's text on: as it is into a file or pipe, with control characters made visible on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()

    def write(self, text: str) -> None:
        """Write now, not at the end of a line. What the stream cannot encode is replaced."""
        shown = neutral(text) if self._terminal else text
        encoding = self._stream.encoding or "utf-8"
        try:
            self._stream.write(shown.encode(encoding, "replace").decode(encoding, "replace"))
            self._stream.flush()
        except BrokenPipeError:
            # The reader has gone; the run goes on, its result still counts.
            self._stream = open(os.devnull, "w")  # noqa: SIM115, PTH123
            self._terminal = False


def neutral(text: str) -> str:
    """Text that cannot steer a terminal: each control character as its escape."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\r\n", "\n"))


def write_outputs(outputs: Sequence[Output], folder: Path) -> None:
    """Write outputs below a folder. Raises `UsageError` where that would go through a link or replace a folder.

    The names are clean already (no absolute ones, no ``..``); what is left to fear are links in the folder itself.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as refused:
        raise UsageError(f"The folder {folder} cannot be made: {refused.strerror}. Name another with --out.") from None
    root = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for output in outputs:
            try:
                _write(root, output)
            except OSError as refused:
                raise UsageError(
                    f"{output.path} cannot be written below {folder}: {refused.strerror}. "
                    "Links are not followed; name an empty folder with --out."
                ) from None
    finally:
        os.close(root)


def _write(root: int, output: Output) -> None:
    current = os.dup(root)
    try:
        *folders, name = output.path.split("/")
        for part in folders:
            try:
                os.mkdir(part, 0o755, dir_fd=current)
            except FileExistsError:
                pass
            following = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            os.close(current)
            current = following
        # Written beside and renamed: a link of that name is replaced, never followed, and no half file is left.
        aside = f".{name[:100]}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(aside, flags, 0o644, dir_fd=current)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(output.content)
            os.rename(aside, name, src_dir_fd=current, dst_dir_fd=current)
        except OSError:
            os.unlink(aside, dir_fd=current)
            raise
    finally:
        os.close(current)
