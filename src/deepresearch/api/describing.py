"""The description of the API (OpenAPI): bodies, errors, and an example on every model."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from deepresearch import __version__

_PROBLEM = {"$ref": "#/components/schemas/ProblemShown"}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/problem+json": {"schema": _PROBLEM}}}


#: Errors that any address may answer.
PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("The request cannot be read."),
    401: _problem("A token is missing or wrong."),
    403: _problem("The token lacks the scope."),
    404: _problem("It is not there, or another tenant's."),
    405: _problem("The address does not take this method."),
    408: _problem("The body did not arrive in time."),
    409: _problem("Where it stands does not allow it."),
    413: _problem("The body is too large."),
    415: _problem("A body of another type is needed."),
    422: _problem("A value cannot be used."),
    429: _problem("Too many requests or sessions; Retry-After says when to come again."),
    503: _problem("A store or the sandbox is away."),
}


def asked_body(model: type[BaseModel] | None, files: str) -> dict[str, Any]:
    """The request body of an address that takes JSON (unless `model` is None) or a form with files."""
    own: dict[str, Any] = model.model_json_schema(ref_template="#/components/schemas/{model}") if model else {}
    own.pop("$defs", None)
    properties = {
        **{name: _form_field(schema) for name, schema in own.get("properties", {}).items() if name != "files"},
        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "description": files},
    }
    form = {"type": "object", "properties": properties, "required": own.get("required", ["files"])}
    content: dict[str, Any] = {"multipart/form-data": {"schema": form}}
    if model:
        content = {"application/json": {"schema": own}} | content
    return {"requestBody": {"required": True, "content": content}}


def _form_field(schema: dict[str, Any]) -> dict[str, Any]:
    """A form has no null: a field that may be null may be left out instead."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind.get("type") != "null"]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    return rest | kinds[0] if kinds else rest


def describe(app: FastAPI) -> None:
    """Make the app describe itself with the examples below and the bearer token."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the way the framework documents


def _described(app: FastAPI) -> dict[str, Any]:
    from deepresearch.api.answers import ProblemShown
    from deepresearch.api.examples import EXAMPLES

    schema: dict[str, Any] = get_openapi(
        title="DeepResearch",
        version=__version__,
        summary="Ask a question of your own documents; get a report in which every sentence is checked.",
        description=(
            "Every error is `application/problem+json`. Every answer carries `X-Request-ID`. Offsets count Unicode code "
            "points in a document's stored text, and `text[start:end] == quote` always holds."
        ),
        routes=app.routes,
    )
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.setdefault("ProblemShown", ProblemShown.model_json_schema())
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name].setdefault("examples", [example])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    schema["security"] = [{"token": []}, {}]
    for operations in schema["paths"].values():
        for operation in operations.values():
            answer = operation["responses"].get("422", {})
            if "application/json" in answer.get("content", {}):
                operation["responses"]["422"] = PROBLEMS[422]
    return schema
