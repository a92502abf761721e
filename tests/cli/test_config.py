"""`config` tells every setting, its value and where it comes from, and never a secret."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deepresearch.doctor.in_force import without_password
from deepresearch.settings import Settings

SOURCE = Path(__file__).parents[2] / "src"
KEY = "sk-thiskeyisnevershown"


def config(environment: Mapping[str, str], folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deepresearch", "config", *options],
        env={**environment, "PYTHONPATH": str(SOURCE)}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def told(environment: Mapping[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    done = config(environment, folder, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["env_file"] == (str(folder / ".env") if (folder / ".env").exists() else None)
    return {one["name"]: one for one in document["settings"]}


@pytest.fixture
def bare() -> dict[str, str]:
    """An environment that sets nothing of ours, and no provider's key."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL")
    return {name: os.environ[name] for name in kept if name in os.environ}


def test_every_setting_is_told_with_its_default(bare: dict[str, str], tmp_path: Path) -> None:
    shown = told(bare, tmp_path)
    assert list(shown) == [f"DEEPRESEARCH_{name.upper()}" for name in Settings.model_fields]
    assert {one["origin"] for one in shown.values()} == {"default"}
    assert {one["variable"] for one in shown.values()} == {None}
    assert shown["DEEPRESEARCH_TEAM"]["value"] == "extractive"
    assert shown["DEEPRESEARCH_OFFLINE"]["value"] is False
    assert shown["DEEPRESEARCH_API_STREAMS"]["value"] == Settings.model_fields["api_streams"].default
    for name, field in Settings.model_fields.items():
        assert shown[f"DEEPRESEARCH_{name.upper()}"]["description"] == field.description


def test_the_environment_wins_over_the_file_whatever_name_is_used(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DEEPRESEARCH_TEAM=ollama:a\nDEEPRESEARCH_LOG_FORMAT=TEXT\n"
        "DEEPRESEARCH_ANTHROPIC_BASE_URL=http://file\nGEMINI_API_KEY=one\n"
    )
    (tmp_path / ".env").chmod(0o600)
    environment = {**bare, "DEEPRESEARCH_TEAM": "ollama:b", "ANTHROPIC_BASE_URL": "http://environment"}
    shown = told(environment, tmp_path)
    found = {name: (shown[f"DEEPRESEARCH_{name}"]["value"], shown[f"DEEPRESEARCH_{name}"]["origin"]) for name in (
        "TEAM", "LOG_FORMAT", "ANTHROPIC_BASE_URL", "GOOGLE_API_KEY", "OFFLINE")}  # fmt: skip
    assert found == {
        "TEAM": ("ollama:b", "environment"),
        "LOG_FORMAT": ("text", ".env"),
        "ANTHROPIC_BASE_URL": ("http://environment", "environment"),
        "GOOGLE_API_KEY": ("set", ".env"),
        "OFFLINE": (False, "default"),
    }
    assert shown["DEEPRESEARCH_ANTHROPIC_BASE_URL"]["variable"] == "ANTHROPIC_BASE_URL"
    assert shown["DEEPRESEARCH_GOOGLE_API_KEY"]["variable"] == "GEMINI_API_KEY"
    piped = config(environment, tmp_path).stdout
    assert "DEEPRESEARCH_GOOGLE_API_KEY\t.env\tset (from GEMINI_API_KEY)\n" in piped


