"""Every error as ``application/problem+json`` (RFC 9457), with the number of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from deepresearch.model.errors import (
    DeepResearchError,
    IndexingError,
    InvalidSandboxRequest,
    NoReadableSourceError,
    SandboxUnavailable,
    SessionBusyError,
    SessionLostError,
    SessionStateError,
    SourceError,
    StorageError,
    UnknownSessionError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"

#: The first that fits counts, so the narrower class stands first.
_STATUS: tuple[tuple[type[DeepResearchError], int], ...] = (
    (UnknownSessionError, 404),
    (SessionBusyError, 409),
    (SessionStateError, 409),
    (SessionLostError, 409),
    (InvalidSandboxRequest, 422),
    (SandboxUnavailable, 503),
    (NoReadableSourceError, 422),
    (SourceError, 422),
    (UsageError, 422),
    (IndexingError, 503),
    (StorageError, 503),
)


class Problem(HTTPException):
    """An answer that is an error. `kind` is a short word for programs, `detail` a sentence for people."""

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        exit_code: int = 1,
    ) -> None:
        # Of the framework's own class, so that it passes through its reading of a body unchanged.
        super().__init__(status, detail, dict(headers or {}))
        self.kind = kind
        self.errors = [dict(error) for error in errors]
        self.exit_code = exit_code

    def response(self, request_id: str = "", instance: str = "") -> Response:
        """The answer to send."""
        body: dict[str, Any] = {
            "type": f"urn:deepresearch:problem:{self.kind}",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "instance": instance,
            "request_id": request_id,
            "exit_code": self.exit_code,
        }
        if self.errors:
            body["errors"] = self.errors
        return Response(
            json.dumps(body, ensure_ascii=True), self.status_code, headers=self.headers, media_type=MEDIA_TYPE
        )


def not_found(detail: str = "There is nothing at this address.") -> Problem:
    """What is not there, or belongs to somebody else: the two cannot be told apart."""
    return Problem(404, "not-found", detail, exit_code=2)


def problem_of(error: DeepResearchError) -> Problem:
    """The problem that one of our errors is."""
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    kind = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in type(error).__name__)
    headers: dict[str, str] = {}
    retry_after = getattr(error, "retry_after_seconds", None)
    if retry_after is not None:
        status, headers = 429, {"Retry-After": str(max(1, round(float(retry_after))))}
    return Problem(
        status, kind.lstrip("-").removesuffix("-error"), str(error), headers=headers, exit_code=error.exit_code
    )


def problem_of_http(error: HTTPException) -> Problem:
    """The problem that one of the framework's errors is: no such address, a method it does not know."""
    if isinstance(error, Problem):
        return error
    phrase = HTTPStatus(error.status_code).phrase
    details = {
        404: "There is nothing at this address. The addresses are listed at /v1/openapi.json.",
        405: "This address does not take that method. The header Allow names those it takes.",
    }
    detail = details.get(error.status_code) or str(error.detail or phrase)
    return Problem(
        error.status_code,
        phrase.lower().replace(" ", "-"),
        detail,
        headers=error.headers,
        exit_code=2 if error.status_code < 500 else 1,
    )


def problem_of_validation(errors: Sequence[Any]) -> Problem:
    """The problem of a request whose parts have wrong values; names each place, repeats no value."""
    told = [
        {"at": ".".join(str(part) for part in error.get("loc", ())), "reason": str(error.get("msg", "is wrong"))}
        for error in errors
    ]
    first = f"{told[0]['at']}: {told[0]['reason']}" if told else "It has a wrong form"
    more = f" (and {len(told) - 1} more, see errors)" if len(told) > 1 else ""
    return Problem(422, "invalid-request", f"The request cannot be used. {first}{more}.", errors=told, exit_code=2)
