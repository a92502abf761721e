"""Is the configuration what its writer meant? A malformed `.env`, wrong values, misspelt names."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deepresearch.doctor.check import Finding, failed, ok, warning
from deepresearch.settings import Settings

NAME = "settings"

_PREFIX = "DEEPRESEARCH_"

#: Names with our prefix that are no settings: of commands, of tests, of compose.
_OTHERS = frozenset({"DEEPRESEARCH_DEBUG", "DEEPRESEARCH_SANDBOX_TESTS", "DEEPRESEARCH_REQUIRE"})


def read_settings() -> tuple[Settings, list[Finding]]:
    """The settings and what is wrong with them; wrong values are left out so that the other checks can go on."""
    # The reader of .env says the same in other words.
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)
    findings = list(_file_findings(Path(".env")))
    try:
        settings = Settings()
    except ValidationError as error:
        for wrong in error.errors():
            field = str(wrong["loc"][0]) if wrong["loc"] else "?"
            name = field if field.startswith(_PREFIX) else f"{_PREFIX}{field.upper()}"
            findings.append(
                failed(NAME, f"{name} has a wrong value: {wrong['msg']}.", "Correct it in .env or the environment.")
            )
        settings = _without_wrong_values(error)
    except (OSError, UnicodeDecodeError):
        # What is wrong with the file is said already.
        settings = Settings(_env_file=None)
    findings += _unknown_names(os.environ, "the environment")
    if not findings:
        there = (
            "read from .env and the environment" if Path(".env").is_file() else "there is no .env here; defaults hold"
        )
        findings.append(ok(NAME, f"Settings are {there}."))
    return settings, findings


def _without_wrong_values(error: ValidationError) -> Settings:
    wrong = {str(one["loc"][0]).upper().removeprefix(_PREFIX) for one in error.errors() if one["loc"]}
    right = {
        name.lower().removeprefix(_PREFIX.lower()): value
        for name, value in os.environ.items()
        if name.upper().startswith(_PREFIX) and name.upper().removeprefix(_PREFIX) not in wrong
    }
    known: dict[str, Any] = {name: value for name, value in right.items() if name in Settings.model_fields}
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.upper().startswith(_PREFIX)}
    try:
        return Settings(_env_file=None, **known)
    except ValidationError:
        return Settings(_env_file=None)
    finally:
        os.environ.update(kept)


def _file_findings(path: Path) -> Iterator[Finding]:
    """What is wrong with the lines of a `.env`."""
    if not path.is_file():
        return
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        yield failed(NAME, f".env cannot be read: {error}.", "Save it as UTF-8 text that this user may read.")
        return
    for binding in bindings:
        if binding.error:
            yield failed(
                NAME,
                f"Line {binding.original.line} of .env is no NAME=VALUE.",
                "Correct the line, or put a # before it; it is ignored as it stands.",
            )
    yield from _unknown_names({binding.key: "" for binding in bindings if binding.key}, ".env")
    mode = path.stat().st_mode
    if mode & 0o004 and any(_is_secret(binding.key) and binding.value for binding in bindings):
        yield warning(NAME, ".env holds secrets and everybody on this machine may read it.", "Run `chmod 600 .env`.")


def _is_secret(name: str | None) -> bool:
    return bool(name) and any(word in str(name).upper() for word in ("TOKEN", "PASSWORD", "SECRET", "API_KEY"))


def _unknown_names(names: Mapping[str, str], where: str) -> list[Finding]:
    known = {f"{_PREFIX}{field.upper()}" for field in Settings.model_fields} | _OTHERS
    found = []
    for name in names:
        if name.startswith(_PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            meant = f"Did you mean {near[0]}?" if near else "See .env.example for the names there are."
            found.append(warning(NAME, f"{name} in {where} is no setting and does nothing.", meant))
    return found
