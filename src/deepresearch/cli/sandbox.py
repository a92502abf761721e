"""`deepresearch sandbox`: run a script locked down, build what it runs in, look after it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from deepresearch.cli.sandbox_output import ScriptOutput, write_outputs
from deepresearch.cli.server_option import ServerOption, chosen_server, client_of
from deepresearch.model.errors import DeepResearchError, UsageError
from deepresearch.sandbox import PoolOptions, ProfileName, Reason, Sandbox, SandboxRequest, SandboxResult, Status
from deepresearch.sandbox.backends import choose
from deepresearch.sandbox.posture import Posture, examine
from deepresearch.sandbox.requests import LARGEST_SCRIPT
from deepresearch.sandbox.smoke import Outcome
from deepresearch.sandbox.smoke import smoke as run_smoke
from deepresearch.settings import Settings
from deepresearch.telemetry.programs import telemetry_of_command

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run untrusted Python locked down: no network, nothing of this machine, bounded in time, memory and disk.",
)

BackendOption = Annotated[
    str,
    typer.Option("--backend", help="docker, bubblewrap, or auto: the first that is there. Default: the settings."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")]

_EXIT_TIMEOUT = 124
_EXIT_UNAVAILABLE = 125


@app.command(
    epilog="Examples: deepresearch sandbox run plot.py --file data.csv --expect plot.png --out figures; "
    "arguments with dashes for the script go behind two: deepresearch sandbox run fit.py -- --degree 3",
)
def run(
    script: Annotated[str, typer.Argument(help="The Python script; - reads it from standard input.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments for the script.", metavar="[ARG]...")] = None,
    backend: BackendOption = "",
    file: Annotated[
        list[str] | None,
        typer.Option("--file", help="PATH or PATH=NAME: lay a file into the script's folder. May be repeated."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option("--expect", help="An output the script owes; without it the run fails. May be repeated."),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds the script may run.")] = 30.0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the outputs; made when missing.")] = None,
    profile: Annotated[ProfileName, typer.Option("--profile", help="What a worker has ready.")] = ProfileName.PLAIN,
    as_json: JsonOption = False,
    server: ServerOption = None,
) -> None:
    """Run a script and return what it printed and made.

    The script starts in an empty folder with only its input files. What it prints streams through; every file it leaves
    in its folder is an output, and figures that it only shows are kept as figure-1.png and so on.

    Exit codes: 0 the script succeeded, 1 it failed, 2 the request cannot be carried out, 124 its time was up,
    125 no sandbox is available here.
    """
    with reported():
        request = SandboxRequest(
            script=read_script(script),
            script_name="script.py" if script == "-" else Path(script).name,
            args=tuple(arguments or ()),
            files=read_files(file or []),
            expects=tuple(expect or ()),
            timeout=timeout,
            profile=profile,
        )
        if (chosen := chosen_server(server)) is not None:
            with client_of(chosen) as client:
                result = client.run(request)
            if not as_json:
                ScriptOutput(sys.stdout).write(result.stdout)
                ScriptOutput(sys.stderr).write(result.stderr)
        else:
            with telemetry_of_command(Settings()):
                result = asyncio.run(_run(request, backend, live=not as_json))
        if out is not None:
            write_outputs(result.outputs, out)
        _report(result, out, as_json)
    raise typer.Exit(exit_code(result))


async def _run(request: SandboxRequest, backend: str, live: bool) -> SandboxResult:
    stdout, stderr = ScriptOutput(sys.stdout), ScriptOutput(sys.stderr)
    async with Sandbox.open(Settings(), backend=backend or None, pool=PoolOptions(warm={})) as sandbox:
        return await sandbox.run(
            request, on_stdout=stdout.write if live else None, on_stderr=stderr.write if live else None
        )


def exit_code(result: SandboxResult) -> int:
    """The exit code that tells how a run ended."""
    if result.reason is Reason.UNAVAILABLE:
        return _EXIT_UNAVAILABLE
    if result.reason is Reason.INVALID_REQUEST:
        return UsageError.exit_code
    if result.status is Status.TIMEOUT:
        return _EXIT_TIMEOUT
    return 0 if result.status is Status.SUCCESS else 1


def _report(result: SandboxResult, out: Path | None, as_json: bool) -> None:
    if as_json:
        typer.echo(result.model_dump_json())
    else:
        for output in result.outputs:
            place = "" if out is None else f" in {out}"
            typer.echo(f"output: {output.path} ({output.media_type}, {output.size} bytes){place}", err=True)
        for entry in result.rejected:
            typer.echo(f"not handed out: {entry.path} {entry.reason}", err=True)
        if result.outputs and out is None:
            typer.echo("Give --out FOLDER to keep the outputs.", err=True)
    if result.message:
        typer.echo(result.message, err=True)


def read_script(script: str) -> str:
    """The text of a script file. Raises `UsageError` when it is missing or no text."""
    if script == "-":
        data = sys.stdin.buffer.read(LARGEST_SCRIPT + 1)
    else:
        path = Path(script)
        if path.is_dir():
            raise UsageError(f"{script} is a folder; name a Python script.")
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST_SCRIPT + 1)
        except OSError as refused:
            raise UsageError(f"{script} cannot be read: {refused.strerror}. Name a Python script.") from None
    if len(data) > LARGEST_SCRIPT:
        raise UsageError(f"{script} is larger than {LARGEST_SCRIPT} bytes; pass data with --file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{script} is no UTF-8 text; save it as UTF-8.") from None


def read_files(entries: list[str]) -> dict[str, bytes]:
    """The input files named PATH or PATH=NAME. Raises `UsageError` for one that is missing or named twice."""
    files: dict[str, bytes] = {}
    for entry in entries:
        path, name = Path(entry), Path(entry).name
        if not path.exists() and "=" in entry:
            before, _, name = entry.rpartition("=")
            path = Path(before)
        if not path.is_file():
            raise UsageError(
                f"The input file {path} does not exist or is no regular file; give --file PATH or PATH=NAME."
            )
        if name in files:
            raise UsageError(f"Two input files are called {name}; rename one with --file PATH=NAME.")
        try:
            files[name] = path.read_bytes()
        except OSError as refused:
            raise UsageError(f"The input file {path} cannot be read: {refused.strerror}.") from None
    return files


@app.command(epilog="Example: deepresearch sandbox build --backend bubblewrap")
def build(
    backend: BackendOption = "",
    force: Annotated[bool, typer.Option("--force", help="Build again what is there already.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build what scripts run in: the container image, or a virtual environment for bubblewrap.

    Needs a package index. Two builds at once do not disturb each other.
    """
    with reported():
        from deepresearch.sandbox.building import build_runtime

        settings = Settings()
        entry = build_runtime(
            backend or settings.sandbox_backend, settings, force, lambda line: typer.echo(line, err=True)
        )
    typer.echo(json.dumps(entry) if as_json else f"{entry['name']} is ready.")


