"""Commands whose modules are imported when they are asked for: `sessions list` need not load what draws reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

#: Module and name of each command, in the order in which the help shows them: a function, or a group of commands.
COMMANDS = {
    "query": ("query", "query"),
    "ingest": ("ingest", "ingest"),
    "search": ("search", "search"),
    "explain": ("explain", "explain"),
    "trace": ("trace", "trace"),
    "replay": ("replay", "replay"),
    "review": ("review", "review"),
    "worker": ("worker", "worker"),
    "doctor": ("doctor", "doctor"),
    "serve": ("serve", "serve"),
    "sessions": ("sessions", "app"),
    "collections": ("collections", "app"),
    "index": ("collections", "index_app"),
    "sandbox": ("sandbox", "app"),
    "testing": ("testing", "app"),
}


class _Commands(Mapping[str, Any]):
    """The commands by name, made on first use."""

    def __init__(self, style: dict[str, Any]) -> None:
        self._style = style
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            module, attribute = COMMANDS[name]
            self._made[name] = self._make(name, getattr(import_module(f"deepresearch.cli.{module}"), attribute))
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)

    def _make(self, name: str, found: Any) -> Any:
        if isinstance(found, typer.Typer):
            group = get_group(found)
            group.name = name
            return group
        alone = typer.Typer(**self._style)
        alone.command(name)(found)
        return get_command(alone)


class LazyGroup(TyperGroup):
    """A group that holds `COMMANDS`."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(  # type: ignore[assignment]
            {
                "add_completion": False,
                "rich_markup_mode": "rich",
                "context_settings": attributes.get("context_settings"),
            }
        )

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, without importing anything."""
        return list(self.commands)