def test_no_secret_is_shown(bare: dict[str, str], tmp_path: Path) -> None:
    environment = dict(bare)
    for name, field in Settings.model_fields.items():
        if "SecretStr" in str(field.annotation):
            environment[f"DEEPRESEARCH_{name.upper()}"] = KEY
        elif name.endswith("_url") or name in ("server", "otel_metrics_endpoint", "otel_traces_endpoint"):
            environment[f"DEEPRESEARCH_{name.upper()}"] = f"https://me:{KEY}@host:1/path?token={KEY}"
    environment["DEEPRESEARCH_DATABASE_URL"] = f"postgresql://me:p@ss/{KEY}@db.example.com/name?sslpassword={KEY}&a=b"
    shown = told(environment, tmp_path)
    secrets = [one for one in shown.values() if one["secret"]]
    assert len(secrets) >= 8
    assert {one["value"] for one in secrets} == {"set"}
    assert shown["DEEPRESEARCH_DATABASE_URL"]["value"] == "postgresql://me:***@db.example.com/name?sslpassword=***&a=b"
    assert shown["DEEPRESEARCH_QDRANT_URL"]["value"] == "https://me:***@host:1/path?token=***"
    for options in ((), ("--json",), ("--describe",)):
        done = config(environment, tmp_path, *options)
        assert KEY not in done.stdout + done.stderr
    assert told({**bare, "DEEPRESEARCH_API_TOKEN": ""}, tmp_path)["DEEPRESEARCH_API_TOKEN"]["value"] is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://u:p@h:5/d", "postgresql+psycopg://u:***@h:5/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("https://token@host/x", "https://***@host/x"),
        ("http://host:80/a@b", "http://host:***@b"),
        ("http://host/a@b", "http://host/a@b"),
        ("http://h/?API_KEY=1&x=2#f", "http://h/?API_KEY=***&x=2#f"),
        ("sqlite:////var/lib/a.sqlite", "sqlite:////var/lib/a.sqlite"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("", ""),
    ],
)
def test_addresses_keep_all_but_what_opens_them(address: str, shown: str) -> None:
    assert without_password(address) == shown


def test_what_is_wrong_is_said_and_nothing_is_shown(bare: dict[str, str], tmp_path: Path) -> None:
    wrong = config({**bare, "DEEPRESEARCH_API_STREAMS": "many"}, tmp_path, "--json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "DEEPRESEARCH_API_STREAMS has a wrong value" in wrong.stderr
    (tmp_path / ".env").write_text("DEEPRESEARCH_TEAM=extractive\nthis is no setting\n")
    broken = config(bare, tmp_path)
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "Line 2 of .env is no NAME=VALUE" in broken.stderr
    (tmp_path / ".env").write_bytes(b"DEEPRESEARCH_TEAM=\xff\xfe\n")
    undecodable = config(bare, tmp_path)
    assert (undecodable.returncode, undecodable.stdout) == (2, "")
    assert ".env cannot be read" in undecodable.stderr
    (tmp_path / ".env").write_text("DEEPRESEARCH_TAEM=extractive\n")
    misspelt = config(bare, tmp_path)
    assert misspelt.returncode == 0
    assert "Did you mean DEEPRESEARCH_TEAM?" in misspelt.stderr


def test_piped_it_is_plain_lines(bare: dict[str, str], tmp_path: Path) -> None:
    done = config({**bare, "DEEPRESEARCH_API_HOSTS": "a\x1b[31m\tb\nc"}, tmp_path)
    lines = done.stdout.splitlines()
    assert len(lines) == len(Settings.model_fields)
    assert {line.count("\t") for line in lines} == {2}
    assert all(ord(character) >= 32 or character in "\t\n" for character in done.stdout)


def test_on_a_terminal_it_fits(bare: dict[str, str], tmp_path: Path) -> None:
    roots = ":".join(f"/srv/documents/of/department/{number}" for number in range(9))
    environment = {**bare, "PYTHONPATH": str(SOURCE), "DEEPRESEARCH_API_SOURCE_ROOTS": roots, "OPENAI_API_KEY": KEY}
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "deepresearch", "config", "--describe"],
        env=environment, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(mine, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(mine)
    assert process.communicate()[1] == b""
    assert process.returncode == 0
    lines = shown.decode().replace("\r\n", "\n").splitlines()
    assert max(len(line) for line in lines) <= 80
    assert roots in "".join(line.strip() for line in lines)
    assert KEY not in shown.decode()
