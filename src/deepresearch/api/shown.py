"""What a client gets to see: its own names for its documents and collections, no folder of the server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from deepresearch.api.names import shown_name
from deepresearch.model.report import Report
from deepresearch.model.session import SessionEvent, SessionRecord
from deepresearch.session.found import SearchResult


class Shown:
    """Takes the folder of uploads out of every text, and the tenant's mark out of collections' names."""

    def __init__(self, uploads: Path) -> None:
        self._upload = re.compile(re.escape(str(uploads)) + r"/(?:sessions|collections)/[^/\s]+/")

    def text(self, text: str) -> str:
        """The text with uploaded documents called as the client called them."""
        return self._upload.sub("", text)

    def value(self, value: Any) -> Any:
        """Any JSON value, with every text in it shown."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value

    def record(self, record: SessionRecord) -> SessionRecord:
        """A session as its tenant sees it."""
        options = record.options
        collection = shown_name(record.tenant, options.collection) if options.collection else None
        shown = options.model_copy(
            update={"sources": tuple(map(self.text, options.sources)), "collection": collection, "out": None}
        )
        error = None if record.error is None else self.text(record.error)
        return record.model_copy(update={"options": shown, "error": error, "owner": None})

    def event(self, event: SessionEvent) -> SessionEvent:
        """An event as the session's tenant sees it; paths on the server are of no use to it."""
        data = {name: item for name, item in event.data.items() if name != "paths"}
        return event.model_copy(update={"data": self.value(data)})

    def report(self, report: Report) -> Report:
        """A report whose paths are addresses of this API."""
        base = f"/v1/sessions/{report.session_id}"
        shown = Report.model_validate(self.value(report.model_dump(mode="json")))
        figures = tuple(
            figure.model_copy(update={"path": f"{base}/artefacts/figures/{Path(figure.path).name}"})
            for figure in shown.figures
        )
        paths = {kind: f"{base}/report?format={kind}" for kind in ("markdown", "html", "json")}
        return shown.model_copy(update={"figures": figures, "paths": paths})

    def search(self, result: SearchResult, tenant: str) -> SearchResult:
        """What a search found, under the client's names."""
        fields = self.value(result.model_dump(mode="json"))
        stored = result.collection or ""
        name = shown_name(tenant, stored) or stored
        return SearchResult.model_validate(fields | {"collection": name, "note": fields["note"].replace(stored, name)})
