"""Every end has its name, keeps what was made before it, and comes in time; the next run works."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable

import pytest

from deepresearch.sandbox import Limits, Reason, Sandbox, SandboxRequest, SandboxResult, Status
from deepresearch.sandbox.contract import MEBIBYTE

SMALL = Limits(memory_bytes=256 * MEBIBYTE, processes=32, workspace_bytes=32 * MEBIBYTE, files=500)


async def run(sandbox: Sandbox, script: str, **fields: object) -> SandboxResult:
    request = {"script": textwrap.dedent(script), "timeout": 60.0, "limits": SMALL} | fields
    return await sandbox.run(SandboxRequest.model_validate(request))


@pytest.mark.parametrize(
    ("script", "signal"),
    [
        ("import ctypes; ctypes.string_at(0)", 11),
        ("import os; os.abort()", 6),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 9),
    ],
)
async def test_signals(sandbox: Sandbox, script: str, signal: int) -> None:
    result = await run(sandbox, f"print('before', flush=True); open('kept.txt', 'w').write('x')\n{script}")
    assert (result.status, result.reason, result.signal, result.exit_code) == (
        Status.FAILURE,
        Reason.SIGNAL,
        signal,
        None,
    )
    assert result.stdout == "before\n"
    assert [output.path for output in result.outputs] == ["kept.txt"]


@pytest.mark.parametrize(
    "script",
    [
        "chunks = [bytes(1 << 24) for _ in iter(int, 1)]",
        "import numpy as np\nheld = [np.ones(1 << 22) for _ in iter(int, 1)]",
        "import mmap\nh = []\nwhile True:\n    m = mmap.mmap(-1, 1 << 24); m.write(b'x' * (1 << 24)); h.append(m)",
        "import os\nf = os.memfd_create('x')\nwhile True: os.write(f, b'x' * (1 << 20))",
    ],
)
async def test_out_of_memory(sandbox: Sandbox, script: str) -> None:
    result = await run(
        sandbox, "print('before', flush=True)\n" + script, limits=SMALL.model_copy(update={"file_bytes": 1 << 40})
    )
    assert (result.status, result.reason) == (Status.FAILURE, Reason.OUT_OF_MEMORY), result.stderr
    assert result.stdout == "before\n"
    assert result.usage.peak_memory_bytes is not None
    assert result.usage.peak_memory_bytes <= SMALL.memory_bytes


@pytest.mark.parametrize(
    "script",
    [
        "import os, time\nfor _ in range(1000):\n    if os.fork() == 0: time.sleep(60)",
        "import threading\nfor _ in range(999): threading.Thread(target=threading.Event().wait, daemon=True).start()",
    ],
)
async def test_process_limit(sandbox: Sandbox, script: str) -> None:
    result = await run(sandbox, script)
    assert (result.status, result.reason) == (Status.FAILURE, Reason.PROCESS_LIMIT), result.stderr


async def test_a_fork_bomb_ends_with_its_time(sandbox: Sandbox) -> None:
    begin = time.monotonic()
    script = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    result = await run(sandbox, script, timeout=2.0)
    assert (result.status, result.reason) == (Status.TIMEOUT, Reason.TIMEOUT)
    assert time.monotonic() - begin < 30  # bounded at all; how well is what the benchmark measures
    assert (await run(sandbox, "print(1)")).status is Status.SUCCESS


@pytest.mark.parametrize(
    "script",
    [
        "open('big', 'wb').write(bytes(40 << 20))",
        "with open('/tmp/big', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
        "with open('/dev/shm/big', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
        "for n in range(10**6): open(f'f{n}', 'w').close()",
        "import os\nfor n in range(10**6):\n    os.mkdir('d'); os.chdir('d')",
    ],
)
async def test_disk_limit(sandbox: Sandbox, script: str) -> None:
    result = await run(sandbox, script)
    assert (result.status, result.reason) == (Status.FAILURE, Reason.DISK_LIMIT), (result.stderr, result.message)


async def test_a_handled_full_disk_is_no_failure(sandbox: Sandbox) -> None:
    script = """
        try:
            with open("big", "wb") as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError as full:
            print(full.errno)
        import os; os.remove("big")
    """
    result = await run(sandbox, script)
    assert (result.status, result.stdout) == (Status.SUCCESS, "28\n")


async def test_output_limit_of_a_stream(sandbox: Sandbox) -> None:
    limits = SMALL.model_copy(update={"stream_bytes": 4 * MEBIBYTE})
    result = await run(sandbox, "while True: print('y' * 1000)", limits=limits)
    assert (result.status, result.reason) == (Status.FAILURE, Reason.OUTPUT_LIMIT)
    assert result.truncated == ("stdout",)
    assert len(result.stdout) < limits.stream_kept_bytes + 100


async def test_long_output_keeps_head_and_tail(sandbox: Sandbox) -> None:
    limits = SMALL.model_copy(update={"stream_kept_bytes": 4096})
    script = """
        import sys
        for n in range(100_000): print(n)
        print("x" * 100_000, file=sys.stderr)
    """
    result = await run(sandbox, script, limits=limits)
    assert result.status is Status.SUCCESS
    assert result.truncated == ("stdout", "stderr")
    assert result.stdout.startswith("0\n1\n2\n")
    assert result.stdout.endswith("\n99999\n")
    total = sum(len(f"{n}\n") for n in range(100_000))
    assert f"[... {total - 4096} bytes left out ...]" in result.stdout


async def test_output_limit_of_files(sandbox: Sandbox) -> None:
    limits = SMALL.model_copy(update={"outputs": 3, "output_bytes": 2048, "outputs_bytes": 4096})
    result = await run(sandbox, "open('a', 'w').write('x' * 3000); open('b', 'w').write('x')", limits=limits)
    assert (result.status, result.reason, result.exit_code) == (Status.FAILURE, Reason.OUTPUT_LIMIT, 0)
    assert [output.path for output in result.outputs] == ["b"]
    assert [entry.path for entry in result.rejected] == ["a"]
    result = await run(
        sandbox, "for n in range(6): open(f'f{n}', 'w').write('x' * 1500)", limits=limits, expects=("f5",)
    )
    assert result.reason is Reason.OUTPUT_LIMIT
    assert [output.path for output in result.outputs] == ["f5", "f0"]


async def test_missing_output(sandbox: Sandbox) -> None:
    result = await run(sandbox, "open('a.txt', 'w').write('x')", expects=("a.txt", "plot.png"))
    assert (result.status, result.reason, result.exit_code) == (Status.FAILURE, Reason.MISSING_OUTPUT, 0)
    assert "plot.png" in result.message
    assert [output.path for output in result.outputs] == ["a.txt"]
    result = await run(sandbox, "import os; os.symlink('/etc/passwd', 'plot.png')", expects=("plot.png",))
    assert result.reason is Reason.MISSING_OUTPUT
    assert "symbolic link" in result.message


@pytest.mark.parametrize(
    "script",
    [
        "while True: pass",
        "import signal\nfor s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nsum(range(10**12))",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "import time\nwhile True: print('.', end='', flush=True); time.sleep(0.2)",
        "import ctypes, os, time\nctypes.CDLL(None).prctl(1, 0)\nif os.fork() == 0:\n    os.setsid()\ntime.sleep(600)",
    ],
)
async def test_timeouts_end_everything(
    sandbox: Sandbox, script: str, processes_named: Callable[[str], list[int]]
) -> None:
    marker = f"marker-{time.monotonic_ns()}"
    prepare = (
        f"import os, subprocess\nsubprocess.Popen(['sleep', '600'], env=dict(os.environ, M='{marker}'),"
        " start_new_session=True)\nopen('made.txt', 'w').write('x')\nprint('begun', flush=True)\n"
    )
    result = await run(sandbox, prepare + script, timeout=1.0)
    assert (result.status, result.reason) == (Status.TIMEOUT, Reason.TIMEOUT)
    assert (result.exit_code, result.signal) == (None, None)
    assert result.stdout.startswith("begun\n")
    assert [output.path for output in result.outputs] == ["made.txt"]
    assert processes_named(marker) == []
    assert "1 seconds" in result.message


async def test_a_daemon_does_not_outlive_its_script(
    sandbox: Sandbox, processes_named: Callable[[str], list[int]]
) -> None:
    marker = f"marker-{time.monotonic_ns()}"
    script = f"""
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execve("/bin/sleep", ["sleep", "600"], {{"M": "{marker}"}})
            os._exit(0)
        time.sleep(0.2)
        print("done")
    """
    result = await run(sandbox, script)
    assert (result.status, result.stdout) == (Status.SUCCESS, "done\n")
    assert processes_named(marker) == []


@pytest.mark.parametrize("script", ["import os; os._exit(0)", "import os; os.execv('/bin/true', ['true'])"])
async def test_leaving_without_saying_goodbye(sandbox: Sandbox, script: str) -> None:
    result = await run(sandbox, script)
    assert (result.status, result.exit_code, result.outputs) == (Status.SUCCESS, 0, ())


async def test_bytes_that_are_no_text(sandbox: Sandbox) -> None:
    result = await run(sandbox, r"import os; os.write(1, b'\xff\x00\x1b[31m\xe2\x82'); os.write(1, b'\xac\n')")
    assert result.stdout == "\ufffd\x00\x1b[31m€\n"


async def test_live_output(sandbox: Sandbox) -> None:
    heard: list[tuple[float, str]] = []

    async def listen(text: str) -> None:
        heard.append((time.monotonic(), text))

    script = "import time\nprint('one')\ntime.sleep(0.7)\nprint('two')"
    request = SandboxRequest(script=script, timeout=60)
    result = await sandbox.run(request, on_stdout=listen)
    assert "".join(text for _, text in heard) == result.stdout == "one\ntwo\n"
    assert heard[-1][0] - heard[0][0] > 0.3


async def test_the_streak_counts_what_ran(sandbox: Sandbox) -> None:
    streaks = []
    for script in ("1/0", "1/0", "\0", "print(1)", "1/0"):
        streaks.append((await run(sandbox, script)).failure_streak)
    assert streaks == [1, 2, 2, 0, 1]


async def test_nothing_reaches_the_next_run(sandbox: Sandbox) -> None:
    script = """
        import os, builtins, json
        builtins.print = None
        json.dumps = None
        for path in ("/tmp/left", "/dev/shm/left", "left", "/tmp/home/left"):
            open(path, "w").write("x")
    """
    assert (await run(sandbox, script)).status is Status.SUCCESS
    look = "import os, json\nprint(json.dumps([os.path.exists(p) for p in ('/tmp/left', '/dev/shm/left', 'left')]))"
    assert (await run(sandbox, look)).stdout == "[false, false, false]\n"
