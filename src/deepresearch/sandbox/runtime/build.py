"""Makes the virtual environment whose libraries scripts in the bubblewrap sandbox import, and finds it again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepresearch.model.errors import SandboxError
from deepresearch.sandbox import owners

#: Where the runtime is seen inside the sandbox.
INSIDE = "/opt/sandbox"
#: Raised when the way of building changes, so that old runtimes are not taken for current ones.
RECIPE = 1

_PACKAGE = Path(__file__).parent
REQUIREMENTS = _PACKAGE / "requirements.lock"
COMPILED = _PACKAGE / "compiled.lock"
_BUILDING = ".building-"
_MANIFEST = "manifest.json"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that scripts run on: the one this program runs on, outside any virtual environment."""

    executable: Path
    prefix: Path
    version: str

    @classmethod
    def current(cls) -> Interpreter:
        """The interpreter below the current virtual environment, if that is one."""
        base = Path(getattr(sys, "_base_executable", "") or sys.executable)
        return cls(base.resolve(), Path(sys.base_prefix).resolve(), sys.version.split()[0])


@dataclass(frozen=True, slots=True)
class Runtime:
    """A built runtime. `manifest` says what is in it."""

    folder: Path
    identity: str
    manifest: dict[str, Any]

    @property
    def python(self) -> str:
        """Its interpreter, as seen inside the sandbox."""
        return f"{INSIDE}/venv/bin/python"


class Runtimes:
    """The runtimes below one folder; each lies in a folder named after what it was made from."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @staticmethod
    def wanted() -> str:
        """The identity of the runtime this version of the program needs."""
        interpreter = Interpreter.current()
        digest = hashlib.sha256()
        for part in (str(RECIPE), interpreter.version, str(interpreter.prefix)):
            digest.update(part.encode() + b"\0")
        for part_of_it in (REQUIREMENTS, COMPILED, _PACKAGE / "fonts.py", _PACKAGE / "mmdc.py"):
            digest.update(part_of_it.read_bytes() + b"\0")
        return digest.hexdigest()[:16]

    def find(self) -> Runtime | None:
        """The current runtime, None when it has not been built."""
        return self._load(self.root / self.wanted())

    def all(self) -> list[Runtime]:
        """Every complete runtime, newest first."""
        if not self.root.is_dir():
            return []
        found = [self._load(folder) for folder in self.root.iterdir() if not folder.name.startswith(".")]
        return sorted((r for r in found if r is not None), key=lambda r: str(r.manifest["created"]), reverse=True)

    def build(self, say: Say, force: bool = False) -> Runtime:
        """Build the current runtime unless it is there. Two builds at once are safe: the first to end wins.

        `say` is told each step. Needs a package index, or a filled cache of one. Raises `SandboxError` with the last
        lines of the installer when that fails.
        """
        there = self.find()
        if there is not None and not force:
            say(f"The runtime {there.identity} is built already.")
            return there
        identity = self.wanted()
        self.root.mkdir(parents=True, exist_ok=True)
        aside = self.root / f"{_BUILDING}{owners.this_process().label}-{time.monotonic_ns()}"
        aside.mkdir(mode=0o755)
        try:
            _fill(aside, identity, say)
            self._install(aside, identity, force)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        built = self.find()
        if built is None:
            raise SandboxError(f"The runtime in {self.root / identity} is not complete; build it again.")
        return built

    def _install(self, aside: Path, identity: str, force: bool) -> None:
        final = self.root / identity
        if force and final.exists():
            old = self.root / f"{aside.name}-old"
            final.rename(old)
            shutil.rmtree(old, ignore_errors=True)
        try:
            aside.rename(final)
        except OSError:
            if self._load(final) is None:
                raise

    def abandoned(self) -> list[Path]:
        """Folders of builds whose program is dead."""
        found = []
        for folder in self.root.glob(f"{_BUILDING}*"):
            owner = owners.Owner.from_label("-".join(folder.name[len(_BUILDING) :].split("-")[:4]))
            if owner is not None and owner.is_dead():
                found.append(folder)
        return found

    @staticmethod
    def _load(folder: Path) -> Runtime | None:
        try:
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return Runtime(folder, folder.name, manifest)


def _fill(aside: Path, identity: str, say: Say) -> None:
    interpreter = Interpreter.current()
    python = aside / "venv/bin/python"
    installer = _make_environment(aside / "venv", interpreter, say)
    say("Installing the locked libraries")
    _run([*installer, "--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)])
    notes = []
    say("Installing what has to be compiled")
    try:
        _run([*installer, "--require-hashes", "--no-deps", "-r", str(COMPILED)])
    except SandboxError:
        notes.append("pygraphviz is missing: it needs a C compiler and the Graphviz headers (libgraphviz-dev)")
        say(notes[-1])
    (aside / "bin").mkdir()
    shutil.copy(_PACKAGE / "mmdc.py", aside / "bin/mmdc")
    (aside / "bin/mmdc").chmod(0o755)
    say("Preparing fonts and byte code")
    cache = aside / "cache/matplotlib"
    cache.mkdir(parents=True)
    _run([str(python), "-I", "-B", str(_PACKAGE / "fonts.py"), str(cache)])
    _run(
        [
            str(python),
            "-I",
            "-m",
            "compileall",
            "-q",
            "-j",
            "2",
            "-s",
            str(aside),
            "-p",
            INSIDE,
            str(aside / "venv/lib"),
        ]
    )
    packages = _run([str(python), "-I", "-c", _LIST])
    manifest = {
        "identity": identity,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": interpreter.version,
        "base": str(interpreter.prefix),
        "packages": json.loads(packages),
        "notes": notes,
    }
    (aside / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    _make_readable(aside)


_LIST = (
    "import json, importlib.metadata as m; "
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}, sort_keys=True))"
)


def _make_environment(folder: Path, interpreter: Interpreter, say: Say) -> list[str]:
    """Make an empty virtual environment; return the command that installs into it."""
    python = str(folder / "bin/python")
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.prefix) / "bin"))
    if uv is not None:
        say("Making the virtual environment with uv")
        _run([uv, "venv", "-q", "--relocatable", "--python", str(interpreter.executable), str(folder)])
        return [uv, "pip", "install", "-q", "--link-mode", "copy", "--python", python]
    say("Making the virtual environment with venv and pip")
    _run([str(interpreter.executable), "-I", "-m", "venv", str(folder)])
    return [python, "-I", "-m", "pip", "install", "-q", "--disable-pip-version-check"]


def _run(command: list[str], extra: dict[str, str] | None = None) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment | (extra or {}), stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        last = " ".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise SandboxError(f"Building the sandbox's runtime failed at `{Path(command[0]).name}`: {last[-1200:]}")
    return done.stdout


def _make_readable(folder: Path) -> None:
    """Let every user read: scripts run as a user of their own."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o777
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
