"""The doctor names what is wrong and what to do, whatever is wrong, and always ends."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.postgres_server import PASSWORD, PostgresServer

from deepresearch.session.database import open_database
from deepresearch.settings import Settings


def examine(environment: dict[str, str], folder: Path, *options: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """Run ``doctor --json --no-draw`` in `folder`; its exit code and its findings by name."""
    source = Path(__file__).parents[2] / "src"
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "doctor", "--json", *(options or ("--no-draw",))],
        env={**environment, "PYTHONPATH": str(source)}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    document = json.loads(done.stdout)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in document["findings"]:
        assert finding["detail"]
        assert finding["remedy"] or finding["state"] in ("ok", "skipped")
        found.setdefault(finding["name"], []).append(finding)
    assert document["ok"] is (done.returncode == 0)
    return done.returncode, found


def test_all_is_well_or_the_sandbox_is_missing(tmp_path: Path, environment: dict[str, str]) -> None:
    code, found = examine(environment, tmp_path)
    failures = {name for name, findings in found.items() if any(one["state"] == "failed" for one in findings)}
    assert failures <= {"bubblewrap", "sandbox"}
    assert code == (1 if failures else 0)
    for name in ("settings", "python", "libraries", "data folder", "clock", "ports", "database", "migrations", "qdrant",
                 "otlp", "control groups", "bubblewrap"):  # fmt: skip
        assert name in found


def test_drawing_in_the_sandbox_is_tried_for_real(tmp_path: Path, environment: dict[str, str]) -> None:
    _, found = examine(environment, tmp_path, "--draw")
    if found["sandbox"][0]["state"] == "failed":
        pytest.skip("bubblewrap cannot run scripts here")
    assert found["Matplotlib PNG"][0]["state"] == "ok"
    assert "Mermaid to SVG" in found


def test_it_works_with_nothing_installed(tmp_path: Path, environment: dict[str, str]) -> None:
    bare = {**environment, "PATH": str(tmp_path), "DEEPRESEARCH_SANDBOX_BACKEND": "auto", "DOCKER_HOST": "unix:///nowhere",
            "DEEPRESEARCH_HOME": str(tmp_path / "none")}  # fmt: skip
    code, found = examine(bare, tmp_path)
    assert code == 1
    assert found["sandbox"][0]["state"] == "failed"
    assert "deepresearch sandbox build" in found["sandbox"][0]["remedy"]
    assert "DOCKER_HOST" in found["docker"][0]["remedy"] + found["docker"][0]["detail"]
    assert "bubblewrap" in found["bubblewrap"][0]["detail"]


def test_a_malformed_env_file_and_wrong_names_and_values(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / ".env").write_text("DEEPRESEARCH_TEAM=extractive\nthis is 'no assignment\nDEEPRESEARCH_LOGDIR=/x\n")
    (tmp_path / ".env").chmod(0o600)
    wrong = {**environment, "DEEPRESEARCH_LOG_RETENTION_DAYS": "many"}
    code, found = examine(wrong, tmp_path)
    assert code == 1
    told = " ".join(f"{one['detail']} {one['remedy']}" for one in found["settings"])
    assert "Line 2 of .env is no NAME=VALUE" in told
    assert "DEEPRESEARCH_LOG_RETENTION_DAYS has a wrong value" in told
    assert "DEEPRESEARCH_LOGDIR in .env is no setting" in told
    assert "Did you mean DEEPRESEARCH_LOG_DIR?" in told
    assert found["data folder"][0]["detail"].startswith(environment["DEEPRESEARCH_HOME"])


def test_an_env_file_that_is_no_text(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / ".env").write_bytes(b"DEEPRESEARCH_TEAM=\xff\xfe\n")
    code, found = examine(environment, tmp_path)
    assert code == 1
    assert ["UTF-8" in one["remedy"] for one in found["settings"]] == [True]
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "sandbox", "images"],
        env={**environment, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}, cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2, "deepresearch: The file .env in this folder is no UTF-8 text. Save it as UTF-8, or move it away.\n"
    )  # fmt: skip


def test_folders_that_cannot_be_written(tmp_path: Path, environment: dict[str, str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    code, found = examine({**environment, "DEEPRESEARCH_LOG_DIR": str(file)}, tmp_path)
    assert code == 1
    assert "DEEPRESEARCH_LOG_DIR" in found["log folder"][0]["remedy"]


def test_a_port_that_another_program_holds(tmp_path: Path, environment: dict[str, str]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        _, found = examine({**environment, "DEEPRESEARCH_METRICS_ADDR": f"127.0.0.1:{port}"}, tmp_path)
    taken = next(one for one in found["ports"] if str(port) in one["detail"])
    assert taken["state"] == "warning"
    assert "DEEPRESEARCH_METRICS_ADDR" in taken["remedy"]


def test_a_port_of_the_stack_is_held_by_a_stranger_or_by_postgres_itself(
    tmp_path: Path, environment: dict[str, str], postgres: PostgresServer
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        stranger = holder.getsockname()[1]
        (tmp_path / ".env").write_text(f"QDRANT_HTTP_PORT={stranger}\nPOSTGRES_PORT={postgres.port}\n")
        _, found = examine(environment, tmp_path)
    told = {one["detail"]: one for one in found["ports"]}
    refused = next(one for detail, one in told.items() if f":{stranger}," in detail)
    assert (refused["state"], "QDRANT_HTTP_PORT" in refused["remedy"]) == ("warning", True)
    assert told[f"127.0.0.1:{postgres.port} is held by Postgres."]["state"] == "ok"


def test_a_real_postgres_before_and_after_its_migration(
    tmp_path: Path, environment: dict[str, str], postgres: PostgresServer
) -> None:
    url = postgres.new_database()
    environment = {**environment, "DEEPRESEARCH_DATABASE_URL": url}
    _, found = examine(environment, tmp_path)
    assert found["database"][0]["state"] == "ok"
    assert "PostgreSQL" in found["database"][0]["detail"]
    assert "its tables are made at the first start" in found["migrations"][0]["detail"]
    open_database(Settings(database_url=url)).dispose()
    _, found = examine(environment, tmp_path)
    assert found["migrations"][0]["state"] == "ok"
    assert "this program's" in found["migrations"][0]["detail"]
    assert PASSWORD not in json.dumps(found)


def test_a_database_of_a_newer_program_and_one_that_is_none(tmp_path: Path, environment: dict[str, str]) -> None:
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as connection:
        connection.execute("CREATE TABLE dr_schema_version (version_num TEXT)")
        connection.execute("INSERT INTO dr_schema_version VALUES ('9999')")
    connection.close()
    code, found = examine({**environment, "DEEPRESEARCH_DATABASE_URL": f"sqlite:///{newer}"}, tmp_path)
    assert code == 1
    assert "newer than this program" in found["migrations"][0]["detail"]

    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    code, found = examine({**environment, "DEEPRESEARCH_DATABASE_URL": f"sqlite:///{broken}"}, tmp_path)
    assert code == 1
    assert found["database"][0]["state"] == "failed"

    nobody = "postgresql://me:hunter22@127.0.0.1:9/none"
    code, found = examine({**environment, "DEEPRESEARCH_DATABASE_URL": nobody}, tmp_path)
    assert code == 1
    assert "hunter22" not in json.dumps(found)
    assert "docker compose up -d postgres" in found["database"][0]["remedy"]


@contextmanager
def answering(reply: bytes | None) -> Iterator[int]:
    """A server that answers every connection with `reply`, or takes it and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        held = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                if reply is not None:
                    connection.recv(65536)
                    connection.sendall(reply)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]


