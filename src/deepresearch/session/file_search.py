"""A search of files that are in no collection: read, indexed in a temporary folder, searched; nothing is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from deepresearch.corpus import discover, load_many, nothing_readable, source_name, split
from deepresearch.model.documents import Document, Passage, RefusedSource
from deepresearch.model.errors import NoReadableSourceError
from deepresearch.retrieval import Filters, Index
from deepresearch.session.found import Found, SearchResult, check_search, fits, none_named, why_nothing
from deepresearch.session.index_places import FolderPlace
from deepresearch.session.library import dates_of
from deepresearch.session.progress import Step

#: Characters of text that go into the index at once: it bounds memory.
_CHARACTERS = 4_000_000


def search_files(
    paths: Sequence[str | Path],
    text: str,
    *,
    limit: int = 10,
    kinds: Sequence[str] = (),
    sources: Sequence[str] = (),
    on_progress: Callable[[Step], None],
) -> tuple[SearchResult, tuple[RefusedSource, ...]]:
    """The passages under `paths` that fit the text best, and the files that could not be read.

    `kinds` and `sources` as for `Collections.search`; only files that `sources` fit are read. Raises `UsageError` for
    a path that is not there, an empty folder, an empty text or an unknown kind, `NoReadableSourceError` when no file
    could be read, and `StorageError`.
    """
    check_search(text, kinds)
    files = [file for file in discover(paths) if not sources or fits(source_name(file), sources)]
    if not files:
        return SearchResult(collection=None, query=text, hits=(), note=none_named("file there", sources)), ()
    with tempfile.TemporaryDirectory(prefix="deepresearch-search-", ignore_cleanup_errors=True) as folder:
        place = FolderPlace(Path(folder))
        with closing(place.open("files")) as index:
            names, refused = _take_in(files, place, index, on_progress)
            if not names:
                raise NoReadableSourceError(nothing_readable(refused))
            hits = index.search(text, limit=limit, filters=Filters(kinds=tuple(kinds) or None))
    found = tuple(Found.of(hit, names[hit.passage.sha256]) for hit in hits)
    note = "" if found else why_nothing(text)
    return SearchResult(collection=None, query=text, hits=found, note=note), tuple(refused)


def _take_in(
    files: Sequence[Path], place: FolderPlace, index: Index, on_progress: Callable[[Step], None]
) -> tuple[dict[str, list[str]], list[RefusedSource]]:
    """Index every file; gives the names of each content by its SHA-256, and what could not be read."""
    names: dict[str, list[str]] = {}
    refused: list[RefusedSource] = []
    batch: list[Document] = []
    characters = passages = 0
    with closing(load_many(files)) as loading:
        for done, loaded in enumerate(loading, 1):
            if isinstance(loaded, RefusedSource):
                refused.append(loaded)
            elif loaded.sha256 in names:
                names[loaded.sha256].append(loaded.source)
            else:
                names[loaded.sha256] = [loaded.source]
                batch.append(loaded)
                characters += len(loaded.text)
            if characters >= _CHARACTERS or done == len(files):
                place.need_room_for(characters)
                passages += _index(batch, index)
                batch, characters = [], 0
            on_progress(Step("index", done, len(files), passages, loaded.source))
    return names, refused


def _index(documents: Sequence[Document], index: Index) -> int:
    passages: list[Passage] = [passage for document in documents for passage in split(document)]
    index.upsert(passages, dates=dates_of(documents))
    return len(passages)
