"""``deepresearch testing``: a language model that answers from a script, to try and to test with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="For tests and demos: a language model that answers from a script.")


@app.command("model-server")
def model_server(
    scenario: Annotated[
        Path | None,
        typer.Argument(metavar="SCENARIO", help="A YAML or JSON file; without one the model answers diligently."),
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 0,
    log: Annotated[
        Path | None, typer.Option(help="File that gets every request as a line of JSON.", show_default=False)
    ] = None,
) -> None:
    """Serve a scripted model on loopback, in the chat-completions format of OpenAI, until Ctrl-C.

    Prints its address on standard output: give it to DEEPRESEARCH_MODEL_BASE_URL and ask with --team openai:scripted.
    docs/testing.md describes scenarios.

    Example:  deepresearch testing model-server invents-quotes.yaml --port 8100
    """
    from deepresearch.model.errors import UsageError
    from deepresearch.testing import ModelServer, Scenario, load_scenario

    script = load_scenario(scenario) if scenario is not None else Scenario()
    try:
        server = ModelServer(script, port=port, log_to=log)
    except OSError as error:
        raise UsageError(
            f"Port {port} cannot be opened: {error.strerror}. Choose another, or 0 for a free one."
        ) from None
    typer.echo(server.url)
    sys.stdout.flush()
    sys.stderr.write(f"deepresearch: the scripted model {script.name!r} answers until Ctrl-C.\n")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
