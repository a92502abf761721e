"""``/v1/sessions``: ask, look, cancel, review, purge."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from deepresearch.api.access import Caller
from deepresearch.api.answers import AuditPage, SessionPage
from deepresearch.api.describing import PROBLEMS, asked_body
from deepresearch.api.names import stored_name
from deepresearch.api.problems import Problem, problem_of_validation
from deepresearch.api.requests import ReviewGiven, SessionAsked
from deepresearch.api.scopes import READ, REVIEW, WRITE
from deepresearch.api.services import Called, Calling, Served, Services
from deepresearch.api.uploads import Uploads, allowed_paths, checked_files, read_form
from deepresearch.model.errors import SessionStateError, UsageError
from deepresearch.model.session import SessionOptions, SessionRecord
from deepresearch.session.purging import Purged
from deepresearch.session.queue import ENDED
from deepresearch.session.requests import checked_id, checked_question, new_session_id
from deepresearch.team.casts import EXTRACTIVE, check_team
from deepresearch.web import checked_settings

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], responses=PROBLEMS)

audit_router = APIRouter(tags=["operations"], responses=PROBLEMS)


@router.post(
    "",
    status_code=201,
    dependencies=[WRITE],
    openapi_extra=asked_body(SessionAsked, files="Documents to search, each with a relative file name."),
)
async def submit(request: Request, response: Response, services: Served, caller: Calling) -> SessionRecord:
    """Ask a question of a collection, of allowed folders of the server, or of documents sent along as a form.

    The session is queued at once and runs by itself; follow it at ``/v1/sessions/{id}/events``. Sent again with the
    same `session_id` and the same content it gives the same session.
    """
    asked, files = await _asked(request, services)
    options = await asyncio.to_thread(_options, asked, bool(files), services, caller)
    session_id = asked.session_id or new_session_id()
    try:
        checked_id(session_id)
        staged = await asyncio.to_thread(services.uploads.stage, files) if files else None
        record = await asyncio.to_thread(_submitted, services, caller, asked, options, session_id, staged)
    except UsageError as error:
        taken = "is taken" in str(error)
        raise Problem(
            409 if taken else 422, "session-id-taken" if taken else "usage", str(error), exit_code=2
        ) from error
    response.headers["Location"] = f"/v1/sessions/{record.id}"
    return services.shown.record(record)


@router.get("", dependencies=[READ])
def listed(
    services: Served,
    caller: Calling,
    limit: Annotated[int, Query(ge=1, le=1000, description="Sessions at most.")] = 100,
    before: Annotated[str | None, Query(max_length=64, description="Only sessions older than this one.")] = None,
) -> SessionPage:
    """The tenant's sessions, newest first."""
    if before is not None:
        services.queue.record(before, caller.tenant)
    records = services.queue.sessions(caller.tenant, limit=limit + 1, before=before)
    page = tuple(services.shown.record(record) for record in records[:limit])
    return SessionPage(sessions=page, before=page[-1].id if len(records) > limit else None)


@router.get("/{session_id}", dependencies=[READ])
def shown(called: Called, services: Served) -> SessionRecord:
    """One session: its state and what it was asked."""
    return services.shown.record(called)


@router.post("/{session_id}/cancel", status_code=202, dependencies=[WRITE])
def cancel(called: Called, services: Served, caller: Calling) -> SessionRecord:
    """Stop a session; what was found so far becomes its report. 409 when it has ended already."""
    if called.state in ENDED:
        raise SessionStateError(f"Session {called.id} is {called.state} already; there is nothing to cancel.")
    return services.shown.record(services.queue.cancel(called.id, actor=caller.name))


@router.post("/{session_id}/review", dependencies=[REVIEW])
def review(given: ReviewGiven, called: Called, services: Served, caller: Calling) -> SessionRecord:
    """Decide on a report that waits for a person. 409 when none is asked for or it was given already."""
    record = services.queue.review(
        called.id, approve=given.decision == "approve", note=given.note, reviewer=given.reviewer or caller.name
    )
    return services.shown.record(record)


@router.delete("/{session_id}", dependencies=[WRITE])
def purge(called: Called, services: Served, caller: Calling) -> Purged:
    """Remove everything of a session: rows, texts, files, log lines. 409 while it runs."""
    purged = services.queue.purge(called.id, actor=caller.name)
    services.uploads.remove(services.uploads.session_folder(called.id))
    return purged


