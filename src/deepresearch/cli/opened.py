"""What commands open: the collections of the data folder, without starting anything that could run a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deepresearch.session.archive import Archive
from deepresearch.session.collections import Collections
from deepresearch.session.library import Library
from deepresearch.settings import Settings


@contextmanager
def opened_collections() -> Iterator[Collections]:
    """The collections, closed again at the end."""
    settings = Settings()
    archive = Archive(settings)
    library = Library(settings)
    try:
        yield Collections(archive.store, library, archive.locks)
    finally:
        library.close()
        archive.close()
