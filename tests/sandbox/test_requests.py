"""A request that breaks a rule is refused in a sentence, before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

from deepresearch.model.errors import InvalidSandboxRequest
from deepresearch.sandbox import Limits, PoolOptions, Reason, Sandbox, SandboxRequest, Status
from deepresearch.sandbox.requests import check

BAD: list[tuple[dict[str, Any], str]] = [
    ({"script": ""}, "empty"),
    ({"script": " \n"}, "empty"),
    ({"script": "a\0b"}, "NUL"),
    ({"script": "\ud800"}, "Unicode"),
    ({"script": "#" * (5 << 20)}, "5242880 bytes"),
    ({"timeout": 0}, "timeout of 0 seconds"),
    ({"timeout": -1}, "timeout"),
    ({"timeout": 1e9}, "1e+09"),
    ({"timeout": float("nan")}, "nan"),
    ({"timeout": float("inf")}, "inf"),
    ({"files": {"../x": b""}}, "dot"),
    ({"files": {"/etc/passwd": b""}}, "absolute"),
    ({"files": {"a//b": b""}}, "empty part"),
    ({"files": {"": b""}}, "is empty"),
    ({"files": {"a\nb": b""}}, "cannot be shown"),
    ({"files": {"a\u202eb": b""}}, "cannot be shown"),
    ({"files": {"-rf": b""}}, "dash"),
    ({"files": {"x" * 300: b""}}, "longer"),
    ({"files": {"/".join("abcdefghij"): b""}}, "deeper"),
    ({"files": {"a.txt": b"", "A.TXT": b""}}, "same name"),
    ({"files": {"script.py": b""}}, "same name"),
    ({"files": {"a": b"", "a/b": b""}}, "a folder at once"),
    ({"files": {"big": bytes(300 << 20)}}, "workspace has room"),
    ({"files": {f"f{n}": b"" for n in range(20)}, "limits": Limits(files=16)}, "20 input files"),
    ({"expects": ("../x",)}, "expected output"),
    ({"expects": ("a", "a")}, "twice"),
    ({"args": ("\0",)}, "NUL"),
    ({"args": ("x" * 100_000,)}, "arguments"),
    ({"script_name": "../evil.py"}, "script"),
]


@pytest.mark.parametrize(("fields", "told"), BAD)
def test_refused_in_a_sentence(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidSandboxRequest) as refused:
        check(SandboxRequest.model_validate({"script": "print(1)"} | fields))
    message = str(refused.value)
    assert told in message
    assert message.isprintable()
    assert len(message) < 400


def test_ordinary_requests_pass() -> None:
    files = {"Daten/Übersicht 2026.csv": b"x", "数据.txt": b"", "a-b_c(1).json": b"{}"}
    check(SandboxRequest(script="print(1)", files=files, expects=("out/Bild.png",), args=("--n", "", "ß")))


async def test_the_sandbox_answers_with_a_result(sandbox: Sandbox) -> None:
    result = await sandbox.run(SandboxRequest(script="print(1)", timeout=0))
    assert (result.status, result.reason, result.exit_code) == (Status.FAILURE, Reason.INVALID_REQUEST, None)
    assert result.message.startswith("A timeout of 0 seconds is not possible")


async def test_a_missing_runtime_names_the_command(tmp_path: Any) -> None:
    from deepresearch.settings import Settings

    async with Sandbox.open(Settings(home=tmp_path), backend="bubblewrap", pool=PoolOptions(warm={})) as sandbox:
        result = await sandbox.run(SandboxRequest(script="print(1)"))
    assert (result.status, result.reason, result.backend) == (Status.FAILURE, Reason.UNAVAILABLE, "none")
    assert "deepresearch sandbox build --backend bubblewrap" in result.message
    assert result.failure_streak == 1
