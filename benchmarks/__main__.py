"""Runs everything that is measured, one after the other: `python -m benchmarks [--out FOLDER]`.

Takes the better part of an hour on a quiet machine. Sets of the public that are not on the machine are named and left
out; what another program is needed for (a Docker engine, Postgres) fails by itself and is told at the end.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

#: Module and its arguments; ``OUT`` stands for the folder of results.
_ALL = (
    ("benchmarks.evidence",),
    ("benchmarks.evidence.cast_reading",),
    ("benchmarks.tables",),
    ("benchmarks.retrieval",),
    ("benchmarks.retrieval.commands",),
    ("benchmarks.sandbox.latency", "--out", "OUT"),
    ("benchmarks.sandbox.throughput", "--out", "OUT"),
    ("benchmarks.sandbox.throughput", "--backend", "docker", "--out", "OUT"),
    ("benchmarks.sessions.cost",),
    ("benchmarks.sessions.kill_points", "100"),
    ("benchmarks.telemetry.overhead",),
    ("benchmarks.api.load", "--out", "OUT"),
)


def main() -> int:
    """Run all; the number of those that failed is the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder for what is written")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    failed = []
    for module, *arguments in _ALL:
        print(f"\n== {module} {' '.join(arguments)}", flush=True)
        given = [str(options.out) if argument == "OUT" else argument for argument in arguments]
        if subprocess.run([sys.executable, "-m", module, *given], check=False).returncode:
            failed.append(module)
    if failed:
        print("\nFailed: " + ", ".join(failed), file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
