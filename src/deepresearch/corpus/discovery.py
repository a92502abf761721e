"""Find the files behind the folders, file names and globs a person gives."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from deepresearch.corpus.file_names import absolute, source_name
from deepresearch.model.errors import UsageError

LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx", "__pycache__", "node_modules", "$recycle.bin"})


def discover(paths: Sequence[str | Path]) -> list[Path]:
    """Every file behind `paths`, absolute, each once, in a stable order.

    A folder is walked to the bottom with its names sorted; a file named outright is taken whatever it is
    called; any other name with ``*``, ``?`` or ``[`` is a glob. Hidden files and litter inside folders are
    skipped. Inside a folder, symbolic links are followed only to files and folders under the folders given.

    Raises `UsageError` for a path that does not exist, may not be read, or holds no file.
    """
    if not paths:
        raise UsageError("No sources were given. Name at least one file or folder.")
    roots = [Path(os.path.realpath(path)) for path in paths if Path(path).is_dir()]
    found: dict[Path, None] = {}
    for given in paths:
        files = list(_behind(given, roots))
        if not files:
            raise UsageError(f"{source_name(given)}: this folder holds no file to read. Put documents in it.")
        found.update(dict.fromkeys(files))
    return list(found)


def _behind(given: str | Path, roots: list[Path]) -> Iterator[Path]:
    if not str(given) or "\0" in str(given):
        raise UsageError("A source is an empty or impossible path. Name a file or a folder.")
    path = Path(given).expanduser()
    try:
        path.stat()
    except PermissionError as error:
        raise UsageError(f"{source_name(given)}: no permission to read it. Check its rights.") from error
    except OSError as error:
        if os.path.lexists(path):
            raise UsageError(f"{source_name(given)}: this link leads nowhere. Name the file itself.") from error
        yield from _behind_glob(given, roots)
        return
    if path.is_dir():
        yield from _inside(path, roots)
    elif path.is_file():
        yield absolute(path)
    else:
        raise UsageError(f"{source_name(given)}: neither a file nor a folder. Name a document.")


def _behind_glob(given: str | Path, roots: list[Path]) -> Iterator[Path]:
    pattern = str(Path(given).expanduser())
    matches = sorted(glob.glob(pattern, recursive=True), key=_order)  # noqa: PTH207 if glob.has_magic(pattern) else []
    if not matches:
        raise UsageError(f"{source_name(given)}: no such file or folder. Check the path.")
    for match in matches:
        path = Path(match)
        if _is_litter(path.name):
            continue
        if path.is_dir():
            yield from _inside(path, [*roots, Path(os.path.realpath(path))])
        elif path.is_file():
            yield absolute(path)


def _inside(folder: Path, roots: list[Path]) -> Iterator[Path]:
    """Files under `folder`, depth first, without recursion, each real folder once."""
    seen: set[str] = set()
    pending = [absolute(folder)]
    top = pending[0]
    while pending:
        current = pending.pop()
        real = os.path.realpath(current)
        if real in seen:
            continue
        seen.add(real)
        try:
            entries = sorted(os.scandir(current), key=lambda entry: os.fsencode(entry.name))
        except PermissionError as error:
            if current == top:
                raise UsageError(
                    f"{source_name(current)}: no permission to read this folder. Check its rights."
                ) from error
            continue
        except OSError:
            continue
        folders = []
        for entry in entries:
            if _is_litter(entry.name) or (entry.is_symlink() and not _leads_inside(entry.path, roots)):
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif entry.is_file():
                yield Path(entry.path)
        pending.extend(reversed(folders))


def _leads_inside(link: str, roots: list[Path]) -> bool:
    target = Path(os.path.realpath(link))
    return target.exists() and any(target.is_relative_to(root) for root in roots)


def _is_litter(name: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith("~") or name.lower() in LITTER


def _order(name: str) -> bytes:
    return os.fsencode(name)
