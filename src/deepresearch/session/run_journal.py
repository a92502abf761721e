"""What the sandbox gave back, kept the instant it arrives, so that a run which ended is not made again.

Between the end of a run and the record of its stage lie some milliseconds of storing. A process killed in them finds
the result here. The file is this machine's: a session that goes on elsewhere makes the run again.
"""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import Any

from deepresearch.sandbox import SandboxResult

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,200}")


class RunJournal:
    """Results by run id, in a folder. A folder that refuses costs the shortcut, not the run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, result: SandboxResult) -> None:
        """Keep a result. A kill leaves either all of it or nothing."""
        path = self._path(result.run_id)
        if path is None:
            return
        kept = {
            "result": result.model_dump(mode="json"),
            "message": result.message,
            "contents": [base64.b64encode(output.content).decode() for output in result.outputs],
        }
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f".{path.name}.{os.getpid()}")
            fresh.write_text(json.dumps(kept))
            fresh.replace(path)
        except OSError:
            return

    def get(self, run_id: str) -> SandboxResult | None:
        """The result of this run, or None when it is not kept here or cannot be read."""
        path = self._path(run_id)
        if path is None:
            return None
        try:
            kept: dict[str, Any] = json.loads(path.read_text())
            fields = kept["result"]
            for output, content in zip(fields["outputs"], kept["contents"], strict=True):
                output["content"] = base64.b64decode(content)
            return SandboxResult.model_validate({**fields, "message": kept["message"]})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget(self, run_id: str) -> None:
        """Remove it, once the stage is stored."""
        path = self._path(run_id)
        if path is not None:
            path.unlink(missing_ok=True)

    def forget_session(self, session_id: str) -> None:
        """Remove all that a session left here."""
        for path in self._folder.glob(f"{session_id}-*.json"):
            path.unlink(missing_ok=True)

    def _path(self, run_id: str) -> Path | None:
        return self._folder / f"{run_id}.json" if _NAME.fullmatch(run_id) else None
