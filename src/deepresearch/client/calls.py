"""Every call as data: what to send, and how to read the answer. Both faces send these and nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx

from deepresearch.client.packing import Upload
from deepresearch.model.errors import ServerUnreachableError
from deepresearch.model.report import Report
from deepresearch.model.session import AuditEntry, SessionEvent, SessionRecord
from deepresearch.sandbox import Output, SandboxRequest, SandboxResult
from deepresearch.session.explaining import ExplainedClaim
from deepresearch.session.found import SearchResult
from deepresearch.session.holdings import CollectionRecord, Holding
from deepresearch.session.ingesting import Ingested
from deepresearch.session.purging import Purged
from deepresearch.session.requests import new_session_id

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request and the reading of its answer. `safe` calls may be sent again when the connection broke."""

    method: str
    path: str
    read: Callable[[httpx.Response], Answer]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    fields: Mapping[str, Any] | None = None
    upload: Upload | None = None
    parts: Sequence[tuple[str, tuple[str, bytes]]] = ()
    safe: bool = True
    #: Seconds to wait for the answer; None for the client's own.
    seconds: float | None = None


def submit(question: str, upload: Upload | None, asked: Mapping[str, Any]) -> Call[SessionRecord]:
    """Ask. The id is made here, so that sending it twice asks once."""
    fields = {
        "question": question,
        **{name: value for name, value in asked.items() if value is not None and value is not False},
    }
    fields.setdefault("session_id", new_session_id())
    if upload is None:
        return Call("POST", "/v1/sessions", _model(SessionRecord.model_validate), body=fields)
    return Call("POST", "/v1/sessions", _model(SessionRecord.model_validate), fields=fields, upload=upload, seconds=600)


def session(session_id: str) -> Call[SessionRecord]:
    """One session."""
    return Call("GET", _session(session_id), _model(SessionRecord.model_validate))


def sessions(limit: int, before: str | None) -> Call[tuple[list[SessionRecord], str | None]]:
    """A page of sessions, and where the next one begins."""

    def read(answer: httpx.Response) -> tuple[list[SessionRecord], str | None]:
        value = _json(answer)
        return [SessionRecord.model_validate(one) for one in value["sessions"]], value.get("before")

    params = {"limit": limit, **({"before": before} if before else {})}
    return Call("GET", "/v1/sessions", read, params=params)


def events(session_id: str, after: int) -> Call[list[SessionEvent]]:
    """The events there are."""

    def read(answer: httpx.Response) -> list[SessionEvent]:
        stream = EventReader()
        return [one for one in stream.feed(answer.text + "\n\n") if isinstance(one, SessionEvent)]

    return Call("GET", f"{_session(session_id)}/events", read, params={"after": after, "follow": "false"})


def cancel(session_id: str) -> Call[SessionRecord]:
    """Cancel."""
    return Call("POST", f"{_session(session_id)}/cancel", _model(SessionRecord.model_validate), safe=False)


def review(session_id: str, approve: bool, note: str, reviewer: str) -> Call[SessionRecord]:
    """Decide."""
    body = {"decision": "approve" if approve else "reject", "note": note, "reviewer": reviewer}
    return Call("POST", f"{_session(session_id)}/review", _model(SessionRecord.model_validate), body=body, safe=False)


def purge(session_id: str) -> Call[Purged]:
    """Purge."""
    return Call("DELETE", _session(session_id), _model(Purged.model_validate), safe=False)


def audit(session_id: str | None, after: int) -> Call[list[AuditEntry]]:
    """Who did what."""

    def read(answer: httpx.Response) -> list[AuditEntry]:
        return [AuditEntry.model_validate(one) for one in _json(answer)["entries"]]

    params = {"after": after, **({"session_id": session_id} if session_id else {})}
    return Call("GET", "/v1/audit", read, params=params)


def report(session_id: str) -> Call[Report]:
    """The report."""
    return Call("GET", f"{_session(session_id)}/report", _model(Report.model_validate), params={"format": "json"})


def rendered(session_id: str, form: str) -> Call[bytes]:
    """The report as a file."""
    return Call("GET", f"{_session(session_id)}/report", lambda answer: answer.content, params={"format": form})


def artefact(session_id: str, name: str) -> Call[bytes]:
    """A file the session made."""
    return Call("GET", f"{_session(session_id)}/artefacts/{quote(name)}", lambda answer: answer.content)


def explain(session_id: str, claim: str | None) -> Call[list[ExplainedClaim]]:
    """Why claims got their verdicts."""

    def read(answer: httpx.Response) -> list[ExplainedClaim]:
        return [ExplainedClaim.model_validate(one) for one in _json(answer)["claims"]]

    return Call("GET", f"{_session(session_id)}/explain", read, params={"claim": claim} if claim else {})


