"""``deepresearch serve``: the HTTP API and its page."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    addr: Annotated[
        str | None, typer.Option("--addr", metavar="HOST:PORT", help="Where to listen. Default: 127.0.0.1:8080.")
    ] = None,
    workers: Annotated[
        bool,
        typer.Option(
            "--workers-in-process/--no-workers-in-process",
            help="Whether this process also runs the sessions, or leaves them to `deepresearch worker`.",
        ),
    ] = True,
) -> None:
    """Serve the HTTP API under /v1, and a page to ask and read in a browser under /.

    Needs nothing else: sessions are kept in the data folder and run in this process. Beyond this machine it only
    listens with a token (DEEPRESEARCH_API_TOKEN).

    Example:  deepresearch serve --addr 127.0.0.1:8080
    """
    from deepresearch.api.serving import serve as serve_api
    from deepresearch.settings import Settings
    from deepresearch.telemetry.programs import telemetry_of_service

    settings = Settings()
    with telemetry_of_service(settings, "deepresearch-api"):
        serve_api(settings, addr or settings.api_addr, work=workers)
