"""The option that makes a command work on a server. Loads nothing that only a server needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deepresearch.settings import Settings

if TYPE_CHECKING:
    from deepresearch.client import Client

ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="Work on this server, with the token in DEEPRESEARCH_API_TOKEN. Default: DEEPRESEARCH_SERVER, else here.",
        show_default=False,
    ),
]


def chosen_server(server: str | None) -> str | None:
    """The server to work on: the option, else the setting; None for this machine. An empty option means here."""
    return (Settings().server if server is None else server) or None


def client_of(server: str) -> Client:
    """The client for a server. Raises `UsageError` for an address that is none."""
    from deepresearch.client import Client

    token = Settings().api_token
    return Client(server, token.get_secret_value() if token else None)
