"""Single-use workers waiting ready, a fair queue before them, and a clean stop."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from deepresearch.sandbox import Limits, PoolOptions, ProfileName, Reason, Sandbox, SandboxRequest, Status
from deepresearch.sandbox.contract import MEBIBYTE
from deepresearch.sandbox.pool import Pool, Queue
from deepresearch.settings import Settings

WARM_ONE = PoolOptions(warm={ProfileName.PLAIN: 1}, concurrency=2)


def pool_of(sandbox: Sandbox) -> Pool:
    assert sandbox.pool is not None
    return sandbox.pool


def children() -> set[int]:
    """The processes that this one has started and that are still there."""
    found = set()
    for thread in Path("/proc/self/task").iterdir():
        try:
            found |= {int(pid) for pid in (thread / "children").read_text().split()}
        except FileNotFoundError:
            continue  # The thread has ended.
    return found


async def test_each_worker_serves_once_and_is_replaced(backend_name: str, sandbox_settings: Settings) -> None:
    script = "import os, sys, builtins\nprint(hasattr(builtins, 'mark'), 'pandas' in sys.modules)\nbuiltins.mark = 1"
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=WARM_ONE) as sandbox:
        for _ in range(3):
            await pool_of(sandbox).wait_warm()
            result = await sandbox.run(SandboxRequest(script=script))
            assert (result.status, result.stdout) == (Status.SUCCESS, "False True\n"), result.message
        await pool_of(sandbox).wait_warm()
        assert pool_of(sandbox).ready() == 1


async def test_what_a_worker_got_ready_changes_nothing_for_the_script(
    backend_name: str, sandbox_settings: Settings
) -> None:
    script = """
import os, warnings
print([number for number in sorted(map(int, os.listdir("/proc/self/fd")))[:-1]])
import matplotlib, matplotlib.pyplot as plt
from matplotlib import font_manager
print(plt.get_fignums())
for family in (["DejaVu Serif"], ["no such font", "DejaVu Sans"], ["DejaVu Serif"], ["no such font", "DejaVu Sans"]):
    matplotlib.rcParams["font.sans-serif"] = family
    matplotlib.rcParams["font.family"] = ["sans-serif", "DejaVu Sans Mono"]
    found = font_manager.fontManager._find_fonts_by_props(font_manager.FontProperties())
    print([os.path.basename(str(path)) for path in found])
    font_manager.fontManager._find_fonts_by_props(font_manager.FontProperties(family=family))
    plt.figure()
    plt.title("Ζωή, Жизнь " + family[-1])
    plt.plot([1, 2], label="$x^2$")
    plt.legend()
    for form in ("png", "svg", "pdf"):
        plt.savefig(f"{len(plt.get_fignums())}.{form}")
