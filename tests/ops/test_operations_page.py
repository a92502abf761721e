"""Every command of docs/operations.md is run as written, or validated where running it would be wrong."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from tests.ops.programs import PROJECT, program
from tests.ops.service import service

PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = (
    "1. Prerequisites",
    "2. Hardened Python sandbox image",
    "3. Local retrieval stack (Qdrant and Postgres)",
    "4. CI sandbox job",
    "5. Sandbox telemetry and alerts",
    "6. Image hygiene",
    "7. Troubleshooting",
    "8. Reference commands",
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the words behind it, its text and the line it begins at."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    def __str__(self) -> str:
        return f"line-{self.line}"


def _blocks() -> list[Block]:
    found = []
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        line = PAGE.count("\n", 0, match.start()) + 1
        found.append(Block(match[1], tuple(match[2].split()), match[3], line))
    return found


BLOCKS = _blocks()
RUN = [block for block in BLOCKS if block.words[:1] == ("run",)]
CHECKED = [block for block in BLOCKS if block.words[:1] == ("check",)]
TABLE = re.findall(r"^\| [^|]+ \| `([^`]+)` \|$", PAGE.partition("## 8. Reference commands")[2], re.MULTILINE)


def test_the_page_has_the_sections_of_the_playbook_and_every_block_says_how_it_is_tested() -> None:
    assert re.findall(r"^## (.*)$", PAGE, re.MULTILINE) == list(SECTIONS)
    assert [block for block in BLOCKS if block.language == "bash"] == [
        block for block in BLOCKS if block.words[:1] in (("run",), ("check",))
    ]
    assert len(RUN) >= 8
    assert len(CHECKED) >= 8
    assert len(TABLE) >= 8


def _has_engine_and_image() -> bool:
    docker = shutil.which("docker")
    return bool(docker) and subprocess.run(
        [str(docker), "image", "inspect", "deepresearch-python-sandbox:latest"], capture_output=True, check=False
    ).returncode == 0  # fmt: skip


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_block_runs_as_it_is_written(block: Block, tmp_path: Path, environment: dict[str, str], home: Path) -> None:
    if "engine" in block.words and not _has_engine_and_image():
        pytest.skip("no engine with the sandbox image is here")
    if "sandbox" in block.words and not (home / "sandbox" / "bubblewrap").is_dir():
        pytest.skip("the bubblewrap sandbox is not built here")
    if "prometheus" in block.words:
        program("promtool")
    environment = {
        **environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}",
        "TMPDIR": str(tmp_path),
        # A block that tests the tests must not be told which of them may be skipped.
        "DEEPRESEARCH_REQUIRE": "",
    }
    environment.pop("DEEPRESEARCH_REQUIRE")
    if "engine" in block.words:
        environment.pop("DEEPRESEARCH_SANDBOX_BACKEND", None)
        if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode != 0:
            environment["DOCKER_BUILDKIT"] = "0"
    text = block.text
    if "service" in block.words:
        program("curl")
        with service(environment, tmp_path / "api.log") as api:
            done = _bash(text.replace("127.0.0.1:8080", api.target), environment)
            streaks = re.findall(r'"failure_streak":(\d)', done.stdout)
            assert streaks[:4] == ["1", "2", "3", "4"]
            assert "telemetry_sandbox_failure_streak" in done.stdout
    else:
        done = _bash(text, environment)
    assert done.returncode == 0, f"{block}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def _bash(text: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _commands(text: str) -> list[list[str]]:
    """The simple commands of a shell text, as words; comments are left out."""
    joined = re.sub(r"\\\n\s*", " ", text)
    found = []
    for line in joined.splitlines():
        words = shlex.split(line, comments=True)
        current: list[str] = []
        for word in words:
            if word in ("&&", "||", ";"):
                found.append(current)
                current = []
            else:
                current.append(word)
        found.append(current)
    return [command for command in found if command]


@pytest.mark.parametrize("block", CHECKED, ids=str)
def test_a_block_that_is_not_run_is_valid(block: Block, tmp_path: Path) -> None:
    parsed = subprocess.run(["bash", "-n", "-c", block.text], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
    for command in _commands(block.text):
        _validate(command, tmp_path)


@pytest.mark.parametrize("text", TABLE)
def test_a_command_of_the_table_is_valid(text: str, tmp_path: Path) -> None:
    for command in _commands(text):
        _validate(command, tmp_path)


def _validate(command: list[str], tmp_path: Path) -> None:
    """Whether a command could run: its program, its sub-command and options, the files and services it names."""
    while "=" in command[0] and re.match(r"^[A-Z_]+=", command[0]):
        command = command[1:]
    name, *rest = command
    if name == "docker" and rest[0] == "compose":
        _validate_compose(rest[1:])
    elif name == "docker":
        _validate_docker(rest)
    elif name == "deepresearch":
        _validate_deepresearch(rest)
    elif name == "kubectl":
        files = [word for option, word in pairwise(rest) if option == "-f"]
        files += [word.partition("=")[2] for word in rest if word.startswith("--from-file=")]
        assert rest[0] in ("apply", "create")
        assert all((PROJECT / file).exists() for file in files), command
    elif name == "promtool":
        assert (PROJECT / rest[-1]).is_file()
    elif name in ("python", "$HOME/otelcol"):
        paths = [word for word in rest if "/" in word]
        assert paths
        assert all((PROJECT / path).exists() for path in paths), command
    elif name in ("cp", "chmod", "echo"):
        sources = [word for word in rest[:1] if name == "cp"]
        assert all((PROJECT / source).exists() for source in sources)
        for target in re.findall(r">(\S+)", " ".join(rest)):
            assert (PROJECT / target).parent.is_dir()
    else:
        script = PROJECT / name
        assert script.is_file(), command
        assert os.access(script, os.X_OK), command


def _validate_compose(words: list[str]) -> None:
    compose = program("docker-compose")
    profiles = [word for option, word in pairwise(words) if option == "--profile"]
    options = [word for profile in profiles for word in ("--profile", profile)]
    done = subprocess.run([compose, *options, "config"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    action = next(word for word in words if word not in ("--profile", *profiles))
    known = subprocess.run([compose, action, "--help"], capture_output=True, text=True, check=False)
    assert known.returncode == 0
    after = words[words.index(action) + 1 :]
    for word in after:
        if word.startswith("-"):
            assert re.search(rf"(^|[\s,]){re.escape(word)}\b", known.stdout), f"{action} has no {word}"
        elif "=" in word:
            assert word.partition("=")[0] in services
        else:
            assert word in services, word


def _validate_docker(words: list[str]) -> None:
    docker = program("docker")
    actions = words[:2] if words[0] in ("image", "system") else words[:1]
    known = subprocess.run([docker, *actions, "--help"], capture_output=True, text=True, check=False)
    assert known.returncode == 0
    if actions == ["build"]:
        assert words[-1] == "."
        assert (PROJECT / words[words.index("-f") + 1]).is_file()


def _validate_deepresearch(words: list[str]) -> None:
    actions = [word for word in words if not word.startswith("-")]
    shown = subprocess.run(
        [sys.executable, "-m", "deepresearch", *actions, "--help"],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src"), "COLUMNS": "200"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout)
    assert all(word in plain for word in words if word.startswith("--"))


def test_the_other_blocks_are_what_they_say() -> None:
    for block in BLOCKS:
        if block.language == "json":
            event = json.loads(block.text)
            assert event["target"] == "telemetry.sandbox"
        elif block.language == "python":
            ast.parse(block.text)
        elif block.language == "dotenv":
            assert re.fullmatch(r"([A-Z_]+=\S+\n)+", block.text)
    python = next(block.text for block in BLOCKS if block.language == "python")
    done = subprocess.run(
        [sys.executable, "-c", python.replace(":4318", ":9")], env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_link_and_every_series_of_the_page_exists() -> None:
    for target in re.findall(r"\]\((?!#|https?:)([^)#]+)", PAGE):
        assert (PROJECT / "docs" / target).exists(), target
    alerts = re.findall(r"^\| \[(\w+)\]\(\.\./ops/runbooks/", PAGE, re.MULTILINE)
    rules = yaml.safe_load((PROJECT / "ops" / "rules" / "deepresearch.rules.yml").read_text())
    assert set(alerts) == {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
