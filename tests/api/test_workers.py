"""A server that only serves, over Postgres, with the sessions run by a worker that shares nothing but the database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.api.servers import QUESTION, asked, form_files, rested, started
from tests.postgres_server import PostgresServer


def test_a_server_and_a_worker_over_postgres(postgres: PostgresServer, home: Path, tmp_path: Path) -> None:
    url = postgres.new_database()
    with started(home, "--no-workers-in-process", database_url=url) as server, server.http() as http:
        session_id = asked(http, review="true")
        made = http.post("/v1/collections/c/documents", files=form_files({"moon.md": "# Moon\n\nThe moon is old.\n"}))
        assert made.json()["documents"] == 1
        assert http.get(f"/v1/sessions/{session_id}").json()["state"] == "queued"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
        # The upload is on the shared folder; everything else comes through the database.
        environment = {**kept, "DEEPRESEARCH_HOME": str(home), "DEEPRESEARCH_DATABASE_URL": url}
        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "deepresearch", "worker"], env=environment, stdout=log, stderr=log
            )
        try:
            text = http.get(f"/v1/sessions/{session_id}/events", timeout=120).text
            assert '"state": "needs_review"' in text.rpartition("event: end")[2]
            http.post(f"/v1/sessions/{session_id}/review", json={"decision": "approve"})
            assert rested(http, session_id) == "completed"
        finally:
            worker.terminate()
            worker.wait(60)
        assert "1931" in http.get(f"/v1/sessions/{session_id}/report?format=html").text
        assert http.get(f"/v1/sessions/{session_id}/report").json()["question"] == QUESTION
        assert "password" not in server.log
        assert http.get("/readyz").json()["checks"]["store"]["state"] == "ok"
