"""The database goes away and comes back; addresses that lead nowhere; schemas of other versions."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from tests.postgres_server import PASSWORD, PostgresServer, programs
from tests.session.small import (
    QUESTION,
    STAGES,
    comparable,
    ended,
    finished,
    has_event,
    options,
    queue_of,
    report_of,
    run,
    settings,
    small_folder,
    wait_for,
    worker,
)

from deepresearch.model.errors import StorageError
from deepresearch.session import migrations, tables
from deepresearch.session.claims import Claims
from deepresearch.session.database import SCHEMA_VERSION, open_database
from deepresearch.session.leases import FileLease, open_lease
from deepresearch.session.sweeping import Sweeper


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that this test may stop."""
    if programs() is None:
        pytest.skip("Postgres is not installed: no initdb found")
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("stage", ["load", "read:S1", "compute:M-S1"])
def test_a_session_waits_for_a_postgres_that_is_stopped_and_started(
    own_postgres: PostgresServer, environment: dict[str, str], tmp_path: Path, mode: str, stage: str
) -> None:
    folder = small_folder(tmp_path)
    environment = {**environment, "DEEPRESEARCH_DATABASE_URL": own_postgres.new_database()}
    with queue_of(environment) as queue:
        queue.submit(options(folder), session_id="patient")
        with worker(environment) as working:
            wait_for(lambda: has_event(queue, "patient", "stage.started", stage), working)
            own_postgres.stop(mode)
            time.sleep(2)
            assert working.poll() is None
            own_postgres.start()
            wait_for(lambda: ended(queue, "patient"), working)
        assert queue.record("patient").state == "completed"
        assert finished(queue, "patient") == Counter(STAGES)
        assert not has_event(queue, "patient", "session.taken_over"), "its worker lived all the time"
        assert report_of(queue, "patient")["math"]["status"] == "success"


