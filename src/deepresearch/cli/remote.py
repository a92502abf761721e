"""Commands over a server: the same objects as on this machine, with the server behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepresearch.model.documents import Document
from deepresearch.model.errors import ServerError, SessionError, UsageError
from deepresearch.model.report import Report
from deepresearch.model.session import AuditEntry, SessionEvent, SessionRecord, SessionState
from deepresearch.report import write_reports
from deepresearch.session.found import SearchResult
from deepresearch.session.holdings import CollectionRecord, Holding
from deepresearch.session.ingesting import Ingested
from deepresearch.session.progress import Listener, Step
from deepresearch.session.purging import Purged
from deepresearch.settings import Settings

if TYPE_CHECKING:
    # Loaded only by what works on a server: other commands start without it.
    from deepresearch.client import Client, Upload


class RemoteSessions:
    """Sessions of a server, with the methods of `Archive` and `SessionQueue` that commands use."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def sessions(self) -> list[SessionRecord]:
        """All sessions, newest first."""
        return self._client.sessions()

    def session(self, session_id: str) -> SessionRecord:
        """One session."""
        return self._client.session(session_id)

    def events(self, session_id: str, after: int = 0) -> list[SessionEvent]:
        """The events there are."""
        return self._client.stored_events(session_id, after)

    def report(self, session_id: str) -> Report | None:
        """The report, None while there is none."""
        try:
            return self._client.report(session_id)
        except ServerError as error:
            if error.kind in ("report-not-ready", "no-report"):
                return None
            raise

    def documents(self, session_id: str) -> list[Document]:
        """The documents with their stored texts; without tables and headings."""
        fields = {"sha256", "source", "media_type", "title", "date", "version", "pages", "notes"}
        return [
            Document.model_validate(
                {name: value for name, value in one.items() if name in fields}
                | {"text": self._client.text(session_id, one["sha256"])}
            )
            for one in self._client.sources(session_id)
        ]

    def count_documents(self, session_id: str) -> int:
        """How many documents the session reads."""
        return len(self._client.sources(session_id))

    def text(self, session_id: str, sha256: str) -> str:
        """A stored text."""
        return self._client.text(session_id, sha256)

    def cancel(self, session_id: str, *, actor: str = "") -> SessionRecord:
        """Cancel; an ended session stays as it is. The server knows the actor by the token."""
        try:
            return self._client.cancel(session_id)
        except UsageError:
            raise
        except SessionError:
            return self._client.session(session_id)

    def purge(self, session_id: str, *, actor: str = "") -> Purged:
        """Purge."""
        return self._client.purge(session_id)

    def purge_older_than(self, days: float, *, actor: str) -> list[Purged]:
        """Only on the server itself."""
        raise UsageError(
            "Purging by age is not done over a server: set DEEPRESEARCH_SESSION_RETENTION_DAYS there, or name an ID."
        )

    def audit(self, *, session_id: str | None = None, after: int = 0) -> list[AuditEntry]:
        """Who did what."""
        return self._client.audit(session_id, after)


class RemoteCollections:
    """Collections of a server, with the methods of `Collections` that commands use."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def records(self) -> list[CollectionRecord]:
        """All collections by name."""
        return self._client.collections()

    def record(self, name: str) -> CollectionRecord:
        """One collection."""
        return self._client.collection(name)[0]

    def documents(self, name: str) -> Iterator[Holding]:
        """Its documents."""
        yield from self._client.collection(name)[1]

    def ingest(
        self,
        name: str,
        paths: Sequence[str | Path],
        *,
        prune: bool = False,
        on_progress: Callable[[Step], None] = lambda _step: None,
        **_local: Any,
    ) -> Ingested:
        """Send the files there. Raises `UsageError` for what only works on this machine."""
        from deepresearch.client import pack

        if prune:
            raise UsageError("--prune compares with files of this machine; a server has its own. Leave it out.")
        upload = pack(paths)
        total = len(upload.files)
        on_progress(Step("index", 0, total, 0))
        done = self._client.ingest(name, upload)
        on_progress(Step("index", total, total, done.passages))
        return Ingested.model_validate(upload.restored(done.model_dump(mode="json")))

    def search(self, name: str, text: str, **wanted: Any) -> SearchResult:
        """Search."""
        return self._client.search(name, text, **wanted)

    def forget(self, name: str, sources: Sequence[str]) -> int:
        """Take documents out."""
        return self._client.forget(name, sources)

    def delete(self, name: str) -> None:
        """Delete it."""
        self._client.delete_collection(name)

    def rebuild(self, name: str, **_local: Any) -> Any:
        """Only on the server itself."""
        raise UsageError("An index is rebuilt on the server itself: run `deepresearch index rebuild` there.")


def ask(
    client: Client,
    question: str,
    *,
    sources: Sequence[str | Path],
    session_id: str,
    out: Path | None,
    listener: Listener,
    **asked: Any,
) -> Report:
    """Ask a server, follow the session, and write its report here."""
    from deepresearch.client import Upload, pack

    upload = pack(sources) if sources else Upload()
    record = client.submit(question, upload=upload if upload.files else None, session_id=session_id, **asked)
    return follow(client, record.id, upload=upload, out=out, listener=listener)


def follow(
    client: Client, session_id: str, *, upload: Upload | None = None, out: Path | None = None, listener: Listener
) -> Report:
    """Follow a session of a server until it rests, and write its report here.

    Raises `SessionError` when it failed without one.
    """
    from deepresearch.client import Upload

    sent = upload or Upload()
    for event in client.events(session_id):
        listener.event(event.model_copy(update={"data": sent.restored(event.data)}))
    record = client.session(session_id)
    try:
        report = client.report(session_id)
    except ServerError:
        if record.state is SessionState.FAILED and record.error:
            raise SessionError(record.error) from None
        raise
    return brought_here(client, report, sent, out)


def brought_here(client: Client, report: Report, upload: Upload, out: Path | None) -> Report:
    """The report with its files on this machine, written as a session of this machine writes its own."""
    wanted = {quote.sha256 for claim in report.claims for quote in claim.citations}
    wanted |= {point.quote.sha256 for script in report.scripts for line in script.series for point in line.points}
    texts = {sha256: client.text(report.session_id, sha256) for sha256 in sorted(wanted)}
    figures = {
        figure.sha256: client.artefact(report.session_id, figure.path.partition("/artefacts/")[2])
        for figure in report.figures
    }
    here = Report.model_validate(upload.restored(report.model_dump(mode="json")))
    return write_reports(here, texts, figures, out or Settings().home / "reports" / report.session_id)
