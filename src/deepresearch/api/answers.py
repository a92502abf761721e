"""What the API answers beyond the vocabulary: small documents around it, and examples for its description."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from deepresearch.model.base import Value
from deepresearch.model.session import AuditEntry, SessionRecord
from deepresearch.sandbox import SandboxResult
from deepresearch.session.explaining import ExplainedClaim
from deepresearch.session.holdings import CollectionRecord, Holding
from deepresearch.session.ingesting import Ingested

_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _example(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": list(examples)})


class SessionPage(Value):
    """Sessions, newest first. `before` is what to ask for the next page with; null on the last."""

    model_config = _example({"sessions": [], "before": None})

    sessions: tuple[SessionRecord, ...]
    before: str | None = None


class AuditPage(Value):
    """Entries of the audit log, in order of time."""

    model_config = _example({"entries": []})

    entries: tuple[AuditEntry, ...]


class SourceInfo(Value):
    """A document that a session reads; its stored text is at ``/v1/sessions/{id}/sources/{sha256}``."""

    model_config = _example(
        {
            "sha256": _SHA256,
            "source": "report-2024.pdf",
            "media_type": "application/pdf",
            "title": "Annual report 2024",
            "date": "2025-03-01",
            "version": None,
            "pages": [],
            "notes": [],
            "characters": 48210,
        }
    )

    sha256: str
    source: str
    media_type: str
    title: str
    date: str | None = None
    version: str | None = None
    pages: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    characters: int = 0


class SourceList(Value):
    """The documents of a session."""

    model_config = _example({"sources": []})

    sources: tuple[SourceInfo, ...]


class Artefact(Value):
    """A file that a session made: its name at ``/v1/sessions/{id}/artefacts/{name}``."""

    model_config = _example(
        {"name": "figures/01-emissions.png", "media_type": "image/png", "size": 18211, "sha256": _SHA256}
    )

    name: str
    media_type: str
    size: int
    sha256: str


class ArtefactList(Value):
    """The files that a session made."""

    model_config = _example({"artefacts": []})

    artefacts: tuple[Artefact, ...]


class CollectionList(Value):
    """The collections of a tenant."""

    model_config = _example({"collections": []})

    collections: tuple[CollectionRecord, ...]


class CollectionShown(CollectionRecord):
    """A collection with its documents."""

    sources: tuple[Holding, ...]


class Explained(Value):
    """Why claims got their verdicts."""

    model_config = _example({"session_id": "20261128-121500-1f2e3d4c", "claims": []})

    session_id: str
    claims: tuple[ExplainedClaim, ...]


class IngestDone(Ingested):
    """What an upload changed in a collection; see `added`, `changed`, `unchanged` and `refused`."""

    model_config = _example(
        {
            "collection": "reports",
            "files": 2,
            "added": 1,
            "changed": 0,
            "unchanged": 1,
            "removed": 0,
            "completed": 0,
            "documents": 2,
            "passages": 310,
            "refused": [],
            "seconds": 1.2,
        }
    )


class Forgotten(Value):
    """How many documents were taken out."""

    model_config = _example({"collection": "reports", "forgotten": 1})

    collection: str
    forgotten: int


class Deleted(Value):
    """A collection that is gone."""

    model_config = _example({"collection": "reports", "deleted": True})

    collection: str
    deleted: bool = True


class RunDone(SandboxResult):
    """A sandbox run. `contents` are its outputs in Base64 by path when they were asked for."""

    message: str = Field(default="", description="A sentence about any end but a good one.")
    contents: dict[str, str] = Field(default_factory=dict)


class Health(Value):
    """The process answers."""

    model_config = _example({"status": "ok", "version": "0.1.0"})

    status: str
    version: str


class Check(Value):
    """One thing that was looked at: `state` is ``ok``, ``degraded`` or ``failed``."""

    state: str
    detail: str = ""


class Readiness(Value):
    """Whether sessions can be taken: `status` is ``ready``, ``degraded`` or ``not_ready`` (then with HTTP 503)."""

    model_config = _example(
        {
            "status": "ready",
            "checks": {"store": {"state": "ok", "detail": ""}, "sandbox": {"state": "ok", "detail": "bubblewrap"}},
        }
    )

    status: str
    checks: dict[str, Check]


class ProblemShown(Value):
    """An error (RFC 9457). `exit_code` is what a command ends with."""

    model_config = _example(
        {
            "type": "urn:deepresearch:problem:unknown-session",
            "title": "Not Found",
            "status": 404,
            "detail": "There is no session '20261128-121500-1f2e3d4c' here.",
            "instance": "/v1/sessions/20261128-121500-1f2e3d4c",
            "request_id": "b3f0c6a1e2d94f6c",
            "exit_code": 2,
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    exit_code: int
    errors: tuple[dict[str, str], ...] | None = None
