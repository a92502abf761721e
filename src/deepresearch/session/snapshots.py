"""Pages of the web as documents: read away from this process, kept with their bytes, so that a quote outlives its page."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from deepresearch.corpus import LoadLimits
from deepresearch.corpus.isolation import Worker
from deepresearch.model.documents import Document, RefusedSource
from deepresearch.model.mathematics import Artefact
from deepresearch.session.loading import LOADER_VERSION
from deepresearch.session.store import Store
from deepresearch.session.web_records import WebPage

if TYPE_CHECKING:
    from deepresearch.web import Page

#: One page is read with less time and memory than a person's own file.
_LIMITS = LoadLimits(seconds=30.0, table_seconds=5.0, memory_bytes=1_500_000_000)


def loader_of(media_type: str) -> str:
    """The name of the reading of a page: bytes from the web are never taken for a person's file of the same hash."""
    return f"{LOADER_VERSION} web {media_type}"


class Snapshots:
    """Turns fetched pages into stored documents. Safe from several threads; pages are read one after the other."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._worker: Worker | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the process that reads, also in the middle of a page."""
        worker = self._worker
        if worker is not None:
            worker.stop()
        with self._lock:
            if self._worker is not None:
                self._worker.close()
                self._worker = None

    def keep(self, session_id: str, page: Page) -> WebPage | RefusedSource:
        """Read a page and store its text and bytes for the session; or why it cannot be read.

        Raises `StorageError` when the disk refuses, `OSError` when no process can be started.
        """
        loader = loader_of(page.media_type)
        known = self._store.stored_documents([page.sha256], loader)
        document = known[0].model_copy(update={"source": page.final_url}) if known else self._read(page)
        if isinstance(document, RefusedSource):
            return document
        record = WebPage(
            url=page.url,
            source=page.final_url,
            sha256=page.sha256,
            loader=loader,
            media_type=page.media_type,
            retrieved=page.fetched_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            title=document.title,
        )
        self._store.blobs.put(page.body)
        self._note(session_id, record, len(page.body))
        same = self._same_bytes(session_id, record)
        if same is not None:
            return record.model_copy(update={"same_as": same})
        self._store.add_document(session_id, document, loader)
        return record

    def take_over(self, session_id: str, record: WebPage) -> WebPage | None:
        """Let the session read a page that another one fetched; None when that is not stored any more."""
        try:
            size = len(self._store.blobs.get(record.sha256))
        except Exception:  # purged or damaged: it is fetched anew
            return None
        record = record.model_copy(update={"same_as": None})
        same = self._same_bytes(session_id, record)
        if same is not None:
            return record.model_copy(update={"same_as": same})
        if not self._store.link_document(session_id, record.source, record.sha256, record.loader):
            return None
        self._note(session_id, record, size)
        return record

    def _same_bytes(self, session_id: str, record: WebPage) -> str | None:
        """The source of the session that is read in this page's place.

        That is another one with the same bytes, because quotes name bytes by their hash; or the same address with
        other bytes, which was there first, because a session reads an address once.
        """
        there = self._store.hash_of(session_id, record.source)
        if there is not None and there != record.sha256:
            return record.source
        for document in self._store.documents(session_id, [record.sha256]):
            if document.source != record.source:
                return document.source
        return None

    def _note(self, session_id: str, record: WebPage, size: int) -> None:
        artefact = Artefact(name=record.source, media_type=record.media_type, size=size, sha256=record.sha256)
        self._store.add_artefacts(session_id, [artefact])

    def _read(self, page: Page) -> Document | RefusedSource:
        with self._lock, tempfile.TemporaryDirectory(prefix="deepresearch-page-") as folder:
            path = Path(folder) / "page"
            path.write_bytes(page.body)
            if self._worker is None:
                self._worker = Worker(_LIMITS)
            # The query says nothing about the page's name, and what follows a "#" was never sent.
            address = page.final_url.partition("#")[0].partition("?")[0]
            loaded = self._worker.load_page(path, address, page.media_type, page.charset)
            if isinstance(loaded, Document):
                return loaded.model_copy(update={"source": page.final_url})
            return loaded.model_copy(update={"source": page.final_url})
