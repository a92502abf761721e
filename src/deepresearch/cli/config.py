"""``deepresearch config``: the settings in force and where each comes from."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepresearch.cli.terminal import printable

if TYPE_CHECKING:
    from deepresearch.doctor.in_force import SettingInForce

#: How far values and descriptions stand in on a terminal.
_INDENT = 4


def config(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")
    ] = False,
    describe: Annotated[bool, typer.Option("--describe", help="Say under each setting what it is for.")] = False,
) -> None:
    """Show every setting: its value, and whether the environment, .env or the default gave it.

    Secrets are never shown, only that they are set; passwords inside addresses are hidden. Piped, each setting is one
    line with tabs between name, origin and value.

    Example:  deepresearch config | grep -v default

    Exit codes: 0 shown, 2 a line of .env or a value is wrong.
    """
    from deepresearch.doctor import State
    from deepresearch.doctor.configuration import read_settings
    from deepresearch.doctor.in_force import settings_in_force

    settings, findings = read_settings()
    for finding in findings:
        if finding.state is not State.OK:
            sys.stderr.write(f"deepresearch: {printable(finding.detail)} {printable(finding.remedy)}\n")
    if any(finding.state is State.FAILED for finding in findings):
        raise typer.Exit(2)
    shown = settings_in_force(settings)
    if as_json:
        file = Path(".env").absolute()
        document = {
            "env_file": str(file) if file.is_file() else None,
            "settings": [one.model_dump(mode="json") for one in shown],
        }
        typer.echo(json.dumps(document, indent=2))
        return
    terminal = sys.stdout.isatty()
    lines = _table(shown, describe=describe) if terminal else _lines(shown, describe=describe)
    for line in lines:
        typer.echo(line)


def _lines(shown: list[SettingInForce], *, describe: bool) -> list[str]:
    return ["\t".join([one.name, one.origin, _value(one), *([_said(one)] if describe else [])]) for one in shown]


def _table(shown: list[SettingInForce], *, describe: bool) -> list[str]:
    """Name, origin and value in columns; a value too long for its column stands on lines of its own."""
    width = max(shutil.get_terminal_size().columns, 40)
    names = max(len(one.name) for one in shown)
    origins = max(len(one.origin) for one in shown)
    room = width - names - origins - 4
    lines = []
    for one in shown:
        value, below = _value(one), []
        if len(value) > room:
            below = _wrapped(value, width)
            value = ""
        lines.append(f"{one.name:<{names}}  {one.origin:<{origins}}  {value}".rstrip())
        lines += below
        if describe and one.description:
            lines += _wrapped(_said(one), width)
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    stand_in = " " * _INDENT
    return textwrap.wrap(
        text, width, initial_indent=stand_in, subsequent_indent=stand_in, break_on_hyphens=False, drop_whitespace=True
    )


def _value(one: SettingInForce) -> str:
    """The value, and the variable it was read from where that is another than the setting's own."""
    read_from = "" if one.variable in (None, one.name) else f" (from {one.variable})"
    if isinstance(one.value, bool):
        return str(one.value).lower() + read_from
    return ("-" if one.value in (None, "") else printable(str(one.value).replace("\t", " "))) + read_from


def _said(one: SettingInForce) -> str:
    return one.description or ""