def test_a_database_that_stays_away_ends_in_a_sentence_and_the_session_goes_on_later(
    own_postgres: PostgresServer, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = small_folder(tmp_path)
    environment = {
        **environment,
        "DEEPRESEARCH_DATABASE_URL": own_postgres.new_database(),
        "DEEPRESEARCH_STORE_PATIENCE_SECONDS": "1",
    }
    asked = [sys.executable, "-m", "deepresearch", "query", QUESTION, "--sources", str(folder), "--session", "left"]
    with (
        queue_of(environment) as queue,
        subprocess.Popen(asked, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process,
    ):
        wait_for(lambda: has_event(queue, "left", "stage.started", "index"), process)
        own_postgres.stop()
        _, complaint = process.communicate()
        assert process.returncode == 1
        assert "has been away for 1 seconds" in complaint
        assert PASSWORD not in complaint
        own_postgres.start()
        wait_for(lambda: queue.record("left").state == "interrupted")
        assert run("sessions", "resume", "left", environment=environment).returncode == 0
        assert finished(queue, "left") == Counter(STAGES)


def test_addresses_that_lead_nowhere_are_named_without_their_password(
    environment: dict[str, str], postgres: PostgresServer
) -> None:
    right = postgres.new_database()
    for wrong, said in (
        (right.replace(PASSWORD, "other-secret"), "password authentication failed"),
        (right.rsplit("/", 1)[0] + "/nothing_here", "does not exist"),
        (right.replace(f":{postgres.port}/", ":1/"), "refused"),
        ("postgresql://u:other-secret@host.invalid/db", "host.invalid"),
        ("mysql://u:other-secret@127.0.0.1/db", "sqlite:///"),
        ("other-secret", "sqlite:///"),
    ):
        listed = run("sessions", "list", environment={**environment, "DEEPRESEARCH_DATABASE_URL": wrong})
        assert listed.returncode in (1, 2), wrong
        assert said in listed.stderr, listed.stderr
        assert "Traceback" not in listed.stderr
        assert PASSWORD not in listed.stderr
        if wrong != "other-secret":
            assert "other-secret" not in listed.stderr, listed.stderr


def test_a_newer_schema_is_refused_and_left_alone(stored_in: dict[str, str]) -> None:
    engine = open_database(settings(stored_in))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE dr_schema_version SET version_num = '9999'"))
    for arguments in (("sessions", "list"), ("worker", "--once")):
        refused = run(*arguments, environment=stored_in)
        assert refused.returncode == 1
        assert "has schema 9999, newer than this program's" in refused.stderr
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM dr_schema_version")).scalar() == "9999"
    engine.dispose()


def test_many_processes_may_start_at_once_over_an_empty_database(stored_in: dict[str, str]) -> None:
    command_line = [sys.executable, "-m", "deepresearch", "sessions", "list"]
    processes = [
        subprocess.Popen(command_line, env=stored_in, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    for process in processes:
        out, complaint = process.communicate()
        assert process.returncode == 0, complaint
        assert out.startswith("No sessions yet")


def test_a_session_begun_by_the_former_schema_finishes(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    # A whole session tells what the former version had stored when it was stopped after reading.
    with queue_of(stored_in) as queue:
        queue.submit(options(folder), session_id="whole")
        assert run("worker", "--once", environment=stored_in).returncode == 0
        whole = report_of(queue, "whole")
        engine = queue.archive.store.engine
        stored = {}
        with engine.connect() as connection:
            for table in (tables.documents, tables.session_documents, tables.results):
                stored[table.name] = [dict(row._mapping) for row in connection.execute(sa.select(table))]
        with engine.begin() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(sa.text(f"DROP TABLE IF EXISTS {table.name} CASCADE" if
                                           engine.dialect.name == "postgresql" else f"DROP TABLE IF EXISTS {table.name}"))  # fmt: skip
            connection.execute(sa.text("DROP TABLE dr_schema_version"))
            for left in sa.inspect(connection).get_table_names():
                connection.execute(sa.text(f"DROP TABLE {left}"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(str(migrations.__file__)).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        at = "2026-11-28T08:00:00.000000Z"
        connection.execute(
            sa.text("INSERT INTO dr_sessions VALUES ('whole', 'running', :options, :at, :at, NULL)"),
            {"options": '{"question": "' + QUESTION + '", "sources": ["' + str(folder) + '"]}', "at": at},
        )
        for table in (tables.documents, tables.session_documents):
            connection.execute(sa.insert(table), stored[table.name])
        done = [row for row in stored["dr_results"] if row["key"] in ("load", "plan", "index", "read:S1", "read:S2")]
        connection.execute(sa.insert(tables.results), done)
    resumed = run("sessions", "resume", "whole", "--json", environment=stored_in)
    assert resumed.returncode == 0, resumed.stderr
    with queue_of(stored_in) as queue:
        assert report_of(queue, "whole") == comparable(whole, "whole")
        assert set(finished(queue, "whole")) == {"compute", "compute:M-S1", "write", "verify", "report"}
        with queue.archive.store.engine.connect() as connection:
            version = connection.execute(sa.text("SELECT version_num FROM dr_schema_version")).scalar()
        assert version == SCHEMA_VERSION


def test_a_restart_of_the_database_takes_nothing_from_the_living(
    own_postgres: PostgresServer, environment: dict[str, str], tmp_path: Path
) -> None:
    environment = {**environment, "DEEPRESEARCH_DATABASE_URL": own_postgres.new_database()}
    now = [0.0]
    with queue_of(environment) as queue:
        engine, locks = queue.archive.store.engine, queue.archive.locks
        claims = Claims(queue.archive.store)
        living, other = open_lease(engine, locks, "host-1-aa"), open_lease(engine, locks, "host-2-bb")
        sweeper = Sweeper(other, claims, grace=5.0, clock=lambda: now[0])
        assert living.hold() and other.hold()
        queue.submit(options(small_folder(tmp_path)), session_id="s")
        claims.claim_next("host-1-aa")
        own_postgres.stop("immediate")
        own_postgres.start()
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
        assert living.alive(["host-1-aa"]) == set(), "the restart dropped the lock"
        assert sweeper.sweep() == []
        assert living.hold() is False, "taken again, and told that it had been lost"
        now[0] = 6.0
        assert sweeper.sweep() == []
        living.close()
        wait_for(lambda: not other.alive(["host-1-aa"]))
        now[0] = 10.0
        assert sweeper.sweep() == [], "within the grace"
        now[0] = 16.0
        assert sweeper.sweep() == ["s"]
        other.close()


def test_a_file_lease_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from deepresearch.session.leases import FileLease; "
        "FileLease(pathlib.Path(sys.argv[1]), 'host-7-cc').hold(); print('held', flush=True); sys.stdin.read()"
    )
    mine = FileLease(tmp_path, "host-8-dd")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert mine.alive(["host-7-cc", "host-8-dd"]) == {"host-7-cc"}
        other.kill()
        other.wait()
        assert mine.alive(["host-7-cc"]) == set()


def test_a_worker_on_a_folder_that_nobody_may_write_says_so(environment: dict[str, str]) -> None:
    # Not even root may make a folder there.
    refused = run("worker", "--once", environment={**environment, "DEEPRESEARCH_HOME": "/proc/deepresearch"})
    assert refused.returncode == 1
    assert "/proc/deepresearch" in refused.stderr
    assert "DEEPRESEARCH_HOME" in refused.stderr


def test_a_worker_without_a_folder_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    refused = run("worker", "--once", environment={**environment, "DEEPRESEARCH_HOME": str(tmp_path / "file" / "home")})
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    with pytest.raises(StorageError):
        FileLease(tmp_path / "file", "host-1-aa").hold()