@app.command()
def smoke(backend: BackendOption = "", as_json: JsonOption = False) -> None:
    """Draw one artefact of each kind: Matplotlib PNG and PDF, a graph through dot, a Mermaid diagram.

    Exit codes: 0 all were drawn, 1 one was not, 125 no sandbox is available here.
    """
    with reported(), telemetry_of_command(Settings()):
        outcomes = asyncio.run(_smoke(backend))
    if as_json:
        typer.echo(json.dumps([asdict(outcome) for outcome in outcomes]))
    else:
        for outcome in outcomes:
            mark = "ok    " if outcome.passed else "failed"
            typer.echo(f"{mark}  {outcome.name}: {outcome.detail} ({outcome.duration_ms} ms)")
    if any(outcome.unavailable for outcome in outcomes):
        raise typer.Exit(_EXIT_UNAVAILABLE)
    raise typer.Exit(0 if all(outcome.passed for outcome in outcomes) else 1)


async def _smoke(backend: str) -> list[Outcome]:
    async with Sandbox.open(Settings(), backend=backend or None, pool=PoolOptions(warm={})) as sandbox:
        return await run_smoke(sandbox)


@app.command()
def posture(backend: BackendOption = "", as_json: JsonOption = False) -> None:
    """Prove from inside what the sandbox promises, and warn of what is weaker here than it could be.

    Exit codes: 0 every promise was kept, 1 one was not, 125 no sandbox is available here.
    """
    with reported():
        found = asyncio.run(_posture(backend))
    if isinstance(found, SandboxResult):
        typer.echo(found.message, err=True)
        raise typer.Exit(_EXIT_UNAVAILABLE)
    if as_json:
        typer.echo(json.dumps(found.as_json()))
    else:
        typer.echo(f"back end: {found.backend}")
        typer.echo(f"control groups: {found.groups}")
        for promise in found.promises:
            detail = f" ({promise.detail})" if promise.detail else ""
            typer.echo(f"{'kept  ' if promise.kept else 'BROKEN'}  {promise.promise}{detail}")
        for warning in found.warnings:
            typer.echo(f"warning: {warning}", err=True)
    raise typer.Exit(0 if found.sound else 1)


