"""What commands open: the collections of the data folder, without starting anything that could run a session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deepresearch.cli.server_option import chosen_server, client_of
from deepresearch.session.archive import Archive
from deepresearch.session.collections import Collections
from deepresearch.session.library import Library
from deepresearch.settings import Settings

if TYPE_CHECKING:
    from deepresearch.cli.remote import RemoteCollections


@contextmanager
def opened_collections(server: str | None = None) -> Iterator[Collections | RemoteCollections]:
    """The collections of this machine, or of a server that is chosen; closed again at the end."""
    if (chosen := chosen_server(server)) is not None:
        from deepresearch.cli.remote import RemoteCollections

        with client_of(chosen) as client:
            yield RemoteCollections(client)
        return
    settings = Settings()
    archive = Archive(settings)
    library = Library(settings)
    try:
        yield Collections(archive.store, library, archive.locks)
    finally:
        library.close()
        archive.close()
