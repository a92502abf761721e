"""The application: services, routes, errors, and the gate around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from deepresearch import __version__
from deepresearch.api import collections, events, health, page, reports, sandbox_runs, sessions
from deepresearch.api.access import Tokens
from deepresearch.api.bodies import MEGABYTE, BodyLimit
from deepresearch.api.describing import describe
from deepresearch.api.gate import Gate, hosts_allowed
from deepresearch.api.measures import Measures
from deepresearch.api.problems import Problem, problem_of, problem_of_http, problem_of_validation
from deepresearch.api.rates import Rates
from deepresearch.api.services import Services
from deepresearch.api.working import Working
from deepresearch.model.errors import DeepResearchError
from deepresearch.settings import Settings

#: Threads for what waits on disk and database.
_THREADS = 32

#: Seconds between two looks for uploads whose session is gone.
_TIDY_EVERY = 600.0


def create_app(settings: Settings, *, listening: str = "127.0.0.1", work: bool = True) -> FastAPI:
    """The API as an ASGI application.

    `listening` is the address it is bound to, which decides under which names it answers; with `work` it also runs the
    queued sessions. Raises `UsageError` for tokens that cannot be meant.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Ingests wait on these for as long as they take; a handful at once must not hold up short work.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, thread_name_prefix="api"))
        services = await asyncio.to_thread(Services, settings)
        app.state.services = services
        await asyncio.to_thread(services.uploads.remove_arriving)
        tidying = asyncio.create_task(_tidy(services))
        working = Working(settings) if work else None
        if working is not None:
            working.open()
        try:
            yield
        finally:
            tidying.cancel()
            with suppress(asyncio.CancelledError):
                await tidying
            if working is not None:
                await working.close()
            await services.close()

    app = FastAPI(
        title="DeepResearch",
        version=__version__,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in (
        page.router,
        health.router,
        sessions.router,
        sessions.audit_router,
        events.router,
        reports.router,
        collections.router,
        sandbox_runs.router,
    ):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(DeepResearchError, _our_error)
    app.add_exception_handler(SQLAlchemyError, _store_away)
    app.add_middleware(BodyLimit, upload_limit=(settings.api_upload_total_mb + 2) * MEGABYTE)
    app.add_middleware(
        Gate,
        tokens=Tokens(settings),
        rates=Rates(settings.api_requests_per_minute),
        measures=Measures(),
        hosts=hosts_allowed(listening, settings.api_hosts.split(",")),
        metrics_public=settings.api_metrics_public,
    )
    describe(app)
    return app


async def _tidy(services: Services) -> None:
    while True:
        with suppress(DeepResearchError, SQLAlchemyError, OSError):
            await asyncio.to_thread(services.tidy_uploads)
        await asyncio.sleep(_TIDY_EVERY)


def _answer(request: Request, problem: Problem) -> Response:
    return problem.response(request.scope["request_id"], request.url.path)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(request, problem_of_http(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    broken = [one for one in error.errors() if one.get("type") == "json_invalid"]
    if broken:
        detail = "The body is no JSON. Check its quotation marks and commas."
        return _answer(request, Problem(400, "broken-json", detail, exit_code=2))
    return _answer(request, problem_of_validation(error.errors()))


async def _our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DeepResearchError)
    problem = problem_of(error)
    problem.detail = request.app.state.services.shown.text(problem.detail)
    return _answer(request, problem)


async def _store_away(request: Request, _error: Exception) -> Response:
    detail = "The session database does not answer just now. Nothing is lost; come again."
    return _answer(request, Problem(503, "store-away", detail, headers={"Retry-After": "5"}))
