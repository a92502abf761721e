"""Attacks by processes, signals and threads (1 to 10, 16, 25, 59, 62)."""

from __future__ import annotations

import signal

from tests.sandbox.attacks.model import Attack, Judge, Outcome


def _prompt(outcome: Outcome) -> None:
    assert outcome.result.duration_ms < 5_000


def _processor_bound(outcome: Outcome) -> None:
    used = outcome.result.usage.cpu_ms
    assert used is None or used <= outcome.result.duration_ms * 1.6


def _signal(number: int) -> Judge:
    def judge(outcome: Outcome) -> None:
        assert outcome.result.signal == number

    return judge


ATTACKS = [
    Attack(
        "fork-bomb", (1,), "A fork bomb ends within its time; nothing of it is left",
        """
while True:
    try: os.fork()
    except OSError: pass
""",
        ("timeout", "process_limit"), timeout=3,
    ),
    Attack(
        "daemon", (2,), "A double-forked daemon is gone when the run returns and writes nothing later",
        """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for name in ("/tmp/canary", CANARY):
            time.sleep(1)
            try: open(name, "w").write("daemon")
            except OSError: pass
        time.sleep(60)
    os._exit(0)
os.wait()
""",
        wait=3,
    ),
    Attack(
        "thread-bomb", (3,), "A hundred thousand threads meet the process limit",
        """
import threading
for _ in range(100_000):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""",
        ("process_limit", "timeout", "out_of_memory"), timeout=10,
    ),
    Attack(
        "exec-bomb", (4,), "A bomb that forks and executes itself under new names ends like any other",
        """
open("bomb.py", "w").write('''
import os, sys
for number in range(4):
    if os.fork() == 0:
        os.execv(sys.executable, [f"kworker/{os.getpid()}", "-S", "-I", __file__])
os.pause() if hasattr(os, "pause") else __import__("time").sleep(60)
''')
os.execv(sys.executable, [MARK, "-S", "-I", os.path.abspath("bomb.py")])
""",
        ("timeout", "process_limit", "signal", "exit", "out_of_memory"), timeout=4,
    ),
    Attack(
        "signals-ignored", (5,), "Ignoring every signal that can be ignored changes nothing",
        """
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True: time.sleep(1)
""",
        ("timeout",), timeout=2,
    ),
    Attack(
        "signals-blocked", (6,), "Blocking all signals in a busy C call changes nothing",
        """
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
sum(range(10**12))
""",
        ("timeout",), timeout=2,
    ),
    Attack(
        "kill-the-watcher", (7,), "Stopping or killing the parent, process 1 and everybody leaves the sandbox in charge",
        """
for target in (os.getppid(), 1, -1):
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try: os.kill(target, number)
        except OSError: pass
""",
        ("ok", "signal", "timeout"), timeout=4,
    ),
    Attack("stopped-itself", (8,), "A stopped script still meets its timeout", "os.kill(os.getpid(), signal.SIGSTOP)",
           ("timeout",), timeout=2),
    Attack(
        "death-signal-cleared", (9,), "A child that cleared its death signal and left the session is gone",
        """
if os.fork() == 0:
    libc.prctl(1, 0, 0, 0, 0)
    os.setsid()
    time.sleep(60)
    os._exit(0)
""",
    ),
    Attack(
        "pipes-kept-open", (10,), "A child that keeps the output open does not hold the run up",
        """
if os.fork() == 0:
    time.sleep(60)
""",
        judge=_prompt,
    ),
    Attack(
        "processor-hog", (16,), "Spinning on every processor stays within the share of one",
        """
for _ in range(8):
    if os.fork() == 0: break
end = time.monotonic() + 3
while time.monotonic() < end: pass
""",
        judge=_processor_bound,
    ),
    Attack(
        "slow-drip", (25,), "A byte a second does not keep a run alive",
        """
while True:
    sys.stdout.write("."); sys.stdout.flush(); time.sleep(1)
""",
        ("timeout",), timeout=3,
    ),
    Attack("segfault", (59,), "A segmentation fault is reported as what it is", "ctypes.string_at(0)",
           ("signal",), _signal(signal.SIGSEGV)),
    Attack("abort", (59,), "An abort is reported as what it is", "os.abort()", ("signal",), _signal(signal.SIGABRT)),
    Attack(
        "stack-overflow", (59,), "A stack overflow in C is reported as what it is",
        """
import threading
sys.setrecursionlimit(10**9)
def deeper(depth): return sorted([depth, depth + 1], key=lambda value: deeper(value))
deeper(0)
""",
        ("signal", "out_of_memory", "exit"),
    ),
    Attack(
        "file-size-signal", (59,), "A file over the limit is reported as the disk limit",
        """
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
with open("big", "wb") as file:
    while True: file.write(bytes(1 << 20))
""",
        ("disk_limit",),
    ),
    Attack(
        "clock", (62,), "Sleeping for ages, another time zone or a false clock do not stretch the time",
        """
os.environ["TZ"] = "Pacific/Kiritimati"; time.tzset()
os.environ["LD_PRELOAD"] = "/workspace/faketime.so"
for number, moment in ((227, (ctypes.c_long * 2)(0, 0)), (164, (ctypes.c_long * 2)(0, 0))):
    if call(number, 0, moment) != -1: breach("clock set")
time.sleep(1e9)
""",
        ("timeout",), timeout=2, x86_64_only=True,
    ),
]  # fmt: skip
