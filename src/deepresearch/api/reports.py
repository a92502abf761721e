"""What a session made and read: its report in each format, its artefacts, its stored texts."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi import Path as PathParameter
from starlette.responses import Response

from deepresearch.api.answers import Artefact, ArtefactList, Explained, SourceInfo, SourceList
from deepresearch.api.describing import PROBLEMS
from deepresearch.api.problems import Problem, not_found
from deepresearch.api.scopes import READ
from deepresearch.api.services import Called, Served, Services
from deepresearch.model.report import Report
from deepresearch.model.session import SessionRecord
from deepresearch.report import render_json
from deepresearch.report.pictures import safe_picture
from deepresearch.session.explaining import ExplainedClaim, explain_session
from deepresearch.session.queue import ENDED
from deepresearch.session.rendering import rendered_report
from deepresearch.session.tables import artefacts as artefact_rows

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], responses=PROBLEMS)

#: A report runs no script and loads nothing; its own policy, which names its style by its hash, is narrower still.
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)

_Sha256 = Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$", description="SHA-256 in small hexadecimal digits.")]


class Format(StrEnum):
    """The forms a report has."""

    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.MARKDOWN: "text/markdown; charset=utf-8",
    Format.HTML: "text/html; charset=utf-8",
}


@router.get(
    "/{session_id}/report",
    dependencies=[READ],
    response_model=Report,
    responses={
        200: {
            "description": "The report as JSON, Markdown or HTML.",
            "content": {
                "text/markdown": {"schema": {"type": "string"}, "example": "# How did emissions develop?\n"},
                "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>…"},
            },
        }
    },
)
def report(
    request: Request,
    called: Called,
    services: Served,
    format: Annotated[Format | None, Query(description="Unless given, the header Accept decides.")] = None,
) -> Response:
    """The report. 409 while there is none yet, or when the session ended without one."""
    found = _report(services, called)
    chosen = format or _preferred(request.headers.get("accept", ""))
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    shown = services.shown.report(found)
    if chosen is Format.JSON:
        return Response(render_json(shown), media_type=_MEDIA_TYPES[chosen], headers=headers)
    if chosen is Format.HTML:
        headers["Content-Security-Policy"] = REPORT_POLICY
    # What a person saves has the figures' addresses here.
    figures_under = f"/v1/sessions/{called.id}/artefacts/"
    content = rendered_report(services.archive.store, shown, chosen.value, figures_under)
    return Response(content, media_type=_MEDIA_TYPES[chosen], headers=headers)


@router.get("/{session_id}/artefacts", dependencies=[READ])
def artefacts(called: Called, services: Served) -> ArtefactList:
    """The files that a session made: the figures of its report, and whatever its scripts returned."""
    return ArtefactList(artefacts=tuple(_artefacts(services, called)))


@router.get(
    "/{session_id}/artefacts/{name:path}",
    dependencies=[READ],
    response_class=Response,
    responses={200: {"description": "The file's bytes.", "content": {"application/octet-stream": {}}}},
)
def artefact(name: Annotated[str, PathParameter(max_length=1000)], called: Called, services: Served) -> Response:
    """One of the files, by its name (or its SHA-256)."""
    for one in _artefacts(services, called):
        if name in (one.name, one.sha256):
            content = services.archive.store.blobs.get(one.sha256)
            if one.media_type.startswith("image/"):
                picture = safe_picture(content)
                if picture is None:
                    raise not_found(f"The picture {name[:80]!r} cannot be shown.")
                media_type, content = picture
            else:
                media_type = one.media_type
            return Response(
                content,
                media_type=media_type,
                headers={
                    "Content-Disposition": "inline" if media_type.startswith("image/") else "attachment",
                    "ETag": f'"{one.sha256}"',
                },
            )
    raise not_found(f"Session {called.id} has no file {name[:80]!r}.")


@router.get("/{session_id}/explain", dependencies=[READ])
def explain(
    called: Called,
    services: Served,
    claim: Annotated[str | None, Query(max_length=20, description="One claim only, by its id.")] = None,
) -> Explained:
    """What each claim rests on, how its verdict was reached, and what would change it."""
    found = _report(services, called)
    if claim is not None and claim not in {one.id for one in found.claims}:
        raise not_found(f"The report of session {called.id} has no claim {claim!r}.")
    explained = explain_session(services.archive, called.id, claim)
    return Explained(
        session_id=called.id,
        claims=tuple(
            ExplainedClaim.model_validate(services.shown.value(one.model_dump(mode="json"))) for one in explained
        ),
    )


@router.get("/{session_id}/sources", dependencies=[READ])
def sources(called: Called, services: Served) -> SourceList:
    """The documents that a session reads."""
    return SourceList(
        sources=tuple(
            SourceInfo(
                **services.shown.value(document.model_dump(mode="json", exclude={"text", "tables", "headings"})),
                characters=len(document.text),
            )
            for document in services.archive.documents(called.id)
        )
    )


@router.get(
    "/{session_id}/sources/{sha256}",
    dependencies=[READ],
    response_class=Response,
    responses={200: {"description": "The text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def source(sha256: _Sha256, called: Called, services: Served) -> Response:
    """The stored text of a document, exactly as citations count in it: ``text[start:end] == quote``."""
    text = services.archive.text(called.id, sha256)
    return Response(text.encode("utf-8"), media_type="text/plain; charset=utf-8", headers={"ETag": f'"{sha256}"'})


def _report(services: Services, record: SessionRecord) -> Report:
    found = services.archive.report(record.id)
    if found is not None:
        return found
    if record.state in ENDED:
        why = f": {services.shown.text(record.error)}" if record.error else "."
        raise Problem(409, "no-report", f"Session {record.id} is {record.state} and has no report{why}")
    raise Problem(
        409,
        "report-not-ready",
        f"Session {record.id} is {record.state}; its report is not there yet. Follow its events, or come again.",
        headers={"Retry-After": "2"},
    )


def _preferred(accept: str) -> Format:
    """The first of our media types in the header, by its quality; JSON for anything else."""
    named = {"application/json": Format.JSON, "text/markdown": Format.MARKDOWN, "text/html": Format.HTML}
    best, best_quality = Format.JSON, -1.0
    for part in accept.split(","):
        kind, _, parameters = part.partition(";")
        quality = 1.0
        for parameter in parameters.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if (chosen := named.get(kind.strip().lower())) is not None and quality > best_quality and quality > 0:
            best, best_quality = chosen, quality
    return best


def _artefacts(services: Services, record: SessionRecord) -> Iterator[Artefact]:
    table = artefact_rows.c
    with services.archive.store.engine.connect() as connection:
        rows = connection.execute(
            sa.select(table.name, table.media_type, table.size, table.sha256)
            .where(table.session_id == record.id)
            .order_by(table.name, table.sha256)
        ).all()
    sizes = {row.sha256: row.size for row in rows}
    found = services.archive.report(record.id)
    for figure in found.figures if found else ():
        name = f"figures/{Path(figure.path).name}"
        media_type = mimetypes.guess_type(name)[0] or figure.media_type
        yield Artefact(name=name, media_type=media_type, size=sizes.get(figure.sha256, 0), sha256=figure.sha256)
    for row in rows:
        yield Artefact(name=services.shown.text(row.name), media_type=row.media_type, size=row.size, sha256=row.sha256)
