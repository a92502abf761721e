"""Attacks on disk, descriptors and the output streams (17 to 26)."""

from __future__ import annotations

from tests.sandbox.attacks.model import SMALL, Attack, Outcome


def _few(outcome: Outcome) -> None:
    assert len(outcome.result.outputs) <= SMALL.outputs
    assert sum(output.size for output in outcome.result.outputs) <= SMALL.outputs_bytes


def _no_giant(outcome: Outcome) -> None:
    assert all(output.size <= SMALL.output_bytes for output in outcome.result.outputs)
    assert outcome.memory_grown < 256 * 1024 * 1024


def _rejects_sparse(outcome: Outcome) -> None:
    _no_giant(outcome)
    assert "sparse.bin" in outcome.rejected()


def _consistent(outcome: Outcome) -> None:
    _no_giant(outcome)
    for output in outcome.result.outputs:
        assert output.size == len(output.content)


def _streams_bounded(outcome: Outcome) -> None:
    kept = SMALL.stream_kept_bytes * 4
    assert len(outcome.result.stdout) <= kept
    assert len(outcome.result.stderr) <= kept
    assert outcome.memory_grown < 256 * 1024 * 1024
    assert outcome.result.truncated


def _bytes_survive(outcome: Outcome) -> None:
    outcome.result.stdout.encode("utf-8")
    assert outcome.result.model_dump_json()


ATTACKS = [
    Attack(
        "one-huge-file", (17,), "One huge file stops at its cap",
        """
for number in range(1000):
    with open(f"fill{number}", "wb", buffering=0) as file:
        for _ in range(40): file.write(b"x" * (1 << 20))
""",
        ("disk_limit",), _few,
    ),
    Attack(
        "fill-tmp", (17,), "Filling /tmp stops at its cap",
        """
with open("/tmp/fill", "wb", buffering=0) as file:
    while True: file.write(b"x" * (1 << 20))
""",
        ("disk_limit",),
    ),
    Attack(
        "million-files", (18,), "A million empty files meet the limit of files, and are gone at once",
        """
for number in range(1_000_000):
    os.close(os.open(f"/tmp/f{number}" if number % 2 else f"f{number}", os.O_CREAT | os.O_WRONLY))
""",
        ("disk_limit", "out_of_memory"), _few,
    ),
    Attack(
        "deep-tree", (19,), "A tree a hundred thousand folders deep, closed to everybody, is walked and removed",
        """
try:
    for number in range(100_000):
        os.mkdir("d"); os.chdir("d")
except OSError as full:
    print(full)
os.chdir("/workspace"); os.mkdir("closed") if not os.path.exists("closed") and number < 1900 else None
for name in ("d", "closed"):
    try: os.chmod(name, 0)
    except OSError: pass
""",
        ("ok", "disk_limit", "output_limit"), _few,
    ),
    Attack(
        "sparse-terabyte", (20,), "A sparse file of a terabyte cannot be made, one over the cap is not read",
        """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
refused("terabyte", os.truncate, os.open("/tmp/t", os.O_CREAT | os.O_RDWR), 1 << 40)
with open("sparse.bin", "wb") as file: file.truncate(45 * 1024 * 1024)
""",
        ("output_limit",), _rejects_sparse,
    ),
    Attack(
        "growing-file", (21,), "A file that grows while it is collected comes out whole or not at all",
        """
with open("grows.bin", "wb") as file: file.write(b"x" * 1000)
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                with open("grows.bin", "ab") as file: file.write(b"y" * 1000)
            except OSError: pass
time.sleep(0.2)
""",
        ("ok", "output_limit", "disk_limit"), _consistent,
    ),
    Attack(
        "hundred-thousand-outputs", (22,), "A hundred thousand outputs are capped, and the result says so",
        """
for number in range(100_000):
    try:
        with open(f"out{number:06}.txt", "w") as file: file.write("x")
    except OSError: break
""",
        ("output_limit", "disk_limit"), _few,
    ),
    Attack(
        "stdout-flood", (23,), "Ten gigabytes on both streams: head and tail are kept, the rest is dropped",
        """
block = b"x" * (1 << 16)
for _ in range(10 * 1024 * 16):
    os.write(1, block); os.write(2, block)
""",
        ("output_limit",), _streams_bounded,
    ),
    Attack(
        "endless-line", (24,), "A line without end is bounded like any other output",
        """
for _ in range(1024): os.write(1, b"x" * (1 << 20))
""",
        ("output_limit",), _streams_bounded,
    ),
    Attack(
        "broken-text", (24,), "Invalid UTF-8, NUL and terminal escapes arrive as text that can be stored",
        r"""
os.write(1, b"\xff\xfe\x00\x80\xed\xa0\x80\x1b]0;owned\x07\x1b[2J\xf0\x9f\x9a")
os.write(2, bytes(range(256)))
""",
        judge=_bytes_survive,
    ),
    Attack(
        "descriptors", (26,), "Running out of descriptors stays inside",
        """
held = []
try:
    while True: held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as full:
    assert full.errno in (errno.EMFILE, errno.ENFILE), full
if len(held) > 1024: breach("descriptors", len(held))
for descriptor in held: os.close(descriptor)
""",
    ),
]  # fmt: skip
