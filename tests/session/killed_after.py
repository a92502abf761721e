"""A program that asks a question and kills itself the instant a stage is stored.

python killed_after.py STAGE SESSION QUESTION SOURCES
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from deepresearch.model.session import SessionEvent
from deepresearch.session.progress import Silent
from deepresearch.session.service import DeepResearch


class Killer(Silent):
    """Kills this process, without any clean-up, when the event it waits for arrives."""

    def __init__(self, kind: str, stage: str) -> None:
        self._wanted = (kind, stage)

    def event(self, event: SessionEvent) -> None:
        """Look at the event and die, or go on."""
        if (event.kind, event.data.get("stage")) == self._wanted:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(kind: str, stage: str, session: str, question: str, sources: str) -> None:
    """Ask, and die on the way."""
    async with DeepResearch() as research:
        await research.query(question, sources=[sources], session_id=session, listener=Killer(kind, stage))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
