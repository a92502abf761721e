"""The filter's two forms agree, and a real process under it gets the expected answers."""

from __future__ import annotations

import errno
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sandbox.filter_model import ALLOW, ERRNO, KILL, run_bpf, run_json

from deepresearch.model.errors import SandboxUnavailable
from deepresearch.sandbox import seccomp, seccomp_rules
from deepresearch.sandbox.syscall_numbers import LAST_KNOWN_NUMBER, SYSCALL_NUMBERS

X86_64, AARCH64, I386, ARM = 0xC000_003E, 0xC000_00B7, 0x4000_0003, 0x4000_0028
FAMILIES = {"x86_64": (0, X86_64), "aarch64": (1, AARCH64)}
INTERESTING = [0, 1, 2, 8, 16, 38, 40, 0x5401, 0x5412, 0x541C, 0x1_0000_0001, 0x1_0000_5412, 0x20000, 0x20008]
INTERESTING += [0x1000_0000, 0x7E02_0000, 0x003D_0F00, 0xFFFF_FFFF, 2**64 - 1, 0x40000, 0x1200011]

needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed: apt-get install bubblewrap"
)
needs_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="speaks x86_64 machine code")


def names_by_number(family: str) -> dict[int, str]:
    column = FAMILIES[family][0]
    return {number: name for name, numbers in SYSCALL_NUMBERS.items() if (number := numbers[column]) is not None}


@pytest.mark.parametrize("family", FAMILIES)
def test_both_forms_answer_every_call_alike(family: str) -> None:
    program, profile = seccomp.bpf_program(family), seccomp.docker_profile()
    names, architecture = names_by_number(family), FAMILIES[family][1]
    for number in range(LAST_KNOWN_NUMBER + 1):
        for value in INTERESTING:
            arguments = [value] * 6
            expected = run_json(profile, names.get(number), arguments)
            assert run_bpf(program, number, architecture, arguments) == expected, (number, hex(value))


@given(
    family=st.sampled_from(sorted(FAMILIES)),
    name=st.sampled_from(sorted(seccomp_rules.CONDITIONAL)),
    arguments=st.lists(st.one_of(st.sampled_from(INTERESTING), st.integers(0, 2**64 - 1)), min_size=6, max_size=6),
)
@settings(max_examples=2000, deadline=None)
def test_both_forms_agree_on_arguments(family: str, name: str, arguments: list[int]) -> None:
    column, architecture = FAMILIES[family]
    number = SYSCALL_NUMBERS[name][column]
    assert number is not None
    verdict = run_bpf(seccomp.bpf_program(family), number, architecture, arguments)
    assert verdict == run_json(seccomp.docker_profile(), name, arguments)
    condition = seccomp_rules.CONDITIONAL[name]
    assert (verdict == ALLOW) == condition.passes(arguments[condition.index])


@given(
    st.integers(1, 255).flatmap(
        lambda mask: st.tuples(
            st.just(mask), st.lists(st.integers(0, 255).map(lambda value: value & mask), min_size=1, max_size=4)
        )
    )
)
@settings(deadline=None)
def test_everything_but_is_exactly_the_complement(case: tuple[int, list[int]]) -> None:
    mask, values = case
    alternatives = seccomp.everything_but(tuple(values), mask)
    for value in range(512):
        matched = any(value & bits == wanted for bits, wanted in alternatives)
        assert matched == (value & mask not in values)


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_from_the_future_and_nonsense_do_not_exist(family: str) -> None:
    program, architecture = seccomp.bpf_program(family), FAMILIES[family][1]
    for number in [*range(LAST_KNOWN_NUMBER + 1, LAST_KNOWN_NUMBER + 2000), 0x3FFF_FFFF, 0xFFFF_FFFF]:
        assert run_bpf(program, number, architecture, [0] * 6) == ERRNO | errno.ENOSYS


