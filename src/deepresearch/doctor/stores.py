"""Where things are kept: the session database and its migrations, and Qdrant."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from deepresearch.doctor.check import Finding, failed, ok, skipped, warning
from deepresearch.model.errors import IndexingError
from deepresearch.settings import Settings

#: Two machines' clocks further apart than this confuse leases.
_SKEW_SECONDS = 5.0


def database(settings: Settings) -> Iterator[Finding]:
    """Whether the session database answers, and whether its tables are of this program. Changes nothing."""
    import sqlalchemy as sa

    from deepresearch.session.database import SCHEMA_VERSION, database_url

    url = database_url(settings)
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        yield failed(
            "database", "DEEPRESEARCH_DATABASE_URL is no address.", "Write postgresql://USER:PASSWORD@HOST:5432/NAME."
        )
        return
    shown = parsed.render_as_string(hide_password=True)
    if parsed.drivername.startswith("sqlite"):
        if not parsed.database or not Path(parsed.database).exists():
            yield ok("database", f"{shown} will be made at the first session.")
            yield skipped("migrations", "There is no database yet.")
            return
        engine = sa.create_engine(f"sqlite:///file:{parsed.database}?mode=ro&uri=true", connect_args={"timeout": 3})
    else:
        name = "postgresql+psycopg" if parsed.drivername in ("postgresql", "postgres") else parsed.drivername
        engine = sa.create_engine(parsed.set(drivername=name), connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                told = float(connection.execute(sa.text("select extract(epoch from clock_timestamp())")).scalar_one())
                version = connection.execute(sa.text("show server_version")).scalar_one()
                yield ok("database", f"{shown} answers: PostgreSQL {version}.")
                skew = abs(told - time.time())
                if skew > _SKEW_SECONDS:
                    yield warning(
                        "clock",
                        f"The database's clock and this machine's differ by {skew:.0f} s.",
                        "Keep both in time: `timedatectl set-ntp true`.",
                    )
            else:
                connection.execute(sa.text("select count(*) from sqlite_master"))
                yield ok("database", f"{shown} answers.")
            yield _migrations(connection, SCHEMA_VERSION)
    except (sa.exc.SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield failed(
            "database",
            f"{shown} does not answer: {reason}",
            "Start it (`docker compose up -d postgres`), and compare the address, user and password in .env with it."
            if not parsed.drivername.startswith("sqlite")
            else "Restore the file from a backup, or move it away to begin anew.",
        )
    finally:
        engine.dispose()


def _migrations(connection: object, newest: str) -> Finding:
    import sqlalchemy as sa

    assert isinstance(connection, sa.Connection)
    if not sa.inspect(connection).has_table("dr_schema_version"):
        return ok("migrations", "The database is empty; its tables are made at the first start.")
    current = connection.execute(sa.text("SELECT version_num FROM dr_schema_version")).scalar()
    if current == newest:
        return ok("migrations", f"The tables are of version {current}, this program's.")
    if current is not None and str(current) > newest:
        return failed(
            "migrations",
            f"The tables are of version {current}, newer than this program's {newest}.",
            "Install the release that made them, or a later one.",
        )
    return warning(
        "migrations",
        f"The tables are of version {current}, this program's is {newest}.",
        "They are brought up to date at the next start; take a backup before.",
    )


def qdrant(settings: Settings) -> Finding:
    """Whether the Qdrant server answers and takes the key, when one is set. Changes nothing."""
    address = settings.qdrant_url
    if not address:
        return ok("qdrant", "No server is set: the index is kept in the data folder.")
    from deepresearch.retrieval.server import connect, server_state

    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key is not None else None
    try:
        with closing(connect(address, api_key=key, timeout=5)) as client:
            version, names = server_state(client)
    except IndexingError as error:
        detail, _, remedy = str(error).rpartition("; ")
        return failed("qdrant", f"{detail}." if detail else str(error), remedy[:1].upper() + remedy[1:])
    begin = f"{settings.qdrant_collection}-"
    ours = [name for name in names if name.startswith(begin)]
    parts = urlsplit(address)
    told = f"{parts.scheme}://{parts.hostname}:{parts.port or 6333} answers: version {version}"
    if key and parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        return warning(
            "qdrant",
            f"{told}, and the key goes there unencrypted.",
            "Give the server a certificate and write https:// in DEEPRESEARCH_QDRANT_URL, or keep it in a closed network.",
        )
    return ok("qdrant", f"{told}, collections that begin with {begin}: {len(ours)}.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
