"""What `kill -9` of the program leaves behind is gone at once or at the next start."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deepresearch.sandbox import PoolOptions, Sandbox
from deepresearch.sandbox.owners import PROCESS_PREFIX, Owner, this_process
from deepresearch.settings import Settings

PROGRAM = """
import asyncio, sys
from pathlib import Path
from deepresearch.sandbox import PoolOptions, ProfileName, Sandbox, SandboxRequest
from deepresearch.settings import Settings

async def main():
    settings = Settings(home=Path(sys.argv[1]))
    pool = PoolOptions(warm={ProfileName.PLAIN: 1}, concurrency=2)
    async with Sandbox.open(settings, backend=sys.argv[2], pool=pool) as sandbox:
        await sandbox.pool.wait_warm()
        script = "import subprocess, time\\nsubprocess.Popen(['sleep', '600'], env={'M': %r})\\n" % sys.argv[3]
        script += "print('running', flush=True)\\ntime.sleep(600)"
        await sandbox.run(SandboxRequest(script=script, timeout=900), on_stdout=lambda text: print(text, flush=True))

asyncio.run(main())
"""


@contextmanager
def running(settings: Settings, backend: str, marker: str) -> Iterator[subprocess.Popen[str]]:
    """A program in the middle of a run, with a second worker waiting warm."""
    command = [sys.executable, "-c", PROGRAM, str(settings.home), backend, marker]
    environment = os.environ | {"PYTHONPATH": "src"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "running\n"
        yield program


def groups(pid: int) -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"**/*-{pid}-*"))


async def test_a_killed_program(
    backend_name: str, sandbox_settings: Settings, processes_named: Callable[[str], list[int]]
) -> None:
    marker = f"marker-{time.monotonic_ns()}"
    with running(sandbox_settings, backend_name, marker) as program:
        assert processes_named(marker)
        os.kill(program.pid, signal.SIGKILL)
        program.wait()
        async with Sandbox.open(sandbox_settings, backend=backend_name, pool=PoolOptions(warm={})):
            pass
        for _ in range(100):
            if processes_named(marker):
                await asyncio.sleep(0.05)
        assert processes_named(marker) == []
        async with Sandbox.open(sandbox_settings, backend=backend_name, pool=PoolOptions(warm={})) as sandbox:
            await sandbox.reap()
        assert groups(program.pid) == []
        records = sandbox_settings.home / "sandbox/owners"
        assert [path for path in records.glob("*") if f"-{program.pid}-" in path.name] == []


async def test_a_living_program_keeps_what_it_uses(backend_name: str, sandbox_settings: Settings) -> None:
    marker = f"marker-{time.monotonic_ns()}"
    with running(sandbox_settings, backend_name, marker) as program:
        before = groups(program.pid)
        async with Sandbox.open(sandbox_settings, backend=backend_name, pool=PoolOptions(warm={})) as sandbox:
            await sandbox.reap()
        assert groups(program.pid) == before
        assert program.poll() is None
        program.kill()


async def test_half_made_workers_of_dead_programs_are_ended(sandbox_settings: Settings) -> None:
    mine = this_process()
    dead = Owner(mine.boot, mine.namespace, mine.pid, mine.started + 1)
    with started_as(f"{PROCESS_PREFIX}{dead.label}") as orphan, started_as(f"{PROCESS_PREFIX}{mine.label}") as other:
        async with Sandbox.open(sandbox_settings, backend="bubblewrap", pool=PoolOptions(warm={})):
            pass
        assert orphan.wait() == -signal.SIGKILL
        assert other.poll() is None
        other.kill()


@contextmanager
def started_as(name: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([name, "600"], executable="/bin/sleep") as process:
        yield process


def test_owners_are_told_apart() -> None:
    mine = this_process()
    assert Owner.from_label(mine.label) == mine
    assert not mine.is_dead()
    with subprocess.Popen(["sleep", "60"]) as other:
        stat = Path(f"/proc/{other.pid}/stat").read_text().rpartition(")")[2].split()
        owner = Owner(mine.boot, mine.namespace, other.pid, int(stat[19]))
        assert not owner.is_dead()
        other.kill()
    assert owner.is_dead()
    assert Owner(mine.boot, mine.namespace, mine.pid, mine.started + 1).is_dead()
    assert Owner("00000000", mine.namespace, mine.pid, mine.started).is_dead()
    assert not Owner(mine.boot, mine.namespace + 1, 2**22, 1).is_dead()


@pytest.mark.parametrize("label", ["", "x", "../../etc", "0123abcd-1-2", "0123abcd-1-2-3-4"])
def test_what_is_no_label_has_no_owner(label: str) -> None:
    assert Owner.from_label(label) is None
