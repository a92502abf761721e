"""``deepresearch query``: from a question to a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deepresearch.cli.remote import ask
from deepresearch.cli.running import Watched, announce, run_interruptibly, run_remotely
from deepresearch.cli.server_option import ServerOption, chosen_server, client_of


def query(
    question: Annotated[str, typer.Argument(help="The question, in quotation marks.", show_default=False)],
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--sources",
            "-s",
            metavar="PATH",
            help="A file, a folder (with all below it) or a glob to search. May be given several times.",
        ),
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option("--collection", "-c", metavar="NAME", help="A collection to search, made by `ingest`."),
    ] = None,
    web: Annotated[
        bool,
        typer.Option(
            "--web",
            help="Search the web too, or only the web without --sources and --collection. Which search service is "
            "asked: DEEPRESEARCH_WEB_SEARCH. Pages are kept, so quotes outlive them.",
        ),
    ] = False,
    team: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Who thinks: extractive (no model, nothing leaves this machine), or PROVIDER:MODEL such as "
            "openai:gpt-4.1, anthropic:…, google:…, ollama:…, compatible:….",
            show_default=False,
        ),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(help="An id of your own for the session; the same id and question go on where it stopped."),
    ] = None,
    budget_minutes: Annotated[
        float | None,
        typer.Option(help="Stop looking after so many minutes of work and report what was found.", min=0.01),
    ] = None,
    budget_tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of language models that may be used, in and out.", show_default=False),
    ] = None,
    budget_cost: Annotated[
        float | None,
        typer.Option("--budget-cost-usd", min=0, help="US dollars that language models may cost.", show_default=False),
    ] = None,
    budget_calls: Annotated[
        int | None, typer.Option(min=0, help="Calls of language models that may be made.", show_default=False)
    ] = None,
    budget_steps: Annotated[
        int | None,
        typer.Option(help="Stop after so many steps: searches with their reading, and computations.", min=1),
    ] = None,
    review: Annotated[
        bool, typer.Option("--review", help="A person decides before the session ends: see `deepresearch review`.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for report.md, report.html, report.json and the figures.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False,
    server: ServerOption = None,
) -> None:
    """Ask a question of documents; write a checked, cited report with computed figures.

    Reads Markdown, text, HTML, PDF, DOCX, PPTX, XLSX, CSV and JSON. A file that cannot be read is named and the
    rest goes on. Stop with Ctrl-C at any time: `deepresearch sessions resume ID` goes on where it stopped.

    With --web the queries of the plan go to a search service, and the pages it names are fetched: only public
    addresses, only what robots.txt allows, one page at a time from each site. Without a key it asks DuckDuckGo and
    Wikipedia; DEEPRESEARCH_SEARXNG_URL or a key for Tavily, Brave or Exa is more dependable.

    Example:  deepresearch query "How did fuel use change between 2014 and 2024?" --sources reports --out answer
    Example:  deepresearch query "When does the ferry to Orkney sail in winter?" --web
    """
    from deepresearch.cli.progress import listener
    from deepresearch.model.errors import UsageError
    from deepresearch.model.report import Report
    from deepresearch.session.requests import checked_id, new_session_id
    from deepresearch.session.service import DeepResearch
    from deepresearch.settings import Settings

    # The id is known before anything runs, so that an interrupted person can be told it.
    session_id = checked_id(session) if session else new_session_id()

    if (chosen := chosen_server(server)) is not None:
        if not sources and collection is None and not web:
            raise UsageError(
                "There is nothing to search: name a file or folder with --sources, or a collection with --collection."
            )

        def work_there(watched: Watched) -> Report:
            with listener(session_id) as shown, client_of(chosen) as client:
                return ask(
                    client,
                    question,
                    sources=sources or (),
                    session_id=session_id,
                    out=out,
                    listener=watched.through(shown),
                    collection=collection,
                    web=web,
                    team=team,
                    budget_minutes=budget_minutes,
                    budget_steps=budget_steps,
                    budget_tokens=budget_tokens,
                    budget_cost_usd=budget_cost,
                    budget_calls=budget_calls,
                    review=review,
                )

        announce(run_remotely(work_there, session_id, chosen), as_json=as_json)
        return

    async def work(watched: Watched) -> Report:
        with listener(session_id) as shown:
            async with DeepResearch(Settings()) as research:
                return await research.query(
                    question,
                    sources=sources or (),
                    collection=collection,
                    web=web,
                    out=out,
                    team=team,
                    session_id=session_id,
                    listener=watched.through(shown),
                    budget_minutes=budget_minutes,
                    budget_steps=budget_steps,
                    budget_tokens=budget_tokens,
                    budget_cost_usd=budget_cost,
                    budget_calls=budget_calls,
                    review=review,
                )

    announce(run_interruptibly(work, session_id), as_json=as_json)
