"""The command ``deepresearch``: its sub-commands, and how errors reach a person."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from deepresearch import __version__
from deepresearch.cli.failures import debug_wanted, explain_failure
from deepresearch.cli.lazily import LazyGroup

app = typer.Typer(
    name="deepresearch",
    cls=LazyGroup,
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
        app()
    except Exception as error:
        if debug_wanted():
            raise
        message, code = explain_failure(error)
        sys.stderr.write(f"deepresearch: {message}\n")
        sys.stderr.flush()
        sys.exit(code)