def test_foreign_conventions_are_killed() -> None:
    for architecture in (I386, AARCH64, ARM, 0):
        for number in (0, 1, 20, 102, 359):
            assert run_bpf(seccomp.bpf_program("x86_64"), number, architecture, [0] * 6) == KILL
    for architecture in (I386, X86_64, ARM):
        assert run_bpf(seccomp.bpf_program("aarch64"), 0, architecture, [0] * 6) == KILL
    for number in (0, 1, 41, 520):
        assert run_bpf(seccomp.bpf_program("x86_64"), 0x4000_0000 | number, X86_64, [0] * 6) == KILL
    assert all(not entry["subArchitectures"] for entry in seccomp.docker_profile()["archMap"])


def test_every_rule_has_a_number_and_every_number_a_rule() -> None:
    ruled = seccomp_rules.ALLOWED | set(seccomp_rules.CONDITIONAL) | set(seccomp_rules.DENIED_WITH)
    assert ruled == set(SYSCALL_NUMBERS)
    assert not seccomp_rules.ALLOWED & set(seccomp_rules.CONDITIONAL)
    for column in (0, 1):
        numbers = [entry[column] for entry in SYSCALL_NUMBERS.values() if entry[column] is not None]
        assert len(numbers) == len(set(numbers))


@pytest.mark.skipif(shutil.which("scmp_sys_resolver") is None, reason="needs Debian's package seccomp")
@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_are_those_of_libseccomp(family: str) -> None:
    for number, name in names_by_number(family).items():
        if number <= 450:  # the newest that the packaged libseccomp knows
            command = ["scmp_sys_resolver", "-a", family, str(number)]
            assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == name


def test_the_hash_names_the_rules() -> None:
    assert len(seccomp.profile_hash()) == 64
    assert json.loads(seccomp.docker_profile_json()) == seccomp.docker_profile()


def test_another_processor_family_is_refused_with_its_name() -> None:
    assert seccomp.bpf_program("arm64") == seccomp.bpf_program("aarch64")
    with pytest.raises(SandboxUnavailable, match="riscv64"):
        seccomp.bpf_program("riscv64")


# ---- real processes -------------------------------------------------------------------------------------------


