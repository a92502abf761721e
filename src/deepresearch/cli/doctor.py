"""``deepresearch doctor``: why something does not work here, and what to do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "skipped": "-      "}


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")
    ] = False,
    draw: Annotated[
        bool, typer.Option("--draw/--no-draw", help="Also draw with Matplotlib, Graphviz and Mermaid in the sandbox.")
    ] = True,
) -> None:
    """Look at everything the program needs and say what is wrong and what to do about it.

    Settings and .env, Python and its libraries, folders and disk, clock, ports, database and migrations, Qdrant, OTLP
    endpoint, control groups, container engine and image, bubblewrap, Mermaid and Chromium. Nothing is changed.

    Exit codes: 0 nothing failed, 1 something did. A warning is no failure.
    """
    from deepresearch.cli.terminal import printable
    from deepresearch.doctor import State, examine

    findings = []
    for finding in examine(draw=draw):
        findings.append(finding)
        if not as_json:
            typer.echo(f"{_MARKS[finding.state]}  {finding.name}: {printable(finding.detail)}")
            if finding.remedy:
                typer.echo(f"         {printable(finding.remedy)}")
    failed = sum(finding.state is State.FAILED for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": failed == 0, "findings": [finding.as_json() for finding in findings]}, indent=2))
    elif failed:
        typer.echo(f"{failed} of {len(findings)} checks failed.", err=True)
    if failed:
        raise typer.Exit(1)
