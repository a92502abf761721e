"""Lays the worker program out where a sandboxed user can read it, whatever the permissions of this installation."""

from __future__ import annotations

import compileall
import hashlib
import os
import py_compile
import shutil
import tempfile
from pathlib import Path

from deepresearch.sandbox import owners

_MAKING = ".making-"
_WORKER = Path(__file__).parent.parent / "worker"

#: The few lines of /etc that libraries ask for.
_ETC = {
    "passwd": "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nsandbox:x:65532:65532:sandbox:/tmp/home:/bin/sh\n",
    "group": "root:x:0:\nsandbox:x:65532:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


class Program:
    """The worker program below `root`, in a folder named after its content."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: Path | None = None

    def folder(self) -> Path:
        """The folder with `main.py`, made when it is not there yet."""
        if self._folder is None:
            sources = {path.name: path.read_bytes() for path in sorted(_WORKER.glob("*.py"))}
            digest = hashlib.sha256()
            for name, content in (sources | {key: text.encode() for key, text in _ETC.items()}).items():
                digest.update(f"{name}\0{len(content)}\0".encode() + content)
            folder = self._root / digest.hexdigest()[:16]
            if not folder.is_dir():
                self._lay_out(folder, sources)
            self._folder = folder
        return self._folder

    def abandoned(self) -> list[Path]:
        """Folders that a program now dead was about to fill."""
        found = []
        for folder in self._root.glob(f"{_MAKING}*"):
            owner = owners.Owner.from_label(folder.name.removeprefix(_MAKING).rpartition("-x")[0])
            if owner is not None and owner.is_dead():
                found.append(folder)
        return found

    def _lay_out(self, folder: Path, sources: dict[str, bytes]) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f"{_MAKING}{owners.this_process().label}-x", dir=self._root))
        try:
            (aside / "etc").mkdir()
            for name, content in sources.items():
                (aside / name).write_bytes(content)
            for name, text in _ETC.items():
                (aside / "etc" / name).write_text(text)
            compileall.compile_dir(aside, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
            for path in (aside, *aside.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            try:
                os.rename(aside, folder)  # noqa: PTH104
            except OSError:
                if not folder.is_dir():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
