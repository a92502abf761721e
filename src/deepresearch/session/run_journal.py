"""What the sandbox gave back, kept the instant it arrives, so that a run which ended is not made again.

Between the end of a run and the record of its stage lie some milliseconds of storing. A process killed in them finds
the result here. The file is this machine's: a session that goes on elsewhere makes the run again.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from deepresearch.sandbox import Reason, SandboxRequest, SandboxResult
from deepresearch.session.mathematics import RunRequest

_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,200}")


class RunJournal:
    """Results by run id, in a folder. A folder that refuses costs the shortcut, not the run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def through(self, sandbox: RunRequest) -> RunRequest:
        """The sandbox, but a run that ended before under the same id with the same script is not made again."""

        async def run(request: SandboxRequest) -> SandboxResult:
            known = await asyncio.to_thread(self.get, request)
            if known is not None:
                return known
            result = await sandbox(request)
            self.put(request, result)  # at once, without leaving this thread
            return result

        return run

    def put(self, request: SandboxRequest, result: SandboxResult) -> None:
        """Keep a result. A kill leaves either all of it or nothing."""
        path = self._path(request)
        if path is None or result.reason is Reason.UNAVAILABLE:
            return
        kept = {
            "request": _print_of(request),
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

    def get(self, request: SandboxRequest) -> SandboxResult | None:
        """The result of this run, or None when it is not kept here or cannot be read."""
        path = self._path(request)
        if path is None:
            return None
        try:
            kept: dict[str, Any] = json.loads(path.read_text())
            if kept["request"] != _print_of(request):
                return None
            fields = kept["result"]
            for output, content in zip(fields["outputs"], kept["contents"], strict=True):
                output["content"] = base64.b64decode(content)
            return SandboxResult.model_validate({**fields, "message": kept["message"]})
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def forget_session(self, session_id: str) -> None:
        """Remove all that a session left here: its report holds what is needed."""
        for path in self._folder.glob(f"{session_id}-*.json"):
            path.unlink(missing_ok=True)

    def _path(self, request: SandboxRequest) -> Path | None:
        run_id = request.run_id
        return self._folder / f"{run_id}.json" if run_id and _NAME.fullmatch(run_id) else None


def _print_of(request: SandboxRequest) -> str:
    """A hash of what the run depends on."""
    whole = hashlib.sha256(request.script.encode("utf-8", "surrogatepass"))
    for name in sorted(request.files):
        whole.update(f"\0{name}\0".encode())
        whole.update(request.files[name])
    return whole.hexdigest()
