"""One engine to SQLite or Postgres, with its schema brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deepresearch.model.errors import StorageError, UsageError
from deepresearch.settings import Settings

#: The newest migration in `migrations/versions`; a database that has it is used without loading Alembic.
SCHEMA_VERSION = "0005"

#: A number of our own for Postgres' advisory lock: "deepres" in ASCII.
_MIGRATION_LOCK = 0x64656570726573


def database_url(settings: Settings) -> str:
    """Address of the database: the one that is set, or SQLite in the home folder."""
    if settings.database_url:
        return settings.database_url
    return f"sqlite:///{settings.home / 'sessions.sqlite'}"


def open_database(settings: Settings) -> sa.Engine:
    """Connect, create or migrate the tables, and return the engine.

    Raises `UsageError` for an address that is none, `StorageError` when the folder, the file or the server refuses, or
    the schema is newer than this program.
    """
    url = database_url(settings)
    if url.startswith("sqlite"):
        _make_folder(settings.home)
    address = _checked(url)
    shown = address.render_as_string(hide_password=True)
    try:
        engine = _engine(address)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _prepare_sqlite)
        with engine.begin() as connection:
            _migrate(connection, shown)
    except sa.exc.SQLAlchemyError as error:
        raise StorageError(
            f"The session database {shown} cannot be used: {_reason(error)}. "
            "Check that it exists, that this user may write it and that the disk has room."
        ) from error
    return engine


def _make_folder(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"The data folder {home} cannot be made: {error.strerror}. Set DEEPRESEARCH_HOME to a folder you may write."
        ) from error


def _checked(url: str) -> sa.URL:
    """The address with the driver we use. Raises `UsageError`, which never shows what might be a password."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    kind = None if parsed is None else parsed.drivername.partition("+")[0]
    if parsed is None or kind not in ("sqlite", "postgresql", "postgres"):
        found = "is no address" if kind is None else f"names a database of the kind {kind!r}"
        raise UsageError(
            f"DEEPRESEARCH_DATABASE_URL {found}. Use postgresql://USER:PASSWORD@HOST:PORT/NAME or sqlite:///PATH, or leave "
            "it out for SQLite in the data folder."
        )
    return parsed if kind == "sqlite" else parsed.set(drivername="postgresql+psycopg")


def _engine(url: sa.URL) -> sa.Engine:
    if not url.drivername.startswith("postgresql"):
        return sa.create_engine(url)
    # A connection that a restarted server dropped is noticed before it is used, a server that is gone within seconds.
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args={
            "connect_timeout": 5,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "application_name": "deepresearch",
        },
    )


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _migrate(connection: sa.Connection, shown: str) -> None:
    if _current_version(connection, shown) == SCHEMA_VERSION:
        return
    # Whoever comes first migrates, whoever comes meanwhile waits and finds it done; a kill leaves the former schema.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    if _current_version(connection, shown) == SCHEMA_VERSION:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _current_version(connection: sa.Connection, shown: str) -> str | None:
    """The schema of this database, None before the first. Raises `StorageError` when it is newer than this program."""
    if not sa.inspect(connection).has_table("dr_schema_version"):
        return None
    current: str | None = connection.execute(sa.text("SELECT version_num FROM dr_schema_version")).scalar()
    if current is not None and current > SCHEMA_VERSION:
        raise StorageError(
            f"The session database {shown} has schema {current}, newer than this program's {SCHEMA_VERSION}. "
            "Install the version of DeepResearch that made it, or a later one."
        )
    return current


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    original = getattr(error, "orig", None)
    text = str(original or error).strip()
    return (text.splitlines() or [type(error).__name__])[0]