@audit_router.get("/v1/audit", dependencies=[READ])
def audit(
    services: Served,
    caller: Calling,
    session_id: Annotated[str | None, Query(max_length=64, description="Only entries of this session.")] = None,
    after: Annotated[int, Query(ge=0, le=2**31 - 1, description="Only entries with a number above this.")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Entries at most.")] = 10_000,
) -> AuditPage:
    """Who did what in the tenant: submissions, cancellations, reviews, purges; also of sessions that are gone."""
    return AuditPage(
        entries=tuple(services.queue.audit(tenant=caller.tenant, session_id=session_id, after=after, limit=limit))
    )


async def _asked(request: Request, services: Services) -> tuple[SessionAsked, dict[str, Any]]:
    """The body, JSON or form, and the files of a form. Raises `Problem`."""
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await read_form(request, services.upload_limits)
        files = checked_files(form, "files", services.upload_limits)
        fields: dict[str, Any] = {key: value for key, value in form.items() if key not in ("files", "sources")}
        if sources := form.getlist("sources"):
            fields["sources"] = sources
        return _validated(fields), files
    return _validated(await json_body(request)), {}


async def json_body(request: Request) -> Any:
    """The body as JSON. Raises `Problem` 415 for another type, 400 for what is none."""
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip()
    if kind != "application/json":
        raise Problem(415, "media-type", "Send application/json or multipart/form-data.", exit_code=2)
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise Problem(
            400, "broken-json", "The body is no JSON. Check its quotation marks and commas.", exit_code=2
        ) from None


def _validated(value: Any) -> SessionAsked:
    try:
        return SessionAsked.model_validate(value)
    except ValidationError as error:
        raise problem_of_validation(error.errors()) from None


def _options(asked: SessionAsked, has_files: bool, services: Services, caller: Caller) -> SessionOptions:
    """What the session is to do, checked. Raises `UsageError`, `Problem`."""
    collection = None
    if asked.collection is not None:
        collection = stored_name(caller.tenant, asked.collection)
        if services.collections.holdings.form(collection) is None:
            raise Problem(404, "unknown-collection", f"There is no collection {asked.collection!r}.", exit_code=2)
    team = asked.team or services.settings.team
    chosen = {EXTRACTIVE, services.settings.team, *re.split(r"[,\s]+", services.settings.api_teams)}
    if team not in chosen and "*" not in chosen:
        raise UsageError(f"This server lets nobody choose the team {team[:80]!r}; see DEEPRESEARCH_API_TEAMS.")
    check_team(team, services.settings)
    if asked.web:
        checked_settings(services.settings)
    sources = allowed_paths(asked.sources, services.settings)
    if not sources and not has_files and collection is None and not asked.web:
        raise UsageError("There is nothing to search: upload documents, or name a collection.")
    return SessionOptions(
        question=checked_question(asked.question),
        sources=tuple(sources),
        collection=collection,
        team=team,
        budget_minutes=asked.budget_minutes,
        budget_tokens=asked.budget_tokens,
        budget_calls=asked.budget_calls,
        budget_cost_usd=asked.budget_cost_usd,
        budget_steps=asked.budget_steps,
        review=asked.review,
        web=asked.web,
    )


def _submitted(
    services: Services,
    caller: Caller,
    asked: SessionAsked,
    options: SessionOptions,
    session_id: str,
    staged: Path | None,
) -> SessionRecord:
    """Queue the session with its staged documents in place; nothing stays behind when it is refused."""
    settled = False
    if staged is not None:
        folder = services.uploads.session_folder(session_id)
        tops = sorted(path.name for path in staged.iterdir())
        options = options.model_copy(update={"sources": (*(str(folder / top) for top in tops), *options.sources)})
        settled = services.uploads.settle(staged, folder)
        if not settled:
            # The session exists; the same documents again are accepted, others have other names or are refused.
            Uploads.remove(staged)
    try:
        return services.queue.submit(
            options, tenant=caller.tenant, priority=asked.priority, session_id=session_id, actor=caller.name
        )
    except BaseException:
        if settled:
            Uploads.remove(services.uploads.session_folder(session_id))
        raise