async def _posture(name: str) -> Posture | SandboxResult:
    async with Sandbox.open(Settings(), backend=name or None, pool=PoolOptions(warm={})) as sandbox:
        warnings = await sandbox.pool.backend.warnings() if sandbox.pool is not None else []
        return await examine(sandbox, warnings)


@app.command()
def images(backend: BackendOption = "", as_json: JsonOption = False) -> None:
    """List the images and virtual environments that were built here, newest first."""
    with reported():
        rows = asyncio.run(_images(backend))
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        mark = "current" if row["current"] else "unused"
        megabytes = round(int(str(row["size_bytes"])) / 1e6)
        typer.echo(f"{row['backend']}  {row['identity']}  {row['created']}  {megabytes} MB  {mark}")
    if not rows:
        typer.echo("Nothing is built yet. Build with `deepresearch sandbox build`.", err=True)


async def _images(name: str) -> list[dict[str, object]]:
    settings = Settings()
    rows: list[dict[str, object]] = []
    for backend in choose(name or "auto", settings):
        for entry in await backend.runtimes():
            rows.append(
                {
                    "backend": backend.name,
                    "name": entry.name,
                    "identity": entry.identity,
                    "created": entry.created,
                    "size_bytes": entry.size_bytes,
                    "current": entry.current,
                }
            )
        await backend.close()
    return rows


@app.command()
def prune(
    backend: BackendOption = "",
    unused: Annotated[
        bool, typer.Option("--images", help="Also remove images and environments that are not current.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove what programs that died left behind: workers, control groups, folders.

    Nothing that a living program uses is touched. The same happens whenever a sandbox is opened.
    """
    with reported():
        removed = asyncio.run(_prune(backend, unused))
    if as_json:
        typer.echo(json.dumps(removed))
        return
    for kind, names in removed.items():
        for name in names:
            typer.echo(f"removed {kind}: {name}")
    if not any(removed.values()):
        typer.echo("Nothing was left behind.")


async def _prune(name: str, unused: bool) -> dict[str, list[str]]:
    removed: dict[str, list[str]] = {"workers": [], "cgroups": [], "folders": [], "images": []}
    for backend in choose(name or "auto", Settings()):
        left = await backend.reap()
        removed["workers"] += left.workers
        removed["cgroups"] += left.cgroups
        removed["folders"] += left.folders
        if unused:
            removed["images"] += [entry.name for entry in await backend.remove_runtimes()]
        await backend.close()
    return removed


class reported:  # noqa: N801 - reads as a word: with reported()
    """Turns an error of the product into its message on standard error and its exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DeepResearchError) and not os.environ.get("DEEPRESEARCH_DEBUG"):
            fail(error)


def fail(error: DeepResearchError) -> NoReturn:
    """Print an error and leave with its exit code."""
    typer.echo(str(error), err=True)
    raise typer.Exit(error.exit_code) from error