def sources(session_id: str) -> Call[list[dict[str, Any]]]:
    """The documents of a session, without their texts."""
    return Call("GET", f"{_session(session_id)}/sources", lambda answer: list(_json(answer)["sources"]))


def text(session_id: str, sha256: str) -> Call[str]:
    """A stored text."""
    path = f"{_session(session_id)}/sources/{quote(sha256, safe='')}"
    return Call("GET", path, lambda answer: answer.content.decode("utf-8"))


def collections() -> Call[list[CollectionRecord]]:
    """All collections."""

    def read(answer: httpx.Response) -> list[CollectionRecord]:
        return [CollectionRecord.model_validate(one) for one in _json(answer)["collections"]]

    return Call("GET", "/v1/collections", read)


def collection(name: str) -> Call[tuple[CollectionRecord, list[Holding]]]:
    """One collection with its documents."""

    def read(answer: httpx.Response) -> tuple[CollectionRecord, list[Holding]]:
        value = _json(answer)
        documents = [Holding.model_validate(one) for one in value.pop("sources")]
        return CollectionRecord.model_validate(value), documents

    return Call("GET", _collection(name), read)


def ingest(name: str, upload: Upload) -> Call[Ingested]:
    """Take files in. Sent twice it finds them unchanged."""
    return Call(
        "POST",
        f"{_collection(name)}/documents",
        _model(Ingested.model_validate),
        fields={},
        upload=upload,
        seconds=3600,
    )


def search(name: str, wanted: Mapping[str, Any]) -> Call[SearchResult]:
    """Search."""
    return Call("POST", f"{_collection(name)}/search", _model(SearchResult.model_validate), body=dict(wanted))


def forget(name: str, documents: Sequence[str]) -> Call[int]:
    """Take documents out."""
    return Call(
        "DELETE",
        f"{_collection(name)}/documents",
        lambda answer: int(_json(answer)["forgotten"]),
        body={"sources": list(documents)},
        safe=False,
    )


def delete_collection(name: str) -> Call[None]:
    """Delete a collection."""
    return Call("DELETE", _collection(name), lambda _answer: None, safe=False)


def run(request: SandboxRequest) -> Call[SandboxResult]:
    """Run a script."""
    fields: dict[str, Any] = {
        "script": request.script,
        "script_name": request.script_name,
        "timeout": request.timeout,
        "profile": request.profile.value,
        "args": list(request.args),
        "expects": list(request.expects),
    }
    common: dict[str, Any] = {
        "params": {"content": "true"},
        "safe": False,
        "seconds": request.timeout + 120,
    }
    if not request.files:
        return Call("POST", "/v1/sandbox/runs", _read_run, body=fields, **common)
    parts = [("files", (name, content)) for name, content in request.files.items()]
    return Call("POST", "/v1/sandbox/runs", _read_run, fields=fields, parts=parts, **common)


def _read_run(answer: httpx.Response) -> SandboxResult:
    value = _json(answer)
    contents = value.pop("contents", {})
    message = value.pop("message", "")
    result = SandboxResult.model_validate(value)
    outputs = tuple(
        Output(**output.model_dump(), content=base64.b64decode(contents.get(output.path, "")))
        for output in result.outputs
    )
    return result.model_copy(update={"message": message, "outputs": outputs})


class EventReader:
    """Takes a stream of server-sent events apart (the HTML standard's event stream), however it is cut into pieces."""

    def __init__(self) -> None:
        self._rest = ""
        self.state: str | None = None

    def feed(self, piece: str) -> list[SessionEvent]:
        """The events that are complete by now. After the last one `state` is where the session rests."""
        blocks = (self._rest + piece).replace("\r\n", "\n").split("\n\n")
        self._rest = blocks.pop()
        found = []
        for block in blocks:
            lines = [line.partition(":") for line in block.split("\n") if line and not line.startswith(":")]
            data = "\n".join(value.removeprefix(" ") for name, _, value in lines if name == "data")
            kind = next((value.removeprefix(" ") for name, _, value in lines if name == "event"), "message")
            if not data:
                continue
            if kind == "end":
                self.state = str(json.loads(data)["state"])
            else:
                found.append(SessionEvent.model_validate_json(data))
        return found


def _session(session_id: str) -> str:
    return f"/v1/sessions/{quote(session_id, safe='')}"


def _collection(name: str) -> str:
    return f"/v1/collections/{quote(name, safe='')}"


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise ServerUnreachableError(
            f"What answers at {answer.request.url.host}:{answer.request.url.port} is not this product. "
            "Check the address given with --server."
        ) from error


def _model(read: Callable[[Any], Answer]) -> Callable[[httpx.Response], Answer]:
    return lambda answer: read(_json(answer))
