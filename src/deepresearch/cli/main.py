"""The command ``deepresearch``: its sub-commands, and how errors reach a person."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from deepresearch import __version__
from deepresearch.cli.failures import debug_wanted, explain_failure

app = typer.Typer(
    name="deepresearch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Ask a question of your own documents and get a report in which every sentence is checked against the exact "
        "words it cites, and every number and figure can be computed again.\n\n"
        'Begin with:  deepresearch query "How did emissions change?" --sources my-folder'
    ),
    epilog="Exit codes: 0 done, 1 the work failed, 2 bad usage, 3 needs review, 124 sandbox timeout, "
    "125 sandbox not available, 130 interrupted.",
)
#: Command, or group of commands, to its module and what of it is registered.
_COMMANDS = {
    "query": ("query", "query"),
    "ingest": ("ingest", "ingest"),
    "search": ("search", "search"),
    "explain": ("explain", "explain"),
    "trace": ("trace", "trace"),
    "replay": ("replay", "replay"),
    "review": ("review", "review"),
    "worker": ("worker", "worker"),
    "doctor": ("doctor", "doctor"),
    "config": ("config", "config"),
    "mcp": ("mcp", "mcp"),
    "serve": ("serve", "serve"),
    "sessions": ("sessions", "app"),
    "collections": ("collections", "app"),
    "index": ("collections", "index_app"),
    "sandbox": ("sandbox", "app"),
    "testing": ("testing", "app"),
}


def _register(arguments: Sequence[str]) -> None:
    """Load the command that is asked for, and no other: importing all of them takes a second. All for anything else."""
    asked = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, (module, attribute) in _COMMANDS.items():
        if asked in _COMMANDS and name != asked:
            continue
        registered = getattr(importlib.import_module(f"deepresearch.cli.{module}"), attribute)
        if isinstance(registered, typer.Typer):
            app.add_typer(registered, name=name)
        else:
            app.command(name)(registered)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"deepresearch {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
    debug: Annotated[
        bool, typer.Option("--debug", help="On an error, also show where in the program it happened.")
    ] = False,
) -> None:
    if debug:
        os.environ["DEEPRESEARCH_DEBUG"] = "1"


def run() -> None:
    """Entry point: run the command; an error becomes one or two sentences and its exit code."""
    try:
        _register(sys.argv[1:])
        app()
    except Exception as error:
        if debug_wanted():
            raise
        message, code = explain_failure(error)
        sys.stderr.write(f"deepresearch: {message}\n")
        sys.stderr.flush()
        sys.exit(code)
