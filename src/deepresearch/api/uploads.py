"""Documents that arrive with a request: checked names, bounded sizes, a folder of their own."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from deepresearch.api.bodies import MEGABYTE
from deepresearch.api.problems import Problem
from deepresearch.corpus.discovery import LITTER
from deepresearch.model.errors import StorageError
from deepresearch.session.allowed import allowed_source
from deepresearch.settings import Settings

#: Bytes of one part of a file's name, and of the whole with its folders; folders above each other.
_LONGEST_PART = 200
_LONGEST_NAME = 800
_DEEPEST = 12

_PIECE = 256 * 1024


@dataclass(frozen=True)
class UploadLimits:
    """How much one upload may hold; sizes in bytes."""

    files: int
    file_bytes: int
    total_bytes: int

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """The limits that are set."""
        return cls(
            files=settings.api_upload_files,
            file_bytes=settings.api_upload_file_mb * MEGABYTE,
            total_bytes=settings.api_upload_total_mb * MEGABYTE,
        )


class Uploads:
    """The folder that uploaded documents go to: ``sessions/<id>`` and ``collections/<name>`` below it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def session_folder(self, session_id: str) -> Path:
        """Where a session's own documents lie."""
        return self.root / "sessions" / session_id

    def collection_folder(self, name: str) -> Path:
        """Where documents lie while a collection takes them in."""
        return self.root / "collections" / name

    def stage(self, files: Mapping[str, UploadFile]) -> Path:
        """Write the files below a new folder and give it. Raises `StorageError`, and leaves nothing then."""
        folder = self.root / "arriving" / secrets.token_hex(12)
        try:
            for name, file in files.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with target.open("xb") as opened:
                    file.file.seek(0)
                    shutil.copyfileobj(file.file, opened, _PIECE)
        except OSError as error:
            self.remove(folder)
            raise StorageError(f"The uploaded documents cannot be stored: {error.strerror or error}.") from error
        return folder

    def settle(self, staged: Path, folder: Path) -> bool:
        """Make a staged folder the one at this place; False, and nothing changed, when there is one already."""
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            staged.rename(folder)
        except OSError:
            if folder.exists():
                return False
            raise
        return True

    @staticmethod
    def remove(folder: Path) -> None:
        """Remove a folder with all in it; no error when it is gone."""
        shutil.rmtree(folder, ignore_errors=True)

    def sessions(self) -> list[str]:
        """The sessions that have a folder here."""
        folder = self.root / "sessions"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def remove_arriving(self) -> None:
        """Remove what arrived when a server died."""
        self.remove(self.root / "arriving")


async def read_form(request: Request, limits: UploadLimits) -> FormData:
    """The parts of a multipart body, files beyond a megabyte on the disk. Raises `Problem`."""
    return await request.form(max_files=limits.files, max_fields=100, max_part_size=2 * MEGABYTE)


def checked_files(form: FormData, field: str, limits: UploadLimits) -> dict[str, UploadFile]:
    """The files of a field by their checked names. Raises `Problem` for a name, a size or a count that cannot be."""
    files: dict[str, UploadFile] = {}
    folded: dict[str, str] = {}
    total = 0
    for value in form.getlist(field):
        if not isinstance(value, UploadFile):
            raise _refused(f"The field {field} has to be a file with a name.")
        name = checked_file_name(value.filename or "")
        if (same := folded.get(name.casefold())) is not None:
            raise _refused(f"Two uploaded files are called {same!r}. Give each a name of its own.")
        size = value.size or 0
        total += size
        if size > limits.file_bytes or total > limits.total_bytes:
            raise Problem(
                413,
                "file-too-large",
                f"The file {name!r} is larger than the {limits.file_bytes // MEGABYTE} MB taken for one, or all files "
                f"together than {limits.total_bytes // MEGABYTE} MB.",
                exit_code=2,
            )
        folded[name.casefold()] = name
        files[name] = value
    for name in files:
        parts = name.casefold().split("/")
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in folded:
                raise _refused(f"{folded['/'.join(parts[:end])]!r} cannot be an uploaded file and a folder at once.")
    return files


def checked_file_name(name: str) -> str:
    """A relative name with forward slashes that stays below its folder on any system. Raises `Problem`."""
    if not name:
        raise _refused("An uploaded file has no name. Send each file with a file name.")
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        raise _refused("The name of an uploaded file is no valid Unicode. Rename it.") from None
    shown = repr(name[:80])
    if len(encoded) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in name.split("/")):
        raise _refused(f"The file name {shown}… is longer than {_LONGEST_PART} bytes. Shorten it.")
    if any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or character in "\\\u2028\u2029" for character in name):
        raise _refused(f"The file name {shown} holds a control character or a backslash. Rename the file.")
    parts = name.split("/")
    if len(parts) > _DEEPEST or name.startswith("/") or ":" in parts[0][:2] or any(_is_hostile(part) for part in parts):
        raise _refused(
            f"The file name {shown} leads out of its folder, is hidden, or is too deep. Use a plain relative name."
        )
    return name


def allowed_paths(paths: Sequence[str], settings: Settings) -> list[str]:
    """Paths of the server that a client may name: inside an allowed folder after every link is followed.

    Raises `Problem` with the same words for a path outside and for one that is not there.
    """
    roots = [Path(root) for root in settings.api_source_roots.split(os.pathsep) if root.strip()]
    checked = []
    for path in paths:
        real = allowed_source(path, roots)
        if real is None:
            raise Problem(
                422,
                "source-not-allowed",
                f"The source {path[:200]!r} is not in a folder that this server reads for its clients. "
                "Upload the documents, or name a collection.",
                exit_code=2,
            )
        checked.append(real)
    return checked


def _is_hostile(part: str) -> bool:
    return (
        not part
        or part.startswith((".", "~$"))
        or part.endswith(("~", " ", "."))
        or part.strip() != part
        or part.lower() in LITTER
    )


def _refused(detail: str) -> Problem:
    return Problem(422, "file-name-refused", detail, exit_code=2)
