"""``/v1/sandbox/runs``: one script, locked down, and what came of it."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from deepresearch.api.answers import RunDone
from deepresearch.api.describing import PROBLEMS, asked_body
from deepresearch.api.problems import Problem, problem_of_validation
from deepresearch.api.requests import RunAsked
from deepresearch.api.scopes import SANDBOX
from deepresearch.api.services import Served
from deepresearch.api.sessions import json_body
from deepresearch.api.uploads import checked_files, read_form
from deepresearch.sandbox import ProfileName, SandboxRequest

router = APIRouter(prefix="/v1/sandbox", tags=["sandbox"], responses=PROBLEMS)


@router.post(
    "/runs",
    dependencies=[SANDBOX],
    openapi_extra=asked_body(RunAsked, files="Input files, each with the relative name the script knows it by."),
)
async def run(
    request: Request,
    services: Served,
    content: Annotated[bool, Query(description="Also answer the outputs themselves, in Base64.")] = False,
) -> RunDone:
    """Run a script in the sandbox and wait for its end.

    A script that fails is a result, not an error: see `status` and `reason`. So is a sandbox that is away
    (``unavailable``) and a request that breaks a rule (``invalid_request``).
    """
    asked, files = await _asked(request, services)
    wanted = SandboxRequest(
        script=asked.script,
        script_name=asked.script_name,
        args=tuple(asked.args),
        files={name: text.encode("utf-8", "replace") for name, text in asked.files.items()} | files,
        expects=tuple(asked.expects),
        timeout=asked.timeout,
        profile=ProfileName(asked.profile),
    )
    if services.sandbox_runs >= services.settings.api_sandbox_runs:
        raise Problem(
            429,
            "sandbox-busy",
            f"{services.sandbox_runs} scripts run already, as many as may. Come again.",
            headers={"Retry-After": "5"},
        )
    services.sandbox_runs += 1
    try:
        result = await (await services.sandbox()).run(wanted)
    finally:
        services.sandbox_runs -= 1
    contents = {one.path: base64.b64encode(one.content).decode() for one in result.outputs} if content else {}
    return RunDone(**result.model_dump(), message=result.message, contents=contents)


async def _asked(request: Request, services: Served) -> tuple[RunAsked, dict[str, bytes]]:
    fields: Any
    files: dict[str, bytes] = {}
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        form = await read_form(request, services.upload_limits)
        for name, upload in checked_files(form, "files", services.upload_limits).items():
            files[name] = await upload.read()
        fields = {key: value for key, value in form.items() if key not in ("files", "args", "expects")}
        fields |= {key: form.getlist(key) for key in ("args", "expects") if key in form}
    else:
        fields = await json_body(request)
    try:
        return RunAsked.model_validate(fields), files
    except ValidationError as error:
        raise problem_of_validation(error.errors()) from None