HTTP2_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("reply", "protocol", "state", "told"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "http", "ok", "takes metrics over HTTP"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "http", "failed", "status 404"),
        (HTTP2_SETTINGS, "http", "failed", "seems to be a port for gRPC"),
        (None, "http", "failed", "does not answer within"),
    ],
)
def test_an_endpoint_that_is_right_wrong_of_the_other_protocol_or_hangs(
    tmp_path: Path, environment: dict[str, str], reply: bytes | None, protocol: str, state: str, told: str
) -> None:
    with answering(reply) as port:
        settings = {
            **environment,
            "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": f"http://127.0.0.1:{port}",
            "DEEPRESEARCH_OTEL_PROTOCOL": protocol,
        }
        _, found = examine(settings, tmp_path)
    assert found["otlp"][0]["state"] == state
    assert told in found["otlp"][0]["detail"]


def test_an_endpoint_that_is_no_address_or_nobody_is_at(tmp_path: Path, environment: dict[str, str]) -> None:
    for endpoint, told in (("localhost:4318", "is no address"), ("http://127.0.0.1:9", "cannot be reached")):
        code, found = examine({**environment, "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": endpoint}, tmp_path)
        assert code == 1
        assert told in found["otlp"][0]["detail"]


def test_a_person_reads_a_line_and_what_to_do(tmp_path: Path, environment: dict[str, str]) -> None:
    wrong = {**environment, "DEEPRESEARCH_OTEL_METRICS_ENDPOINT": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "doctor", "--no-draw"],
        env={**wrong, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}, cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "FAILED   otlp: The OTLP endpoint 'nonsense' is no address" in done.stdout
    assert "checks failed" in done.stderr
    assert os.linesep + "         Correct DEEPRESEARCH_OTEL_METRICS_ENDPOINT" in done.stdout
