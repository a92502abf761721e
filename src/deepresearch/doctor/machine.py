"""The machine itself: Python and its libraries, folders and disk, clock."""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from deepresearch.doctor.check import Finding, failed, ok, warning
from deepresearch.settings import Settings

#: Below this many bytes free somebody should look, and below the second nothing can be trusted to be stored.
LOW_BYTES, TOO_LOW_BYTES = 2_000_000_000, 200_000_000

#: Libraries in whose older versions weaknesses are known: name, first version without, which.
WEAKNESSES = (
    ("cryptography", "44.0.1", "CVE-2024-12797"),
    ("h11", "0.16.0", "CVE-2025-43859"),
    ("jinja2", "3.1.6", "CVE-2025-27516"),
    ("pillow", "11.3.0", "CVE-2025-48379"),
    ("protobuf", "6.31.1", "CVE-2025-4565"),
    ("requests", "2.32.4", "CVE-2024-47081"),
    ("starlette", "0.49.1", "CVE-2025-62727"),
    ("urllib3", "2.6.0", "CVE-2025-66418"),
)

#: No clock of a machine that runs this is before this day.
_BUILT = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0))


def python_version() -> Finding:
    """Whether this Python is one the program is tested with."""
    version = platform.python_version()
    if sys.implementation.name != "cpython":
        return warning("python", f"{sys.implementation.name} {version} is not tested.", "Use CPython 3.11 or newer.")
    return ok("python", f"Python {version} on {platform.system()} {platform.machine()}.")


def known_weaknesses() -> Finding:
    """Whether a library is installed in a version with a known weakness."""
    found = []
    for name, floor, weakness in WEAKNESSES:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if _numbers(installed) < _numbers(floor):
            found.append((f"{name} {installed} ({weakness})", f"{name}>={floor}"))
    if found:
        return warning(
            "libraries",
            f"Versions with known weaknesses: {', '.join(what for what, _ in found)}.",
            "pip install --upgrade " + " ".join(f"'{floor}'" for _, floor in found),
        )
    return ok("libraries", "No library is installed in a version whose weaknesses are known to this release.")


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version; a pre-release counts as its release."""
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[^\d.]", version)[0]))


def folders(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder, and the log folder when set, can be written and have room."""
    yield from _folder("data folder", settings.home, "DEEPRESEARCH_HOME")
    if settings.log_dir is not None:
        yield from _folder("log folder", settings.log_dir, "DEEPRESEARCH_LOG_DIR")


def _folder(name: str, folder: Path, setting: str) -> Iterator[Finding]:
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is no folder")
        with tempfile.TemporaryFile(dir=existing) as probe:
            probe.write(b"x" * 65536)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as refused:
        yield failed(
            name,
            f"{folder} cannot be written: {refused.strerror}.",
            f"Make room, or set {setting} to a folder that this user may write.",
        )
        return
    free = shutil.disk_usage(existing).free
    told = f"{folder}, {free / 1e9:.1f} GB free"
    if free < TOO_LOW_BYTES:
        yield failed(
            name, f"{told}: nothing can be trusted to be stored.", "Make room: `deepresearch sandbox prune --images`."
        )
    elif free < LOW_BYTES:
        yield warning(name, f"{told}: that is little.", "Make room: `deepresearch sandbox prune --images`.")
    else:
        yield ok(name, f"{told}.")


def clock() -> Finding:
    """Whether the clock can be right: leases, tokens and TLS depend on it."""
    if time.time() < _BUILT:
        return failed("clock", f"The clock says {time.strftime('%Y-%m-%d')}.", "Set it: `timedatectl set-ntp true`.")
    asked = shutil.which("timedatectl")
    if asked is not None and Path("/run/systemd/system").is_dir():
        told = subprocess.run(
            [asked, "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        ).stdout.strip()
        if told == "no":
            return warning("clock", "The clock is not kept in time.", "Run `timedatectl set-ntp true`.")
        if told == "yes":
            return ok("clock", f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}, kept in time.")
    return ok("clock", f"{time.strftime('%Y-%m-%d %H:%M:%S %Z')}; nothing here says whether it is kept in time.")
