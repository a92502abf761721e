"""``deepresearch trace``: who decided what in a session."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from deepresearch.cli.terminal import printable


class Form(StrEnum):
    """The formats of a trace."""

    MARKDOWN = "markdown"
    MERMAID = "mermaid"
    GRAPHVIZ = "graphviz"
    JSON = "json"


def trace(
    session_id: Annotated[str, typer.Argument(metavar="ID", help="The session's id, as `sessions list` shows it.")],
    form: Annotated[Form, typer.Option("--format", "-f", help="What to print.")] = Form.MARKDOWN,
) -> None:
    """Show the steps of a session, what was decided in each and by whom, and the calls of models it took.

    Works for every session, finished or not, with a model or without.

    Example:  deepresearch trace 20261128-121500-1f2e3d4c --format mermaid
    """
    from deepresearch.session.archive import Archive
    from deepresearch.settings import Settings
    from deepresearch.trace import render, trace_session

    archive = Archive(Settings())
    try:
        traced = trace_session(archive, session_id)
    finally:
        archive.close()
    text = render(traced, form.value)
    typer.echo(text if form is Form.JSON else "\n".join(printable(line) for line in text.split("\n")), nl=False)
