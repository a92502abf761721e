"""`deepresearch sandbox` as a program: what it prints where, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deepresearch.cli.sandbox_output import neutral, write_outputs
from deepresearch.model.errors import UsageError
from deepresearch.sandbox import Output
from deepresearch.sandbox.runtime.build import Runtimes

PROGRAM = [sys.executable, "-c", "from deepresearch.cli.sandbox import app; app()"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = (
        os.environ.get("DEEPRESEARCH_TEST_HOME") or f"{tmp_path_factory.getbasetemp().parent.parent}/deepresearch-home"
    )
    folder = Path(kept)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    Runtimes(folder / "sandbox/bubblewrap").build(print)
    return folder


def call(home: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {
        "DEEPRESEARCH_HOME": str(home),
        "DEEPRESEARCH_SANDBOX_BACKEND": "bubblewrap",
        "PYTHONPATH": "src",
    }
    return subprocess.run([*PROGRAM, *arguments], input=stdin, capture_output=True, env=environment, check=False)


def document(done: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_json_is_all_there_is_on_standard_output(home: Path, tmp_path: Path) -> None:
    script = tmp_path / "job.py"
    script.write_text(
        "import sys; print(open('in.txt').read(), sys.argv[1:]); open('out.csv', 'w').write('a,b\\n1,2\\n')"
    )
    (tmp_path / "data.txt").write_text("hello")
    out = tmp_path / "results/new"
    done = call(
        home, "run", str(script), "one", "--file", f"{tmp_path}/data.txt=in.txt", "--expect", "out.csv",
        "--out", str(out), "--json", "--timeout", "20", "--", "--two",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = document(done)
    assert list(told) == [
        "run_id", "backend", "status", "reason", "exit_code", "signal", "duration_ms", "stdout", "stderr", "truncated",
        "outputs", "rejected", "usage", "enforced", "failure_streak",
    ]  # fmt: skip
    assert told["stdout"] == "hello ['one', '--two']\n"
    assert [sorted(output) for output in told["outputs"]] == [["media_type", "path", "sha256", "size"]]
    assert sorted(told["usage"]) == ["cpu_ms", "peak_memory_bytes"]
    assert (out / "out.csv").read_text() == "a,b\n1,2\n"


def test_output_streams_through(home: Path) -> None:
    done = call(home, "run", "-", stdin=b"import sys; print('to out'); print('to err', file=sys.stderr)")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"to out\n", b"to err\n")


@pytest.mark.parametrize(
    ("arguments", "script", "code", "told"),
    [
        ((), "raise SystemExit(5)", 1, "exit code 5"),
        (("--timeout", "1"), "while True: pass", 124, "after its 1 seconds"),
        (("--timeout", "0"), "print(1)", 2, "timeout of 0 seconds"),
        (("--timeout", "1e9"), "print(1)", 2, "timeout"),
        (("--expect", "plot.png"), "print(1)", 1, "plot.png"),
        (("--expect", "../x"), "print(1)", 2, "dot"),
        (("--backend", "podman"), "print(1)", 2, "'podman'"),
        (("--file", "/nowhere/x.csv"), "print(1)", 2, "/nowhere/x.csv"),
    ],
)
def test_exit_codes(home: Path, arguments: tuple[str, ...], script: str, code: int, told: str) -> None:
    done = call(home, "run", "-", *arguments, stdin=script.encode())
    assert done.returncode == code, done.stderr
    assert told in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff\xfe\x00", "no UTF-8 text"), (b"", "empty"), (b"a\0b", "NUL"), (None, "cannot be read")],
)
def test_scripts_that_are_none(home: Path, tmp_path: Path, content: bytes | None, told: str) -> None:
    script = tmp_path / "odd.py"
    if content is not None:
        script.write_bytes(content)
    done = call(home, "run", str(script), "--json")
    assert done.returncode == 2
    assert told in done.stderr.decode()
    assert done.stdout == b"" or document(done)["reason"] == "invalid_request"


def test_without_a_runtime_the_command_that_builds_it_is_named(tmp_path: Path) -> None:
    done = call(tmp_path, "run", "-", "--json", stdin=b"print(1)")
    assert done.returncode == 125
    assert document(done)["reason"] == "unavailable"
    assert b"deepresearch sandbox build --backend bubblewrap" in done.stderr


def test_looking_after_it(home: Path) -> None:
    rows = json.loads(call(home, "images", "--json", "--backend", "bubblewrap").stdout)
    assert [row["current"] for row in rows].count(True) == 1
    removed = document(call(home, "prune", "--json", "--backend", "bubblewrap"))
    assert sorted(removed) == ["cgroups", "folders", "images", "workers"]
    again = call(home, "build", "--json", "--backend", "bubblewrap")
    assert again.returncode == 0
    assert document(again)["packages"]["numpy"]


def test_smoke_and_posture(home: Path) -> None:
    outcomes = json.loads(call(home, "smoke", "--json", "--backend", "bubblewrap").stdout)
    assert [outcome["passed"] for outcome in outcomes] == [True] * 4, outcomes
    done = call(home, "posture", "--json", "--backend", "bubblewrap")
    found = document(done)
    broken = [promise for promise in found["promises"] if not promise["kept"]]
    assert (done.returncode, broken, found["sound"]) == (0, [], True)
    assert len(found["promises"]) >= 19


def test_outputs_never_go_through_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "plot.png").symlink_to(outside / "precious")
    (folder / "sub").symlink_to(outside)
    made = Output(path="plot.png", media_type="image/png", size=1, sha256="", content=b"x")
    write_outputs([made], folder)
    assert not (folder / "plot.png").is_symlink()
    assert (folder / "plot.png").read_bytes() == b"x"
    with pytest.raises(UsageError, match="Links are not followed"):
        write_outputs([made.model_copy(update={"path": "sub/precious"})], folder)
    assert (outside / "precious").read_text() == "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["plot.png", "sub"]


def test_a_terminal_is_not_steered() -> None:
    assert neutral("a\x1b[2J\x07\r\nb\tc\u202e\x9b") == "a\\x1b[2J\\x07\nb\tc\\x202e\\x9b"
