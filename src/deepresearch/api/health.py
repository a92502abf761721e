"""``/healthz``, ``/readyz`` and ``/metrics``: for whatever watches the server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from deepresearch import __version__
from deepresearch.api.access import Caller, Scope
from deepresearch.api.answers import Check, Health, Readiness
from deepresearch.api.problems import Problem
from deepresearch.api.services import Served, Services
from deepresearch.model.errors import DeepResearchError
from deepresearch.session.database import SCHEMA_VERSION
from deepresearch.telemetry.prometheus import render_page

router = APIRouter(tags=["operations"])


@router.get("/healthz")
def health() -> Health:
    """The process answers. Says nothing about what it needs; see /readyz."""
    return Health(status="ok", version=__version__)


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Sessions cannot be taken now."}})
async def ready(response: Response, services: Served) -> Readiness:
    """Whether sessions can be taken. A sandbox that is away only degrades them, so it is no reason for 503."""
    checks = {
        "store": await run_in_threadpool(_checked, lambda: _store(services)),
        "index": await run_in_threadpool(_checked, lambda: _index(services)),
        "sandbox": await _sandbox(services),
    }
    states = {check.state for check in checks.values()}
    status = "not_ready" if "failed" in states else "degraded" if "degraded" in states else "ready"
    if status == "not_ready":
        response.status_code = 503
    return Readiness(status=status, checks=checks)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(request: Request, services: Served) -> Response:
    """The process's metrics for Prometheus."""
    caller: Caller = request.scope["caller"]
    if not services.settings.api_metrics_public and Scope.METRICS not in caller.scopes:
        raise Problem(403, "scope-missing", "This token lacks the scope 'metrics'.", exit_code=2)
    body, content_type = render_page(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": content_type})


def _checked(look: Callable[[], Check]) -> Check:
    try:
        return look()
    except (DeepResearchError, SQLAlchemyError, OSError) as error:
        # The first line only: an operator reads the log for the rest, and no address belongs in an open answer.
        return Check(state="failed", detail=type(error).__name__)


def _store(services: Services) -> Check:
    with services.archive.store.engine.connect() as connection:
        version = connection.execute(sa.text("SELECT version_num FROM dr_schema_version")).scalar()
    if version != SCHEMA_VERSION:
        return Check(state="failed", detail=f"schema {version}, this program has {SCHEMA_VERSION}")
    return Check(state="ok", detail=f"schema {version}")


def _index(services: Services) -> Check:
    folder = services.settings.home / "index"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"ready")
    return Check(state="ok")


async def _sandbox(services: Services) -> Check:
    """The back end a run would take."""
    found = await services.sandbox_backend()
    return Check(state="ok", detail=found) if found else Check(state="degraded", detail="no sandbox is available here")
