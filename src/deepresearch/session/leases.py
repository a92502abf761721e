"""Who is alive. Every process that runs sessions holds a lock which vanishes the instant it dies.

Beside SQLite that is a lock on a file; on Postgres a session-level advisory lock, which ends with its connection, so
that a ``kill -9`` on any machine is seen by the others without a heartbeat in a table.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from deepresearch.model.errors import StorageError
from deepresearch.session.file_lock import FileLock, is_locked

#: Seconds after which the lock file of a dead process is removed.
_OLD = 3600.0

#: Seconds: the server notices within about eleven that a machine which held a lock has lost its power.
_KEEPALIVE = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2", "tcp_keepalives_count = 3")

_log = logging.getLogger(__name__)


def new_executor() -> str:
    """A name for this process that no other has had: host, process id, and a random part."""
    host = re.sub(r"[^A-Za-z0-9_.]", "_", socket.gethostname())[:60] or "host"
    return f"{host}-{os.getpid()}-{os.urandom(4).hex()}"


def in_words(executor: str) -> str:
    """An executor's name for a person: ``process 4711 on host``."""
    host, _, rest = executor.partition("-")
    return f"process {rest.partition('-')[0]} on {host}"


class Lease(Protocol):
    """The sign of life of this process, and the eyes for that of others."""

    executor: str

    #: Whether the living may look dead for a moment.
    may_flicker: bool

    def hold(self) -> bool:
        """Begin or go on to show life; call it every second or so. False when it had been lost in between.

        Raises `StorageError` or `sqlalchemy.exc.SQLAlchemyError` when it cannot be shown.
        """
        ...

    def alive(self, executors: Iterable[str]) -> set[str]:
        """Those of these executors that live now."""
        ...

    def close(self) -> None:
        """Show life no longer."""
        ...


class FileLease:
    """For processes of one machine that share a data folder."""

    may_flicker = False

    def __init__(self, folder: Path, executor: str) -> None:
        self.executor = executor
        self._folder = folder
        self._lock = FileLock(self._path(executor))
        self._held = False

    def hold(self) -> bool:
        """See `Lease`. Once taken it is never lost."""
        if not self._held:
            if self._lock.acquire() is not None:
                raise StorageError(f"The lock file {self._path(self.executor)} is held by another process.")
            self._held = True
            self._tidy()
        return True

    def alive(self, executors: Iterable[str]) -> set[str]:
        """See `Lease`."""
        return {one for one in set(executors) if is_locked(self._path(one))}

    def close(self) -> None:
        """See `Lease`."""
        self._lock.release(remove=True)
        self._held = False

    def _tidy(self) -> None:
        """Remove the lock files of processes that were killed; one that was just made may be about to be locked."""
        old = time.time() - _OLD
        for path in self._folder.glob("executor-*.lock"):
            try:
                if path.stat().st_mtime < old and not is_locked(path):
                    path.unlink()
            except OSError:
                continue  # another process was faster

    def _path(self, executor: str) -> Path:
        return self._folder / f"executor-{executor}.lock"


class PostgresLease:
    """For processes on any machines over one Postgres."""

    may_flicker = True

    def __init__(self, engine: sa.Engine, executor: str) -> None:
        self.executor = executor
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._taken_before = False
        self._mutex = threading.Lock()

    def hold(self) -> bool:
        """See `Lease`. A connection that broke is made again, and the lock with it."""
        with self._mutex:
            if self._connection is not None:
                try:
                    self._connection.execute(sa.text("SELECT 1"))
                    return True
                except sa.exc.SQLAlchemyError:
                    self._drop()
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                for setting in _KEEPALIVE:
                    connection.execute(sa.text(f"SET {setting}"))
                taken = connection.execute(
                    sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": advisory_key(self.executor)}
                ).scalar()
            except sa.exc.SQLAlchemyError:
                connection.invalidate()
                connection.close()
                raise
            if not taken:
                # The server has not noticed yet that the former connection is gone.
                connection.close()
                return False
            self._connection = connection
            lost = self._taken_before
            self._taken_before = True
            return not lost

    def alive(self, executors: Iterable[str]) -> set[str]:
        """See `Lease`."""
        keys = {advisory_key(one): one for one in set(executors)}
        if not keys:
            return set()
        query = sa.text(
            "SELECT classid::bigint AS high, objid::bigint AS low FROM pg_locks WHERE locktype = 'advisory' "
            "AND objsubid = 1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with self._engine.connect() as connection:
            held = {_signed((row.high << 32) | row.low) for row in connection.execute(query)}
        return {one for key, one in keys.items() if key in held}

    def close(self) -> None:
        """See `Lease`."""
        with self._mutex:
            self._drop()

    def _drop(self) -> None:
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        # The lock belongs to the connection: it must end, not go back into the pool.
        try:
            connection.invalidate()
            connection.close()
        except sa.exc.SQLAlchemyError as error:
            _log.debug("the connection of the lease was gone: %s", error)


def open_lease(engine: sa.Engine, locks: Path, executor: str) -> Lease:
    """The lease that fits this database; `hold` it before claiming anything."""
    if engine.dialect.name == "postgresql":
        return PostgresLease(engine, executor)
    return FileLease(locks, executor)


def advisory_key(name: str) -> int:
    """A number for the advisory lock of this name, as Postgres takes it: 64 bits with a sign."""
    return int.from_bytes(hashlib.sha256(f"deepresearch {name}".encode()).digest()[:8], "big", signed=True)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number
