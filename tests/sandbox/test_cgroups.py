"""Control groups for real: limits, counting, removal; and where groups are made in the units of systemd.

The tests on units need a machine with systemd and cgroup version 2, and root: `scripts/sandbox-guest` boots one.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepresearch.sandbox.cgroups import FOLDER, PROGRAM, Cgroups
from deepresearch.sandbox.contract import MEBIBYTE, Limits
from deepresearch.sandbox.owners import new_name

LIMITS = Limits(memory_bytes=128 * MEBIBYTE, processes=20, cpus=0.5)


@pytest.fixture
def cgroups() -> Cgroups:
    found = Cgroups.detect()
    if found.mode == "none":
        pytest.skip(f"no control groups: {found.why}")
    return found


async def test_limits_are_in_the_kernel(cgroups: Cgroups) -> None:
    group = cgroups.create(new_name(), LIMITS)
    try:
        memory = "memory.max" if group.mode == "v2" else "memory.limit_in_bytes"
        assert (group.folders["memory"] / memory).read_text().strip() == str(128 * MEBIBYTE)
        assert (group.folders["pids"] / "pids.max").read_text().strip() == "20"
        assert group.limits["memory_bytes"] == 128 * MEBIBYTE
        if "cpu" in group.folders:
            share = "cpu.max" if group.mode == "v2" else "cpu.cfs_quota_us"
            assert (group.folders["cpu"] / share).read_text().split()[0] == "50000"
        swap = group.folders["memory"] / "memory.swap.max"
        assert not swap.exists() or swap.read_text().strip() == "0"
    finally:
        await group.remove()
    assert not any(folder.exists() for folder in group.folders.values())


async def test_processes_count_together_and_end_with_their_group(cgroups: Cgroups) -> None:
    """Four processes, each well below the limit, are too much together; all that is left goes with the group."""
    script = (
        "import os, sys, time\nsys.stdin.read(1)\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0:\n"
        "        held = bytearray(b'x') * (60 << 20)\n"
        "        time.sleep(600)\n"
        "os.wait()\n"
        "print('one is gone', flush=True)\ntime.sleep(600)"
    )
    group = cgroups.create(new_name(), LIMITS)
    pipe = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", script, stdin=pipe, stdout=pipe, start_new_session=True
    )
    try:
        assert parent.stdin is not None
        assert parent.stdout is not None
        group.add(parent.pid)
        parent.stdin.write(b"1")
        await parent.stdout.readline()
        evidence = group.evidence()
    finally:
        await group.remove()
    assert await parent.wait() != 0
    assert (evidence.memory_kills or 0) >= 1
    assert evidence.peak_memory_bytes is None or evidence.peak_memory_bytes <= 128 * MEBIBYTE
    assert not any(folder.exists() for folder in group.folders.values())


async def test_limits_hold_after_another_program_removed_the_common_folder(cgroups: Cgroups) -> None:
    """Programs share the folder of the groups; one that ends removes it when it is empty."""
    cgroups.tidy()
    group = cgroups.create(new_name(), LIMITS)
    try:
        memory = "memory.max" if group.mode == "v2" else "memory.limit_in_bytes"
        assert (group.folders["memory"] / memory).read_text().strip() == str(128 * MEBIBYTE)
    finally:
        await group.remove()
        cgroups.tidy()


IN_A_UNIT = """
import json
from pathlib import Path
from deepresearch.sandbox.cgroups import Cgroups
own = Path("/proc/self/cgroup").read_text().strip().split(":", 2)[2]
first = Cgroups.detect()
again = Cgroups.detect()
print(json.dumps({
    "own": own, "mode": first.mode, "parents": sorted({str(path) for path in first.parents.values()}),
    "controllers": sorted(first.parents), "again": sorted({str(path) for path in again.parents.values()}),
    "escaped": first.escaped() is not None, "now": Path("/proc/self/cgroup").read_text().strip().split(":", 2)[2],
}))
first.tidy()
"""


def in_a_unit(*properties: str) -> dict[str, object]:
    """What detection finds in a service of systemd with these properties."""
    if os.geteuid() != 0 or not Path("/run/systemd/system").is_dir():
        pytest.skip("needs root and systemd: see scripts/sandbox-guest")
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        pytest.skip("needs cgroup version 2 alone: see scripts/sandbox-guest")
    source = Path(__file__).parents[2] / "src"
    options = [word for text in properties for word in ("-p", text)]
    command = ["systemd-run", "--quiet", "--wait", "--pipe", *options, "-E", f"PYTHONPATH={source}"]
    done = subprocess.run(
        [*command, sys.executable, "-B", "-c", IN_A_UNIT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_delegated_service_makes_groups_inside_itself(user: str) -> None:
    found = in_a_unit(f"User={user}", "Delegate=yes", "MemoryMax=1G")
    assert found["mode"] == "v2"
    assert found["parents"] == found["again"] == [f"/sys/fs/cgroup{found['own']}/{FOLDER}"]
    assert found["now"] == f"{found['own']}/{PROGRAM}"
    assert found["controllers"] == ["cpu", "memory", "pids"]
    assert found["escaped"] is False


def test_a_service_without_the_processor_controller() -> None:
    found = in_a_unit("User=nobody", "Delegate=memory pids")
    assert (found["mode"], found["escaped"]) == ("v2", False)
    assert {"memory", "pids"} <= set(found["controllers"] if isinstance(found["controllers"], list) else [])


def test_a_root_service_without_delegation_uses_the_group_above_and_says_so() -> None:
    bounded = in_a_unit("MemoryMax=1G")
    assert (bounded["mode"], bounded["parents"]) == ("v2", [f"/sys/fs/cgroup/system.slice/{FOLDER}"])
    assert bounded["escaped"] is True
    assert bounded["now"] == bounded["own"]
    assert in_a_unit()["escaped"] is False


def test_a_service_of_an_ordinary_user_without_delegation_has_none() -> None:
    assert in_a_unit("User=nobody")["mode"] == "none"
