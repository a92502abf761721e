"""Ways to run a script, each timed from the call to the result in hand."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from deepresearch.sandbox import PoolOptions, ProfileName, Sandbox, SandboxRequest, SandboxResult, Status
from deepresearch.sandbox.runtime.build import Runtimes
from deepresearch.settings import Settings

#: Runs a script once; the seconds it took.
Way = Callable[[str], Awaitable[float]]


async def _time(command: list[str], script: str, folder: str, environment: dict[str, str]) -> float:
    """Feed a script to a command on its standard input."""
    begin = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment,
    )
    _, error = await process.communicate(script.encode())
    taken = time.perf_counter() - begin
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {error.decode(errors='replace')[-400:]}")
    return taken


def plain(settings: Settings) -> Way:
    """`python script.py` with the runtime's libraries and a warm font cache, without any sandbox."""
    runtime = Runtimes(settings.home / "sandbox/bubblewrap").find()
    if runtime is None:
        raise RuntimeError("Build the bubblewrap runtime first.")
    python = str(runtime.folder / "venv/bin/python")
    folder = tempfile.mkdtemp()
    environment = {
        "PATH": os.environ["PATH"],
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": f"{folder}/mpl",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    async def run(script: str) -> float:
        path = Path(folder) / "script.py"
        path.write_text(script)
        return await _time([python, str(path)], "", folder, environment)

    return run


def docker_by_hand(settings: Settings) -> Way:
    """`docker run` of the image with a few ordinary restrictions and a warm font cache."""
    command = [settings.docker_bin, "run", "--rm", "-i", "--network", "none", "--cap-drop", "ALL", "--workdir", "/tmp"]
    command += ["--env", "MPLCONFIGDIR=/tmp/mpl", "--env", "OPENBLAS_NUM_THREADS=1", "--entrypoint", "sh"]
    command += [settings.sandbox_image, "-c", "cp -r /opt/sandbox/cache/matplotlib /tmp/mpl && exec python -"]

    async def run(script: str) -> float:
        return await _time(command, script, "/", dict(os.environ))

    return run


class Timed:
    """A sandbox that is timed; `results` keeps what came back."""

    def __init__(self, sandbox: Sandbox, profile: ProfileName, warm: bool) -> None:
        self._sandbox = sandbox
        self._profile = profile
        self._warm = warm
        self.results: list[SandboxResult] = []

    async def filled(self) -> None:
        """Wait until the pool is full."""
        if self._warm and self._sandbox.pool is not None:
            await self._sandbox.pool.wait_warm(self._profile)

    async def __call__(self, script: str) -> float:
        """Run once; a warm way first waits, untimed, for a worker."""
        await self.filled()
        begin = time.perf_counter()
        result = await self._sandbox.run(SandboxRequest(script=script, profile=self._profile, timeout=120))
        taken = time.perf_counter() - begin
        if result.status is not Status.SUCCESS:
            raise RuntimeError(f"{result.reason}: {result.message} {result.stderr[-400:]}")
        self.results.append(result)
        return taken


@asynccontextmanager
async def sandboxed(
    settings: Settings, backend: str, warm: bool, profile: ProfileName = ProfileName.PLAIN
) -> AsyncIterator[Timed]:
    """`Sandbox.run` on a back end, every worker warm or every start cold."""
    options = PoolOptions(warm={profile: 1} if warm else {})
    async with Sandbox.open(settings, backend=backend, pool=options, recorder=lambda *_: None) as sandbox:
        yield Timed(sandbox, profile, warm)


@asynccontextmanager
async def other_library(python: str, image: str, pooled: bool) -> AsyncIterator[Way]:
    """The PyPI library llm-sandbox in its own environment, driven line by line."""
    driver = Path(__file__).with_name("llm_sandbox_driver.py")
    process = await asyncio.create_subprocess_exec(
        python,
        str(driver),
        image,
        "pool" if pooled else "session",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("no pipes")

    async def run(script: str) -> float:
        stdin.write((repr(script) + "\n").encode())
        await stdin.drain()
        return float(await stdout.readline())

    try:
        await stdout.readline()
        yield run
    finally:
        stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 60)
