"""The doctor on a real Qdrant server: up, down, with a key, and what is none."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests import qdrant_server
from tests.doctor.test_doctor import examine
from tests.qdrant_server import QdrantServer

pytest.importorskip("qdrant_client", reason="the extra `qdrant` is not installed")

KEY = "a-key-that-is-never-shown-7f1c"


def test_a_server_up_down_and_with_a_wrong_key(tmp_path: Path, environment: dict[str, str]) -> None:
    if qdrant_server.program() is None:
        pytest.skip(qdrant_server.MISSING)
    with closing(QdrantServer(SERVICE__API_KEY=KEY)) as server:
        here = {**environment, "DEEPRESEARCH_QDRANT_URL": server.url}
        _, found = examine({**here, "DEEPRESEARCH_QDRANT_API_KEY": KEY}, tmp_path)
        assert found["qdrant"][0]["state"] == "ok"
        assert f"{server.url} answers: version " in found["qdrant"][0]["detail"]
        for wrong in ({}, {"DEEPRESEARCH_QDRANT_API_KEY": "wrong-8812"}):
            code, found = examine({**here, **wrong}, tmp_path)
            assert code == 1
            assert (found["qdrant"][0]["state"], "refuses the key" in found["qdrant"][0]["detail"]) == ("failed", True)
            assert "DEEPRESEARCH_QDRANT_API_KEY" in found["qdrant"][0]["remedy"]
            assert "8812" not in json.dumps(found)
        server.kill()
        _, found = examine(here, tmp_path)
        assert found["qdrant"][0]["state"] == "failed"
        assert "docker compose up -d qdrant" in found["qdrant"][0]["remedy"]


def test_what_is_no_address_of_a_server(tmp_path: Path, environment: dict[str, str]) -> None:
    for address in ("localhost:6333", "ftp://somewhere", "http://[broken", "http://"):
        _, found = examine({**environment, "DEEPRESEARCH_QDRANT_URL": address}, tmp_path)
        assert found["qdrant"][0]["state"] == "failed"
        assert "http://HOST:6333" in found["qdrant"][0]["remedy"]
