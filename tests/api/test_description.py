"""Whatever the description allows, and much that it does not, is answered without an error of the server's own."""

from __future__ import annotations

from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from tests.api.conftest import ACME
from tests.api.servers import Server, asked, rested

#: Requests for each address and method: enough to meet every kind of value, few enough for every run.
_EXAMPLES = 25


def _operations(schema: Any) -> list[Any]:
    return [result.ok() for result in schema.get_all_operations()]


@pytest.fixture(scope="module")
def schema(shared: Server) -> Any:
    """The description as the server gives it."""
    return schemathesis.openapi.from_url(f"{shared.base}/v1/openapi.json")


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_no_request_brings_out_an_error_of_the_server(schema: Any, shared: Server, mode: str) -> None:
    with shared.http(ACME) as http:
        session_id = asked(http)
        rested(http, session_id)
    tried = {
        f"{operation.method.upper()} {operation.path}": _try(operation, mode, shared.base, session_id)
        for operation in _operations(schema)
    }
    assert len([label for label, count in tried.items() if count]) >= 15, tried


def _try(operation: Any, mode: str, base: str, session_id: str) -> int:
    """Send generated requests to one address, every other one with the id of a session that is there."""
    label = f"{operation.method.upper()} {operation.path}"
    headers = {"Authorization": f"Bearer {ACME}"}
    count = 0

    @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    def check(case: Any) -> None:
        nonlocal count
        count += 1
        if "session_id" in (case.path_parameters or {}) and count % 2:
            case.path_parameters["session_id"] = session_id
        try:
            answer = case.call(base_url=base, headers=headers, timeout=60)
        except (ValueError, UnicodeError):
            # A header or an address that no client could send.
            return
        found = {name.lower(): values[0] for name, values in answer.headers.items()}
        assert answer.status_code < 500, f"{label}: {answer.text[:500]}"
        assert found["x-request-id"]
        if answer.status_code >= 400:
            assert found["content-type"] == "application/problem+json", f"{label}: {answer.text[:200]}"
            assert answer.json()["status"] == answer.status_code

    try:
        check()
    except Unsatisfiable:
        # Nothing can be wrong with an address that takes no value.
        pass
    return count


def test_every_model_has_an_example_that_fits_it(shared: Server) -> None:
    description = httpx.get(f"{shared.base}/v1/openapi.json").json()
    schemas = description["components"]["schemas"]
    missing = [name for name, one in schemas.items() if one.get("type") == "object" and not one.get("examples")]
    assert missing == []
    for name, one in schemas.items():
        validator = jsonschema_rs.validator_for(
            {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
        )
        for example in one.get("examples", []):
            assert [error.message for error in validator.iter_errors(example)] == [], name
