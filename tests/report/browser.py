"""A real Chromium for the tests, started anew for each page and ended with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason="Chromium is missing; install the package chromium to check the page in a real browser",
)

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
]


def run_chromium(profile: Path, *arguments: str) -> tuple[str, str]:
    """Run Chromium once; return what it printed (the page for ``--dump-dom``) and its console log."""
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", *arguments],
        capture_output=True,
        check=True,
        timeout=300,
        env={**os.environ, "LANG": "C.UTF-8"},
    )
    return done.stdout.decode("utf-8"), done.stderr.decode("utf-8", "replace")


def console(log: str) -> list[str]:
    """The lines a page itself caused: console messages and policy violations."""
    return [line for line in log.splitlines() if "CONSOLE" in line]
