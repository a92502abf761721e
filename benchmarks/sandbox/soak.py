"""Many runs, several at once, while the program that runs them is killed at random; then looks for what is left.

    python -m benchmarks.sandbox.soak [--runs 500] [--at-once 8] [--backend bubblewrap] [--home FOLDER]

Exit code 1 when a process, a control group, a mount, a record or an unfinished folder stayed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

from deepresearch.sandbox import PoolOptions, ProfileName, Sandbox, SandboxRequest
from deepresearch.sandbox.owners import Owner
from deepresearch.settings import Settings

_SCRIPTS = (
    "print(1)",
    "import subprocess; subprocess.run(['sleep', '0.2'])",
    "import os, time\nif os.fork() == 0: os.setsid(); time.sleep(600)",
    "open('a.txt', 'w').write('x' * 100000)",
    "import time; time.sleep(0.5)",
    "while True: pass",
)


async def work(settings: Settings, backend: str, marker: str, at_once: int) -> None:
    """Run scripts for ever, printing a dot for each that ended; meant to be killed."""
    options = PoolOptions(warm={ProfileName.PLAIN: 2}, concurrency=at_once)
    async with Sandbox.open(settings, backend=backend, pool=options, recorder=lambda *_: None) as sandbox:

        async def caller() -> None:
            while True:
                script = f"import os; os.environ['MARK'] = '{marker}'\n{random.choice(_SCRIPTS)}"
                result = await sandbox.run(SandboxRequest(script=script, timeout=1.0))
                print("." if result.reason != "unavailable" else f"! {result.message}", flush=True)

        await asyncio.gather(*(caller() for _ in range(at_once)))


def torment(options: argparse.Namespace) -> tuple[int, int]:
    """Start, let work, kill, until enough runs have ended. Returns runs and kills."""
    command = [sys.executable, "-m", "benchmarks.sandbox.soak", "--work", options.marker]
    command += ["--backend", options.backend, "--at-once", str(options.at_once), "--home", str(options.home)]
    runs = kills = 0
    while runs < options.runs:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            end = time.monotonic() + random.uniform(0.2, 8.0)
            stdout = program.stdout
            if stdout is None:
                raise RuntimeError("no pipe")
            os.set_blocking(stdout.fileno(), False)
            while time.monotonic() < end and program.poll() is None:
                for line in stdout:
                    if line.startswith("!"):
                        print(line.strip(), flush=True)
                    runs += line.startswith(".")
                time.sleep(0.02)
            program.send_signal(signal.SIGKILL)
            kills += 1
        print(f"{runs} runs, {kills} kills", flush=True)
    return runs, kills


async def leftovers(settings: Settings, backend: str, marker: str, mounts: set[str]) -> list[str]:
    """What is still there after one more program has opened and closed the sandbox."""
    async with Sandbox.open(settings, backend=backend, pool=PoolOptions(warm={}), recorder=lambda *_: None):
        pass
    found = [f"process {pid}" for pid in _processes(marker)]
    home = settings.home / "sandbox"
    groups = Path("/sys/fs/cgroup").glob("**/deepresearch-sandbox/*/")
    found += [f"group {path}" for path in groups if _ownerless(path.name.rpartition("-")[0])]
    found += [f"record {path}" for path in (home / "owners").glob("*") if _ownerless(path.stem)]
    places = list(home.iterdir()) if home.is_dir() else []
    found += [f"folder {path}" for place in places for path in place.glob(".*")]
    if backend == "docker":
        listed = [settings.docker_bin, "ps", "-aq", "--filter", "label=dr.sandbox"]
        done = await asyncio.create_subprocess_exec(*listed, stdout=asyncio.subprocess.PIPE)
        output, _ = await done.communicate()
        found += [f"container {name}" for name in output.decode().split()]
    return found + [f"mount {line}" for line in _mounts(settings) - mounts]


def _mounts(settings: Settings) -> set[str]:
    """Mounts of this machine that have to do with the sandbox of this data folder."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {line for line in lines if str(settings.home) in line or " /mnt" in line}


def _ownerless(label: str) -> bool:
    """Whether nobody living owns this: other programs may use the sandbox at the same time."""
    owner = Owner.from_label(label)
    return owner is None or owner.is_dead()


def _processes(marker: str) -> list[int]:
    """The killed program itself, what its scripts started with the marker, and workers whose program is gone."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                command = (folder / "cmdline").read_bytes()
                told = command + (folder / "environ").read_bytes()
            except OSError:
                continue
            if marker.encode() in told or (_is_worker(command) and _is_orphan(int(folder.name))):
                found.append(int(folder.name))
    return found


def _is_worker(command: bytes) -> bool:
    return b"deepresearch_worker" in command


def _is_orphan(pid: int) -> bool:
    """Whether no ancestor but the first process of the machine is anything else than a part of a worker."""
    while pid > 1:
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        if not _is_worker(command):
            return False
        pid = int(fields[1])
    return True


def main() -> int:
    """Run the torment, or be its victim."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--backend", default="bubblewrap")
    parser.add_argument("--home", type=Path, default=Settings().home)
    parser.add_argument("--work", metavar="MARKER")
    options = parser.parse_args()
    settings = Settings(home=options.home)
    if options.work:
        asyncio.run(work(settings, options.backend, options.work, options.at_once))
        return 0
    options.marker = secrets.token_hex(16)
    mounts = _mounts(settings)
    runs, kills = torment(options)
    time.sleep(1)
    found = asyncio.run(leftovers(settings, options.backend, options.marker, mounts))
    print(f"{runs} runs, {kills} kills, left behind: {found or 'nothing'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
