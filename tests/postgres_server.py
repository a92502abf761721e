"""A Postgres of the tests' own: a cluster in a temporary folder, on a free loopback port, of a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg
import psycopg.sql

PASSWORD = "never-shown-5f2c"


def programs() -> Path | None:
    """The folder with initdb and pg_ctl; None when no Postgres is installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return installed[-1].parent if installed else None


class PostgresServer:
    """A server that can be stopped and started. Used by one test process; `close` removes it.

    Without `fsync` it is quicker and keeps everything but through a crash of the machine.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._fsync = "on" if fsync else "off"
        found = programs()
        assert found is not None
        self._programs = found
        self._folder = Path(tempfile.mkdtemp(prefix="deepresearch-postgres-"))
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            user = next(one for one in pwd.getpwall() if one.pw_name in ("postgres", "nobody"))
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
        password = self._folder / "password"
        password.write_text(PASSWORD)
        if self._as:
            os.chown(password, self._as["user"], self._as["group"])  # type: ignore[arg-type]
        self._run("initdb", "-D", str(self._data), "-U", "deepresearch", "--auth=scram-sha-256", f"--pwfile={password}",
                  "--encoding=UTF8", "--no-sync")  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._databases = 0
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._folder} -c max_connections=200"
        options += f" -c fsync={self._fsync}"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-o", options, "-l", str(self._folder / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: ``fast`` ends every connection, ``immediate`` is like a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def new_database(self) -> str:
        """The address of an empty database, with the password in it."""
        self._databases += 1
        name = f"sessions_{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        return self.url(name)

    def url(self, database: str) -> str:
        """The address of a database of this server."""
        return f"postgresql://deepresearch:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        """Stop it and remove everything."""
        try:
            self.stop("immediate")
        except subprocess.CalledProcessError:
            pass  # it was stopped by a test
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "PGPASSWORD": PASSWORD},
            **self._as,  # type: ignore[call-overload]
        )
