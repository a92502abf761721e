"""Attacks by memory (11 to 15)."""

from __future__ import annotations

from tests.sandbox.attacks.model import SMALL, Attack, Outcome


def _bounded(outcome: Outcome) -> None:
    peak = outcome.result.usage.peak_memory_bytes
    assert peak is None or peak <= SMALL.memory_bytes * 1.05
    assert outcome.memory_grown < 256 * 1024 * 1024


ATTACKS = [
    Attack(
        "doubling", (11,), "A doubling buffer ends as out of memory",
        """
held = bytearray(b"x" * 1024)
while True: held = held + held
""",
        ("out_of_memory",), _bounded,
    ),
    Attack(
        "shared-memory", (12,), "Shared anonymous memory is counted",
        """
import mmap
held = []
while True:
    held.append(mmap.mmap(-1, 1 << 24)); held[-1].write(b"x" * (1 << 24))
""",
        ("out_of_memory",), _bounded,
    ),
    Attack(
        "memfd", (12,), "Memory behind a descriptor is counted",
        """
held = []
while True:
    held.append(os.memfd_create("x"))
    os.write(held[-1], b"x" * (1 << 24))
""",
        ("out_of_memory", "disk_limit"), _bounded,
    ),
    Attack(
        "dev-shm", (12,), "/dev/shm is bounded",
        """
with open("/dev/shm/x", "wb", buffering=0) as file:
    while file.write(b"x" * (1 << 20)): pass
""",
        ("disk_limit",), _bounded,
    ),
    Attack(
        "memory-of-many", (11, 12), "Many processes share one memory limit",
        """
for _ in range(16):
    if os.fork() == 0: break
held = []
while True: held.append(bytearray(b"x" * (1 << 22)))
""",
        ("out_of_memory", "signal"), _bounded,
    ),
    Attack(
        "left-behind-ipc", (13,), "No System V or POSIX queue or shared memory can be left behind",
        """
refused_calls({"shmget": (29, 4242, 1 << 20, 0o1666), "msgget": (68, 4242, 0o1666), "semget": (64, 4242, 1, 0o1666),
               "mq_open": (240, ctypes.c_char_p(b"left"), 0o102, 0o666, 0)})
""",
        x86_64_only=True,
    ),
    Attack(
        "page-tables", (14,), "Page tables of a sparse mapping are counted",
        """
import mmap
held = mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)
for place in range(0, 1 << 40, 1 << 21): held[place] = 1
""",
        ("out_of_memory", "exit"), _bounded,
    ),
    Attack(
        "swap", (15,), "Pushing pages out to swap gains nothing",
        """
import mmap
held = []
while True:
    held.append(mmap.mmap(-1, 1 << 24)); held[-1].write(os.urandom(1 << 20) * 16)
    try: held[-1].madvise(21)
    except (OSError, ValueError): pass
""",
        ("out_of_memory",), _bounded,
    ),
]  # fmt: skip
