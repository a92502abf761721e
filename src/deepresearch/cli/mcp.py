"""``deepresearch mcp``: the product as tools for an assistant, on standard input and output."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from deepresearch.cli.failures import INTERRUPTED, explain_failure
from deepresearch.model.errors import UsageError


def mcp(
    roots: Annotated[
        list[Path] | None,
        typer.Option(
            "--root",
            metavar="PATH",
            help="A folder of which the assistant may have files read; may be given several times. Without one it can "
            "only use collections. Links that lead out and names that begin with a dot are refused.",
            show_default=False,
        ),
    ] = None,
    web: Annotated[
        bool,
        typer.Option(
            "--web",
            help="Let the assistant have the web searched. Without it nothing of a question leaves this machine for "
            "a search service.",
        ),
    ] = False,
) -> None:
    """Serve an assistant over the Model Context Protocol: ask, search, read reports and sources.

    Meant to be started by the assistant's program, which speaks to it on standard input and output; it ends when
    standard input is closed. The assistant can neither delete nor change anything: it asks, and reads what is stored
    in the data folder. Settings are those of all commands; log lines go to standard error.

    Needs this package's extra mcp.

    Example, as an assistant's configuration:  {"command": "deepresearch", "args": ["mcp", "--root", "/home/me/reports"]}
    """
    from deepresearch.settings import Settings
    from deepresearch.telemetry.programs import telemetry_of_command

    try:
        from deepresearch.mcp.server import serve
    except ModuleNotFoundError as missing:
        if not str(missing.name).startswith("mcp"):
            raise
        raise UsageError(
            'The library mcp is not installed, or too old. Install it with: pip install "deepresearch[mcp]"'
        ) from None
    settings = Settings()
    if settings.server:
        raise UsageError("The tools work on this machine: leave DEEPRESEARCH_SERVER out.")
    folders = [_folder(root) for root in roots or []]
    if sys.stdin.isatty():
        sys.stderr.write("deepresearch: waiting for an assistant on standard input. End with Ctrl-C.\n")
    with telemetry_of_command(settings):
        runner = asyncio.Runner()
        code = runner.run(_until_stopped(lambda stop: serve(settings, folders, web=web, explain=_sentence, stop=stop)))
        if code is None:
            runner.close()
            return
    # Everything is given back. A thread still waits for input, for ever perhaps, so nothing else ends this process.
    sys.stderr.flush()
    os._exit(code)


async def _until_stopped(work: Callable[[asyncio.Event], Awaitable[None]]) -> int | None:
    """Do `work`, whose event is set when a signal comes or nobody reads standard output any more.

    Gives the exit code then, None when the work ended by itself. A second signal ends the process at once: its sessions
    survive that.
    """
    stop = asyncio.Event()
    codes: list[int] = []

    def end(number: int) -> None:
        if codes:
            os._exit(codes[0])
        codes.append(INTERRUPTED if number == signal.SIGINT else 128 + number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    _set_when_nobody_reads(stop)
    await work(stop)
    if not stop.is_set():
        return None
    return codes[0] if codes else 0


def _set_when_nobody_reads(stop: asyncio.Event) -> None:
    """Set `stop` when the other end of standard output is closed: the next write may be minutes away."""
    output = os.dup(sys.stdout.fileno())
    errors_only = select.poll()
    errors_only.register(output, 0)
    loop = asyncio.get_running_loop()

    def changed() -> None:
        loop.remove_reader(output)
        if errors_only.poll(0):
            stop.set()

    try:
        loop.add_reader(output, changed)
    except OSError:
        pass  # a file: it is always there


def _sentence(error: BaseException) -> str:
    return explain_failure(error)[0]


def _folder(root: Path) -> Path:
    """The folder, absolute. Raises `UsageError` when it is none: a misspelt one would open nothing, or later anything."""
    folder = root.expanduser().absolute()
    if not folder.is_dir():
        raise UsageError(f"--root {root}: there is no such folder. Name one that exists.")
    return folder
