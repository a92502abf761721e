"""Which files a program may name that asks from outside: those inside folders that a person opened to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def allowed_source(path: str, roots: Sequence[Path]) -> str | None:
    """The real path of a file or folder inside one of `roots`; None for everything else, told apart by nothing.

    Every link is followed first, on both sides, so one that leads out is outside. A path has to be absolute and to be
    there, and no part of it below the root may begin with a dot: what is hidden (``.env``, ``.ssh``) is no document.
    """
    if not path or "\0" in path or not Path(path).is_absolute():
        return None
    real = Path(os.path.realpath(path))
    for root in roots:
        top = Path(os.path.realpath(root))
        inside = real.is_relative_to(top) and not any(part.startswith(".") for part in real.relative_to(top).parts)
        if inside and real.exists():
            return str(real)
    return None
