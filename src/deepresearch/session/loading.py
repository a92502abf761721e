"""Stage one: from paths and collections to stored documents. A file read before costs only its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from deepresearch.corpus import LoadLimits, discover, load_many, nothing_readable, source_name
from deepresearch.model.base import Value
from deepresearch.model.documents import Document, RefusedSource
from deepresearch.model.errors import NoReadableSourceError
from deepresearch.session.store import Store

#: Changes whenever the loaders read a file differently, so that stored documents are read anew.
LOADER_VERSION = "1"


class Loaded(Value):
    """What was read: the number of documents, how many were known already, and the files refused."""

    documents: int
    known: int
    refused: tuple[RefusedSource, ...]


def load_sources(
    store: Store, session_id: str, paths: Sequence[str], on_progress: Callable[[int, int, str], None]
) -> Loaded:
    """Read every file under `paths` into the store and link it to the session.

    Raises `UsageError` for a path that is not there or an empty folder, and `NoReadableSourceError` when not one
    file could be read.
    """
    limits = LoadLimits()
    files = discover(paths)
    hashes = {file: digest for file in files if (digest := file_hash(file, limits)) is not None}
    known = store.known_documents(set(hashes.values()), LOADER_VERSION)
    fresh = [
        file
        for file in files
        if (digest := hashes.get(file)) is None
        or digest not in known
        or not store.link_document(session_id, source_name(file), digest, LOADER_VERSION)
    ]
    done = len(files) - len(fresh)
    refused: list[RefusedSource] = []
    on_progress(done, len(files), "")
    for loaded in load_many(fresh, limits):
        done += 1
        if isinstance(loaded, Document):
            store.add_document(session_id, loaded, LOADER_VERSION)
        else:
            refused.append(loaded)
        on_progress(done, len(files), loaded.source)
    if len(refused) == len(files):
        raise NoReadableSourceError(nothing_readable(refused))
    return Loaded(documents=len(files) - len(refused), known=len(files) - len(fresh), refused=tuple(refused))


def file_hash(file: Path, limits: LoadLimits) -> str | None:
    """The hash of a file's bytes; None when it cannot be read or is so large that the loader refuses it anyway."""
    try:
        if file.stat().st_size > max(limits.pdf_bytes, limits.office_bytes, limits.text_bytes):
            return None
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None
