"""Which collections there are and which documents are in them: the truth from which any index can be made again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePosixPath

import sqlalchemy as sa

from deepresearch.evidence.versions import base_name
from deepresearch.model.base import Value
from deepresearch.model.documents import Document
from deepresearch.session.store import Store, now
from deepresearch.session.tables import collection_documents as rows
from deepresearch.session.tables import collections, documents, session_documents

#: Values bound in one statement; SQLite takes some thousands.
_AT_ONCE = 500

#: What a row says of its source; the rest is its key.
_CHANGING = ("sha256", "loader", "state", "passages", "name_base", "title_base")


class State(StrEnum):
    """Whether a document's passages are in the collection's index."""

    PENDING = "pending"
    INDEXED = "indexed"


class CollectionRecord(Value):
    """A collection as `collections list` shows it. `pending` documents are stored and not in the index yet."""

    name: str
    form: str
    created_at: str
    documents: int
    pending: int
    passages: int


class Holding(Value):
    """One file of a collection: what it held when it was read, and whether it can be found yet."""

    source: str
    sha256: str
    loader: str
    state: State
    passages: int


class Read(Value):
    """A file that was just read, or whose content is stored already (`document` None)."""

    source: str
    sha256: str
    document: Document | None = None


class Holdings:
    """The rows of collections. Methods are short transactions; all may raise `sqlalchemy.exc.SQLAlchemyError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._engine = store.engine

    # Collections

    def create(self, name: str, form: str) -> None:
        """Make a collection; one of this name is left as it is."""
        with self._engine.begin() as connection:
            connection.execute(self._store.insert_once(collections, name=name, form=form, created_at=now()))

    def records(self, name: str | None = None) -> list[CollectionRecord]:
        """All collections by name, or the one of this name."""
        chosen = sa.true() if name is None else rows.c.collection == name
        named = sa.true() if name is None else collections.c.name == name
        # The same content under two names is in the index once.
        unique = (
            sa.select(rows.c.collection, rows.c.sha256, sa.func.max(rows.c.passages).label("passages"))
            .where(chosen)
            .group_by(rows.c.collection, rows.c.sha256)
        )
        each = unique.subquery()
        with self._engine.connect() as connection:
            summed = sa.select(each.c.collection, sa.func.sum(each.c.passages).label("passages"))
            passages = {
                row.collection: int(row.passages) for row in connection.execute(summed.group_by(each.c.collection))
            }
            counted = {
                row.collection: row
                for row in connection.execute(
                    sa.select(
                        rows.c.collection,
                        sa.func.count().label("documents"),
                        sa.func.sum(sa.case((rows.c.state == State.PENDING, 1), else_=0)).label("pending"),
                    )
                    .where(chosen)
                    .group_by(rows.c.collection)
                )
            }
            return [
                CollectionRecord(
                    name=row.name,
                    form=row.form,
                    created_at=row.created_at,
                    documents=counted[row.name].documents if row.name in counted else 0,
                    pending=counted[row.name].pending if row.name in counted else 0,
                    passages=passages.get(row.name, 0),
                )
                for row in connection.execute(sa.select(collections).where(named).order_by(collections.c.name))
            ]

    def names(self) -> list[str]:
        """The names of all collections."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(collections.c.name).order_by(collections.c.name)).scalars())

    def form(self, name: str) -> str | None:
        """How its passages were cut and encoded; None when there is no such collection."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(collections.c.form).where(collections.c.name == name)).scalar()

    def created_at(self, name: str) -> str | None:
        """When it was made; None when there is no such collection."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(collections.c.created_at).where(collections.c.name == name)).scalar()

    def delete(self, name: str) -> None:
        """Remove a collection with its documents; texts that nothing else needs go too."""
        with self._engine.begin() as connection:
            hashes = list(
                connection.execute(sa.delete(rows).where(rows.c.collection == name).returning(rows.c.sha256)).scalars()
            )
            connection.execute(sa.delete(collections).where(collections.c.name == name))
            remove_unneeded(connection, hashes)

    # Documents of a collection

    def holdings(self, name: str, state: State | None = None) -> Iterator[Holding]:
        """Its documents by source, fetched a part at a time."""
        query = sa.select(rows).where(rows.c.collection == name).order_by(rows.c.source)
        if state is not None:
            query = query.where(rows.c.state == state)
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                yield Holding(
                    source=row.source,
                    sha256=row.sha256,
                    loader=row.loader,
                    state=State(row.state),
                    passages=row.passages,
                )

    def sources_of(self, name: str, hashes: Iterable[str]) -> dict[str, list[str]]:
        """The sources in the collection that have these contents now, by SHA-256."""
        found: dict[str, list[str]] = {}
        with self._engine.connect() as connection:
            for part in _parts(hashes):
                query = (
                    sa.select(rows.c.sha256, rows.c.source)
                    .where(rows.c.collection == name, rows.c.sha256.in_(part))
                    .order_by(rows.c.source)
                )
                for row in connection.execute(query):
                    found.setdefault(row.sha256, []).append(row.source)
        return found

    def relatives(self, name: str, hashes: Iterable[str], most: int) -> set[str]:
        """Documents whose file name or title agrees with one of these but for version and date.

        Of a name that more than `most` documents share nothing is given: those are a series, not versions.
        """
        found: set[str] = set()
        with self._engine.connect() as connection:
            for column in (rows.c.name_base, rows.c.title_base):
                bases: set[str] = set()
                for part in _parts(hashes):
                    query = sa.select(column).where(rows.c.collection == name, rows.c.sha256.in_(part), column != "")
                    bases.update(connection.execute(query.distinct()).scalars())
                for base in sorted(bases):
                    alike = sa.select(rows.c.sha256).where(rows.c.collection == name, column == base)
                    family = list(connection.execute(alike.distinct().limit(most + 1)).scalars())
                    if len(family) <= most:
                        found.update(family)
        return found

    def record_batch(self, name: str, batch: Sequence[Read], loader: str) -> set[str]:
        """Store what was read and link it, in one transaction; gives the SHA-256 that were replaced.

        A content that the collection has indexed under another source is indexed here too; the rest is pending.
        """
        with self._engine.begin() as connection:
            self._store.insert_documents(
                connection, [read.document for read in batch if read.document is not None], loader
            )
            before = self._before(connection, name, [read.source for read in batch])
            for part in _parts(read.sha256 for read in batch):
                # What an older reader made of the same bytes is replaced under all its names.
                connection.execute(
                    sa.update(rows)
                    .where(rows.c.collection == name, rows.c.sha256.in_(part), rows.c.loader != loader)
                    .values(loader=loader, state=State.PENDING)
                )
            indexed = _indexed(connection, name, loader, {read.sha256 for read in batch})
            titles = self._titles(connection, batch, loader)
            values = [
                {
                    "collection": name,
                    "source": read.source,
                    "sha256": read.sha256,
                    "loader": loader,
                    "state": State.INDEXED if read.sha256 in indexed else State.PENDING,
                    "passages": indexed.get(read.sha256, 0),
                    "name_base": _base(PurePosixPath(read.source).stem),
                    "title_base": _base(titles.get(read.sha256, "")),
                }
                for read in batch
            ]
            upsert = self._store.insert(rows)
            taken = {column: upsert.excluded[column] for column in _CHANGING}
            upsert = upsert.on_conflict_do_update(index_elements=["collection", "source"], set_=taken)
            if values:
                connection.execute(upsert, values)
            return set(before.values()) - {read.sha256 for read in batch}

    def pending_among(self, name: str, hashes: Iterable[str]) -> set[str]:
        """Which of these contents are not in the index yet."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for part in _parts(hashes):
                query = sa.select(rows.c.sha256).where(
                    rows.c.collection == name, rows.c.state == State.PENDING, rows.c.sha256.in_(part)
                )
                found.update(connection.execute(query).scalars())
        return found

    def mark_indexed(self, name: str, passages: Mapping[str, int], loader: str) -> None:
        """Note that the passages of these documents are in the index now."""
        done = (
            sa.update(rows)
            .where(rows.c.collection == name, rows.c.sha256 == sa.bindparam("wanted"), rows.c.loader == loader)
            .values(state=State.INDEXED, passages=sa.bindparam("count"))
        )
        with self._engine.begin() as connection:
            connection.execute(done, [{"wanted": sha256, "count": count} for sha256, count in passages.items()])

    def mark_pending(self, name: str, hashes: Iterable[str] | None = None, form: str | None = None) -> None:
        """Note that the passages of these documents (all unless given) have to be indexed anew, in this form."""
        with self._engine.begin() as connection:
            of_collection = sa.update(rows).where(rows.c.collection == name)
            if hashes is None:
                connection.execute(of_collection.values(state=State.PENDING))
            else:
                for part in _parts(hashes):
                    connection.execute(of_collection.where(rows.c.sha256.in_(part)).values(state=State.PENDING))
            if form is not None:
                connection.execute(sa.update(collections).where(collections.c.name == name).values(form=form))

    def remove(self, name: str, sources: Iterable[str]) -> None:
        """Take these sources out of the collection; texts that nothing else needs go too."""
        with self._engine.begin() as connection:
            for part in _parts(sources):
                gone = sa.delete(rows).where(rows.c.collection == name, rows.c.source.in_(part))
                remove_unneeded(connection, connection.execute(gone.returning(rows.c.sha256)).scalars().all())

    def unreferenced(self, name: str, hashes: Iterable[str]) -> set[str]:
        """Which of these contents no source of the collection has any more."""
        wanted = set(hashes)
        return wanted - set(self.sources_of(name, wanted))

    def remove_unneeded(self, hashes: Iterable[str]) -> None:
        """Remove the texts that no session and no collection refers to."""
        with self._engine.begin() as connection:
            remove_unneeded(connection, hashes)

    # Documents of a session

    def link(self, session_id: str, name: str) -> int:
        """Let the session read every indexed document of the collection; a source it has already stays as it is.

        Gives the number of the session's documents.
        """
        chosen = sa.select(sa.literal(session_id), rows.c.source, rows.c.sha256, rows.c.loader).where(
            rows.c.collection == name, rows.c.state == State.INDEXED
        )
        with self._engine.begin() as connection:
            connection.execute(
                self._store.insert(session_documents)
                .from_select(["session_id", "source", "sha256", "loader"], chosen)
                .on_conflict_do_nothing()
            )
        return self._store.count_documents(session_id)

    def not_in(self, session_id: str, name: str) -> list[str]:
        """The session's documents that the collection's index does not hold (any more), by SHA-256."""
        held = sa.select(rows.c.sha256).where(rows.c.collection == name, rows.c.state == State.INDEXED)
        query = (
            sa.select(session_documents.c.sha256)
            .where(session_documents.c.session_id == session_id, session_documents.c.sha256.not_in(held))
            .distinct()
            .order_by(session_documents.c.sha256)
        )
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    @staticmethod
    def _before(connection: sa.Connection, name: str, sources: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in _parts(sources):
            query = sa.select(rows.c.source, rows.c.sha256).where(rows.c.collection == name, rows.c.source.in_(part))
            found.update((row.source, row.sha256) for row in connection.execute(query))
        return found

    def _titles(self, connection: sa.Connection, batch: Sequence[Read], loader: str) -> dict[str, str]:
        titles = {read.sha256: read.document.title for read in batch if read.document is not None}
        missing = [read.sha256 for read in batch if read.sha256 not in titles]
        titles.update((document.sha256, document.title) for document in self._store.stored(connection, missing, loader))
        return titles


def _indexed(connection: sa.Connection, name: str, loader: str, hashes: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _parts(hashes):
        query = sa.select(rows.c.sha256, rows.c.passages).where(
            rows.c.collection == name,
            rows.c.loader == loader,
            rows.c.state == State.INDEXED,
            rows.c.sha256.in_(part),
        )
        found.update((row.sha256, row.passages) for row in connection.execute(query))
    return found


def remove_unneeded(connection: sa.Connection, hashes: Iterable[str]) -> None:
    """Remove the texts of these SHA-256 that no session and no collection refers to."""
    for part in _parts(hashes):
        connection.execute(
            sa.delete(documents).where(
                documents.c.sha256.in_(part),
                ~sa.exists().where(session_documents.c.sha256 == documents.c.sha256),
                ~sa.exists().where(rows.c.sha256 == documents.c.sha256),
            )
        )


def _base(text: str) -> str:
    base = base_name(text[:300])
    return base if len(base) > 3 else ""


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    wanted = list(dict.fromkeys(values))
    for at in range(0, len(wanted), _AT_ONCE):
        yield wanted[at : at + _AT_ONCE]