def under_filter(*command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command in bubblewrap with nothing but the filter and no privileges, on the host's files read-only."""
    descriptor = os.memfd_create("filter", 0)
    try:
        os.write(descriptor, seccomp.bpf_program())
        os.lseek(descriptor, 0, os.SEEK_SET)
        bubblewrap = ["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--uid", "65532"]
        bubblewrap += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/mnt"]
        bubblewrap += ["--seccomp", str(descriptor), "--setenv", "HOME", "/mnt", "--chdir", "/mnt"]
        # Not /tmp: the checkout under test may lie there.
        bubblewrap += ["--setenv", "TMPDIR", "/mnt"]
        return subprocess.run(
            [*bubblewrap, *command],
            capture_output=True,
            text=True,
            timeout=timeout,
            pass_fds=[descriptor],
            check=False,
        )
    finally:
        os.close(descriptor)


def probe(**request: object) -> dict[str, object]:
    script = str(Path(__file__).with_name("seccomp_probe.py"))
    done = under_filter(sys.executable, script, json.dumps(request))
    assert done.returncode == 0, done.stderr
    answers: dict[str, object] = json.loads(done.stdout)
    return answers


@needs_bubblewrap
@needs_x86_64
def test_denied_calls_are_denied_with_their_errno() -> None:
    denied = {
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_getfd": 438,
        "add_key": 248, "request_key": 249, "keyctl": 250, "io_uring_setup": 425, "io_uring_enter": 426,
        "io_uring_register": 427, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "unshare": 272,
        "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "open_tree": 428,
        "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
        "open_by_handle_at": 304, "name_to_handle_at": 303, "mknod": 133, "mknodat": 259, "shmget": 29,
        "shmat": 30, "semget": 64, "msgget": 68, "mq_open": 240, "modify_ldt": 154, "vmsplice": 278,
        "kexec_load": 246, "init_module": 175, "finit_module": 313, "swapon": 167, "reboot": 169,
        "settimeofday": 164, "clock_settime": 227, "acct": 163, "quotactl": 179, "syslog": 103,
        "sethostname": 170, "iopl": 172, "memfd_secret": 447, "statmount": 457, "listmount": 458,
        "fanotify_init": 300, "lookup_dcookie": 212, "process_madvise": 440, "io_setup": 206,
    }  # fmt: skip
    answers = probe(calls={name: [number] for name, number in denied.items()})
    assert answers == dict.fromkeys(denied, "EPERM")


@needs_bubblewrap
@needs_x86_64
def test_arguments_decide_where_they_should() -> None:
    clone, socket, ioctl, personality = 56, 41, 16, 135
    stream = 1
    calls = {
        "clone3": [435, 0, 0],
        **{f"clone {bit:#x}": [clone, bit | 17] for bit in (0x10000000, 0x20000, 0x40000000, 0x20000000)},
        **{f"socket {family}": [socket, family, stream, 0] for family in (2, 10, 16, 17, 31, 38, 40, 44)},
        "socket high bits": [socket, 0x1_0000_0001, stream, 0],
        "socket unix": [socket, 1, stream, 0],
        "tiocsti": [ioctl, 0, 0x5412, 0],
        "tiocsti high bits": [ioctl, 0, 0x1_0000_5412, 0],
        "tioclinux": [ioctl, 0, 0x541C, 0],
        "no randomisation": [personality, 0x40000],
        "which personality": [personality, 0xFFFF_FFFF],
        "future": [600],
    }
    answers = probe(calls=calls)
    expected = dict.fromkeys(calls, "EPERM")
    expected |= {name: "EAFNOSUPPORT" for name in calls if name.startswith("socket ")}
    expected |= {"clone3": "ENOSYS", "future": "ENOSYS", "socket unix": "ok", "which personality": "ok"}
    assert answers == expected


@needs_bubblewrap
@needs_x86_64
def test_foreign_calls_end_the_process() -> None:
    i386 = "b814000000" + "cd80" + "c3"  # mov eax, 20 (getpid); int 0x80; ret
    x32 = "b827000040" + "0f05" + "c3"  # mov eax, 0x40000027 (getpid); syscall; ret
    assert probe(foreign={"i386": i386, "x32": x32}) == {"i386": signal.SIGSYS, "x32": signal.SIGSYS}


@needs_bubblewrap
@pytest.mark.parametrize(
    "script",
    [
        pytest.param("import numpy; print(numpy.linalg.inv(numpy.random.rand(300, 300)).shape)", id="numpy"),
        pytest.param(
            """
            import asyncio, threading, subprocess, sys
            async def main():
                child = await asyncio.create_subprocess_exec("/bin/echo", "hello", stdout=-1)
                out, _ = await child.communicate()
                print(out, await asyncio.to_thread(threading.get_ident) > 0)
            asyncio.run(main())
            """,
            id="asyncio",
        ),
        pytest.param(
            """
            import multiprocessing, tempfile, shutil, pathlib, os, mmap, selectors
            if __name__ == "__main__":
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    print(pool.map(abs, [-1, -2]))
                folder = pathlib.Path(tempfile.mkdtemp())
                (folder / "a").write_bytes(b"x" * 100000)
                shutil.copyfile(folder / "a", folder / "b"); shutil.copytree(folder, folder.with_name("copy"))
                os.utime(folder / "a"); os.chmod(folder / "a", 0o600); os.link(folder / "a", folder / "c")
                shutil.rmtree(folder)
                mmap.mmap(-1, 8192)[0:3] = b"abc"
            """,
            id="everyday",
        ),
    ],
)
def test_ordinary_programs_run(script: str) -> None:
    done = under_filter(sys.executable, "-c", textwrap.dedent(script))
    assert (done.returncode, done.stderr) == (0, "")


@needs_bubblewrap
@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_node_runs() -> None:
    script = "const {execSync} = require('child_process'); console.log(execSync('echo from a child').toString())"
    done = under_filter("node", "-e", script)
    assert done.returncode == 0, done.stderr
    assert "from a child" in done.stdout
