"""The generated scripts in the real sandbox, several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from deepresearch.model.mathematics import MathRequest
from deepresearch.sandbox import Sandbox, SandboxRequest
from deepresearch.session.mathematics import printed_values
from deepresearch.settings import Settings

AT_ONCE = 2


async def run_all(requests: Sequence[MathRequest | None]) -> list[dict[str, float | str] | None]:
    """What each script printed, in order; None for no script and for one that failed."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with Sandbox.open(Settings(), backend="bubblewrap") as sandbox:

        async def one(request: MathRequest | None) -> dict[str, float | str] | None:
            if request is None:
                return None
            async with gate:
                files = {name: text.encode() for name, text in request.files.items()}
                result = await sandbox.run(
                    SandboxRequest(script=request.script, files=files, expects=request.expects, timeout=60.0)
                )
            values, trouble = printed_values(result.stdout)
            return None if trouble or str(result.status) != "success" else values

        return list(await asyncio.gather(*(one(request) for request in requests)))