"""
    request = SandboxRequest(script=script)
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=WARM_ONE) as sandbox:
        await pool_of(sandbox).wait_warm()
        warm = await sandbox.run(request)
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=PoolOptions(warm={})) as sandbox:
        cold = await sandbox.run(request)
    for result in (warm, cold):
        assert result.status is Status.SUCCESS, result.stderr
        assert result.stdout.startswith("[0, 1, 2]\n[]\n['DejaVuSerif.ttf', 'DejaVuSansMono.ttf'")
        assert result.stderr.count("'no such font' not found") > 1, "a font that is missing is said each time"
    assert warm.stdout == cold.stdout
    assert {out.path: out.sha256 for out in warm.outputs} == {out.path: out.sha256 for out in cold.outputs}
    assert len(warm.outputs) == 12


async def test_other_limits_get_a_worker_of_their_own(backend_name: str, sandbox_settings: Settings) -> None:
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=WARM_ONE) as sandbox:
        await pool_of(sandbox).wait_warm()
        limits = Limits(memory_bytes=200 * MEBIBYTE)
        result = await sandbox.run(SandboxRequest(script="print(1)", limits=limits))
        assert result.status is Status.SUCCESS
        assert result.enforced["limits"]["memory_bytes"] == 200 * MEBIBYTE
        assert pool_of(sandbox).ready() == 1


async def test_a_worker_that_died_waiting_is_not_used(backend_name: str, sandbox_settings: Settings) -> None:
    if backend_name != "bubblewrap":
        pytest.skip("the process of a container is not a child of this one")
    before = children()
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=WARM_ONE) as sandbox:
        await pool_of(sandbox).wait_warm()
        (worker,) = children() - before
        os.kill(worker, signal.SIGKILL)
        while worker in children() and "State:\tZ" not in Path(f"/proc/{worker}/status").read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        result = await sandbox.run(SandboxRequest(script="print(1)"))
        assert (result.status, result.stdout) == (Status.SUCCESS, "1\n"), result.message
    assert children() <= before


async def test_never_more_at_once_than_allowed_and_in_order(backend_name: str, sandbox_settings: Settings) -> None:
    begun: list[str] = []
    places: dict[str, list[int]] = {}

    async def one(sandbox: Sandbox, name: str) -> None:
        places[name] = []

        def queue(place: int) -> None:
            places[name].append(place)
            if place == 0:
                begun.append(name)

        result = await sandbox.run(SandboxRequest(script="import time; time.sleep(0.3)"), on_queue=queue)
        assert result.status is Status.SUCCESS

    options = PoolOptions(warm={}, concurrency=2)
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=options) as sandbox:
        names = [f"run {n}" for n in range(5)]
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(one(sandbox, name)))
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert pool_of(sandbox).waiting == 3
        await asyncio.gather(*tasks)
    assert begun == names
    assert places["run 0"] == [0]
    assert places["run 4"] == [3, 2, 1, 0]


async def test_cancelling_ends_the_script_and_gives_the_place_back(
    backend_name: str, sandbox_settings: Settings
) -> None:
    options = PoolOptions(warm={}, concurrency=1)
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=options) as sandbox:
        started = asyncio.Event()
        request = SandboxRequest(script="import time; print('on', flush=True); time.sleep(600)", timeout=900)
        task = asyncio.create_task(sandbox.run(request, on_stdout=lambda _: started.set()))
        waiting = asyncio.create_task(sandbox.run(SandboxRequest(script="print(2)")))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await waiting).stdout == "2\n"


async def test_closing_ends_what_runs_and_says_so(backend_name: str, sandbox_settings: Settings) -> None:
    before = children()
    started = asyncio.Event()
    request = SandboxRequest(script="import time; print('on', flush=True); time.sleep(600)", timeout=900)
    async with Sandbox.open(sandbox_settings, backend=backend_name, pool=PoolOptions(warm={})) as sandbox:
        task = asyncio.create_task(sandbox.run(request, on_stdout=lambda _: started.set()))
        await started.wait()
    result = await task
    assert (result.reason, result.stdout) == (Reason.UNAVAILABLE, "on\n")
    assert "closed" in result.message
    assert (await sandbox.run(request)).reason is Reason.UNAVAILABLE
    assert children() <= before


async def test_closing_while_warming_up_leaves_nothing(backend_name: str, sandbox_settings: Settings) -> None:
    before = children()
    options = PoolOptions(warm={ProfileName.PLAIN: 3})
    for pause in (0.0, 0.05, 0.3):
        async with Sandbox.open(sandbox_settings, backend=backend_name, pool=options):
            await asyncio.sleep(pause)
    assert children() <= before
    assert list(Path("/sys/fs/cgroup").glob(f"**/*-{os.getpid()}-*")) == []


async def test_the_queue_survives_those_who_give_up() -> None:
    queue = Queue(1)
    order: list[int] = []

    async def wait(number: int) -> None:
        async with queue.turn():
            order.append(number)
            await asyncio.sleep(0.01)

    tasks = [asyncio.create_task(wait(number)) for number in range(6)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    tasks[4].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [0, 1, 3, 5]
    async with queue.turn():
        assert queue.waiting == 0


async def test_two_sandboxes_of_one_program_do_not_meet(backend_name: str, sandbox_settings: Settings) -> None:
    cold = PoolOptions(warm={})
    async with (
        Sandbox.open(sandbox_settings, backend=backend_name, pool=cold) as one,
        Sandbox.open(sandbox_settings, backend=backend_name, pool=cold) as other,
    ):
        request = SandboxRequest(script="import time; time.sleep(0.5); print('mine')")
        results = await asyncio.gather(*(sandbox.run(request) for sandbox in (one, other, one, other)))
    assert [result.stdout for result in results] == ["mine\n"] * 4
