"""A program that hosts a sandbox and serves its metrics, run by tests in a process of its own.

    python -m tests.ops.sandbox_host SERVICE_NAME

Reads one word a line from standard input, runs a script that succeeds (``ok``) or fails (``fail``), and answers with the
run's result as JSON on standard error. Log lines and the metrics page are those of every service.
"""

from __future__ import annotations

import asyncio
import json
import sys

from deepresearch.sandbox import Sandbox, SandboxRequest
from deepresearch.settings import Settings
from deepresearch.telemetry.programs import telemetry_of_service

SCRIPTS = {"ok": "print('fine')", "fail": "raise SystemExit(1)"}


async def _serve(settings: Settings) -> None:
    async with Sandbox.open(settings) as sandbox:
        print(json.dumps({"ready": True}), file=sys.stderr, flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            word, _, session = line.strip().partition(" ")
            result = await sandbox.run(SandboxRequest(script=SCRIPTS[word], session_id=session or None))
            told = {"status": result.status.value, "streak": result.failure_streak, "message": result.message}
            print(json.dumps(told), file=sys.stderr, flush=True)


def main() -> None:
    """Run until standard input ends."""
    settings = Settings()
    with telemetry_of_service(settings, sys.argv[1], own_page=True):
        asyncio.run(_serve(settings))


if __name__ == "__main__":
    main()
