"""The workflow library at work: one process, any number of sessions, every stage a durable step."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from deepresearch.model.errors import StorageError
from deepresearch.session.database import database_url
from deepresearch.session.stages import Stages
from deepresearch.session.workflow import research
from deepresearch.settings import Settings

#: Sessions begun by one version of the workflow go on under this one as long as the name stays.
WORKFLOW_VERSION = "research-1"

#: Crash loops end: after this many recoveries a session is given up as failed.
_MAX_RECOVERIES = 50

_open_sessions: dict[str, Stages] = {}


@DBOS.workflow(name="research", max_recovery_attempts=_MAX_RECOVERIES)
async def _research(session_id: str) -> str:
    stages = _open_sessions[session_id]

    async def step(name: str, work: Callable[[], Awaitable[Any]]) -> Any:
        return await DBOS.run_step_async({"name": name}, work)

    await research(stages, step)
    return session_id


class Engine:
    """Runs sessions of this process. One may be open in a process at a time.

    Every process has an executor id and a queue of its own, so that opening one never takes over a session that
    another living process is running; a session left by a dead process is moved onto the queue of the process
    that resumes it.
    """

    def __init__(self, settings: Settings) -> None:
        self._name = f"process-{os.getpid()}-{os.urandom(4).hex()}"
        self._url = database_url(settings)
        self._config = DBOSConfig(
            name="deepresearch",
            system_database_url=self._url,
            application_version=WORKFLOW_VERSION,
            executor_id=self._name,
            log_level="CRITICAL",  # what a stage raises is told by us, once and in words
        )

    async def open(self) -> None:
        """Connect to the database and begin to listen. Raises `StorageError`."""
        logging.getLogger("dbos").setLevel(logging.CRITICAL)
        try:
            await asyncio.to_thread(self._launch)
        except Exception as error:
            raise StorageError(f"The session database cannot be used: {_first_line(error)}.") from error

    async def run(self, session_id: str, stages: Stages) -> None:
        """Run a new session, or go on with one whose process died, to its end.

        Raises what a stage raised. Cancelling the call leaves the session as it is, to be resumed.
        """
        _open_sessions[session_id] = stages
        try:
            status = await DBOS.get_workflow_status_async(session_id)
            if status is None:
                with SetWorkflowID(session_id):
                    handle = await DBOS.start_workflow_async(_research, session_id)
            elif status.status in ("SUCCESS", "ERROR"):
                # Our own stored results are the truth: what failed or was lost is run, nothing else.
                with SetWorkflowID(f"{session_id}.{os.urandom(4).hex()}"):
                    handle = await DBOS.start_workflow_async(_research, session_id)
            else:
                handle = await DBOS.resume_workflow_async(session_id, queue_name=self._name)
            await handle.get_result(polling_interval_sec=0.05)
        finally:
            _open_sessions.pop(session_id, None)

    async def close(self) -> None:
        """Stop listening and give the connections back."""
        await asyncio.to_thread(self._stop)

    def _launch(self) -> None:
        DBOS(config=self._config)
        DBOS.listen_queues([self._name])
        DBOS.launch()
        DBOS.register_queue(self._name, polling_interval_sec=0.1)

    def _stop(self) -> None:
        try:
            DBOS.delete_queue(self._name)
        finally:
            DBOS.destroy(workflow_completion_timeout_sec=0)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
