"""Every attack on every back end, judged from the host."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable

import pytest
from tests.sandbox.attacks import disk, memory, paths, processes, reach, trust
from tests.sandbox.attacks.model import Attack, Outcome, host_settings
from tests.sandbox.attacks.world import World, resident_bytes

from deepresearch.sandbox import PoolOptions, ProfileName, Reason, Sandbox, SandboxRequest, SandboxResult, Status
from deepresearch.sandbox.backends import choose
from deepresearch.settings import Settings

ATTACKS = [
    attack for family in (processes, memory, disk, paths, reach, trust) for attack in family.ATTACKS if attack.runs_here
]
HOST_KILLED = ("host-killed", "63", "After the host program is killed, the next start removes what it left")


def rows() -> list[tuple[str, str, str]]:
    """The rows of the scorecard: name, numbers, promise."""
    table = [(attack.key, ", ".join(map(str, attack.numbers)), attack.promise) for attack in ATTACKS]
    return [*table, HOST_KILLED]


def test_every_number_of_the_list_is_covered() -> None:
    covered = {number for attack in ATTACKS for number in attack.numbers} | {63}
    assert covered == set(range(1, 65))
    keys = [key for key, _, _ in rows()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.key)
async def test_attack(
    attack: Attack, backend_name: str, sandbox_settings: Settings, record_property: Callable[[str, object], None]
) -> None:
    record_property(f"attack:{attack.key}", backend_name)
    told: list[SandboxResult] = []
    warm = {ProfileName.PLAIN: 1} if attack.warm else {}
    with World() as world:
        async with Sandbox.open(
            sandbox_settings,
            backend=backend_name,
            pool=PoolOptions(warm=warm),
            recorder=lambda result, _request: told.append(result),
        ) as sandbox:
            if attack.warm and sandbox.pool is not None:
                await sandbox.pool.wait_warm()
            outcome = await _run(sandbox, attack, world)
            _judge(attack, outcome)
            if attack.wait:
                await asyncio.sleep(attack.wait)
            world.check()
            await _next_run_works(sandbox)
        world.check()
    ran = outcome.result.reason is not Reason.INVALID_REQUEST
    assert [result.status for result in told] == [outcome.result.status] * ran + [Status.SUCCESS]


async def _run(sandbox: Sandbox, attack: Attack, world: World) -> Outcome:
    before, memory_before = host_settings(), resident_bytes()
    started = time.monotonic()
    result = await sandbox.run(attack.request(world.arguments))
    seconds = time.monotonic() - started
    grown = resident_bytes() - memory_before
    return Outcome(result, seconds, world.secret, before, host_settings(), grown)


def _judge(attack: Attack, outcome: Outcome) -> None:
    result = outcome.result
    told = f"{result.reason} {result.message} {result.stdout[-600:]} {result.stderr[-600:]}"
    assert result.reason.value in attack.reasons, told
    assert "BREACH" not in result.stdout, told
    assert not outcome.shows(outcome.canary)
    assert result.duration_ms <= attack.timeout * 1000 + 1000, told
    assert (result.status is Status.SUCCESS) == (result.reason is Reason.OK)
    if attack.judge is not None:
        attack.judge(outcome)


async def _next_run_works(sandbox: Sandbox) -> None:
    script = "import json, os, sys; print(json.dumps([os.listdir('.'), os.listdir('/tmp') != 1, len('abc')]))"
    result = await sandbox.run(SandboxRequest(script=script, timeout=20))
    assert result.status is Status.SUCCESS, result.message
    assert result.stdout == '[["script.py"], true, 3]\n'
    assert not result.outputs


_HOST = """
import asyncio, sys
from pathlib import Path
from deepresearch.sandbox import PoolOptions, ProfileName, Sandbox, SandboxRequest
from deepresearch.settings import Settings

async def main():
    script = Path(sys.argv[3]).read_text()
    pool = PoolOptions(warm={ProfileName.PLAIN: 1})
    async with Sandbox.open(Settings(home=sys.argv[2]), backend=sys.argv[1], pool=pool) as sandbox:
        await sandbox.pool.wait_warm()
        await sandbox.run(
            SandboxRequest(script=script, args=(sys.argv[4],), timeout=60), on_stdout=lambda text: print(text, flush=True)
        )
asyncio.run(main())
"""


async def test_the_host_is_killed(
    backend_name: str,
    sandbox_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
    record_property: Callable[[str, object], None],
) -> None:
    record_property(f"attack:{HOST_KILLED[0]}", backend_name)
    script = tmp_path_factory.mktemp("host") / "script.py"
    script.write_text(
        textwrap.dedent("""
            import ctypes, os, sys, time
            ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
            if os.fork() == 0:
                os.setsid()
            print("running", flush=True)
            time.sleep(60)
        """)
    )
    with World() as world:
        host = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _HOST,
            backend_name,
            str(sandbox_settings.home),
            str(script),
            world.marker,
            stdout=asyncio.subprocess.PIPE,
        )
        assert host.stdout is not None
        assert await host.stdout.readline() == b"running\n"
        os.kill(host.pid, signal.SIGKILL)
        await host.wait()
        (backend,) = choose(backend_name, sandbox_settings)
        try:
            await backend.check()
            await backend.reap()
            world.check()
            assert not await backend.reap()
        finally:
            await backend.close()


@pytest.mark.parametrize("key", ["local-sockets", "magic-links", "inspection", "kernel-sockets", "proc"])
async def test_attacks_do_harm_where_nothing_stops_them(key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Harmless ones only, run as plain programs: each has to report what it got through."""
    (attack,) = [attack for attack in ATTACKS if attack.key == key]
    with World() as world:
        script = tmp_path_factory.mktemp("plain") / "script.py"
        script.write_text(attack.request(()).script)
        plain = await asyncio.create_subprocess_exec(
            sys.executable, str(script), *world.arguments, stdout=asyncio.subprocess.PIPE, cwd=script.parent
        )
        stdout, _ = await plain.communicate()
    assert b"BREACH" in stdout
