"""What is special about the docker back end: what its containers are made of, whose they are, and its refusals."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.conftest import MUST_RUN

from deepresearch.model.errors import SandboxUnavailable
from deepresearch.sandbox import Limits, PoolOptions, ProfileName, Sandbox, SandboxRequest, Status, docker_config
from deepresearch.sandbox.backends import choose
from deepresearch.sandbox.contract import MEBIBYTE
from deepresearch.sandbox.docker import DockerBackend
from deepresearch.sandbox.docker_client import connect
from deepresearch.sandbox.docker_worker import DockerWorker
from deepresearch.sandbox.owners import this_process
from deepresearch.settings import Settings

LIMITS = Limits(memory_bytes=256 * MEBIBYTE, processes=40, cpus=0.5, workspace_bytes=8 * MEBIBYTE, files=100)


@pytest.fixture
async def backend() -> AsyncIterator[DockerBackend]:
    (made,) = choose("docker", Settings())
    assert isinstance(made, DockerBackend)
    try:
        await made.check()
    except SandboxUnavailable as missing:
        await made.close()
        if MUST_RUN:
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    yield made
    await made.close()


@pytest.fixture
def engine() -> Iterator[Any]:
    client = connect()
    yield client
    client.close()


async def test_a_container_is_what_is_promised(backend: DockerBackend, engine: Any) -> None:
    worker = await backend.start(ProfileName.PLAIN, LIMITS, warm=False)
    assert isinstance(worker, DockerWorker)
    try:
        told = engine.inspect_container(worker.container)
        host, config = told["HostConfig"], told["Config"]
        assert host["NetworkMode"] == "none"
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["ReadonlyRootfs"] is True
        assert host["Privileged"] is False
        assert not host["Binds"]
        assert not told["Mounts"]
        assert host["IpcMode"] == "private"
        assert host["CgroupnsMode"] == "private"
        assert host["PidsLimit"] == 40
        assert host["Memory"] == host["MemorySwap"] == 256 * MEBIBYTE
        assert host["CpuQuota"] == 50_000
        assert host["LogConfig"]["Type"] == "none"
        assert host["Init"] is True
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
        assert any(option.startswith("seccomp={") for option in host["SecurityOpt"])
        assert set(host["Tmpfs"]) == {"/tmp", "/workspace", "/dev/shm"}
        assert all("nr_inodes=100" in options for options in host["Tmpfs"].values())
        assert config["User"] == "65532:65532"
        assert config["Labels"][docker_config.OWNER_LABEL] == this_process().label
        assert not [entry for entry in config["Env"] if "DEEPRESEARCH" in entry or "PROXY" in entry.upper()]
    finally:
        await worker.kill()
    assert not engine.containers(all=True, filters={"name": worker.name})


async def test_killing_twice_and_at_once_is_fine(backend: DockerBackend, engine: Any) -> None:
    worker = await backend.start(ProfileName.PLAIN, LIMITS, warm=False)
    await asyncio.gather(worker.kill(), worker.kill())
    await worker.kill()
    assert not worker.alive()
    with pytest.raises(ConnectionError):
        await worker.write(b"x")
    assert not engine.containers(all=True, filters={"name": worker.name})


async def test_a_cancelled_start_leaves_nothing(backend: DockerBackend, engine: Any) -> None:
    before = {entry["Id"] for entry in engine.containers(all=True)}
    for pause in (0.0, 0.02, 0.1, 0.3):
        start = asyncio.create_task(backend.start(ProfileName.PLAIN, LIMITS, warm=False))
        await asyncio.sleep(pause)
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await (await start).kill()
    mine = {e["Id"] for e in engine.containers(all=True) if this_process().label in str(e.get("Labels"))}
    assert not mine - before


async def test_only_what_is_dead_or_late_is_reaped(backend: DockerBackend, engine: Any) -> None:
    owner = this_process()
    dead = f"{owner.boot}-{owner.namespace:x}-{2**22 + 5}-{owner.started}"
    foreign = f"deadbeef-{owner.namespace:x}-1-1"
    (here,) = {e["Labels"][docker_config.HOST_LABEL] for e in [await _labels(backend, engine)]}
    soon, past = str(int(time.time()) + 3600), str(int(time.time()) - 1)
    made = {
        "dead": _create(engine, backend.image, dead, here, soon),
        "foreign": _create(engine, backend.image, foreign, "another-machine", soon),
        "late": _create(engine, backend.image, foreign, "another-machine", past),
        "living": _create(engine, backend.image, owner.label, here, soon),
    }
    try:
        left = await backend.reap()
        there = {e["Id"] for e in engine.containers(all=True)}
        assert {name for name, container in made.items() if container in there} == {"foreign", "living"}
        assert len(left.workers) >= 2
    finally:
        for container in made.values():
            with contextlib.suppress(Exception):
                engine.remove_container(container, force=True)


async def _labels(backend: DockerBackend, engine: Any) -> Any:
    worker = await backend.start(ProfileName.PLAIN, LIMITS, warm=False)
    assert isinstance(worker, DockerWorker)
    try:
        return engine.inspect_container(worker.container)["Config"]
    finally:
        await worker.kill()


def _create(engine: Any, image: str, owner: str, host: str, deadline: str) -> str:
    labels = {
        docker_config.LABEL: "1",
        docker_config.OWNER_LABEL: owner,
        docker_config.HOST_LABEL: host,
        docker_config.DEADLINE_LABEL: deadline,
    }
    made = engine.create_container(image, name=f"reap-test-{secrets.token_hex(4)}", labels=labels)
    return str(made["Id"])


async def test_images_are_listed(backend: DockerBackend) -> None:
    entries = await backend.runtimes()
    (current,) = [entry for entry in entries if entry.current]
    assert current.name == backend.image
    assert current.size_bytes > 100 * MEBIBYTE


async def test_a_missing_image_is_told_with_the_command_that_builds_it() -> None:
    missing = DockerBackend("deepresearch-no-such-image:none")
    try:
        with pytest.raises(SandboxUnavailable, match=r"docker build -t deepresearch-no-such-image:none"):
            await missing.check()
    finally:
        await missing.close()


async def test_an_unknown_runtime_is_told(backend: DockerBackend) -> None:
    other = DockerBackend(backend.image, runtime="no-such-runtime")
    try:
        with pytest.raises(SandboxUnavailable, match="no-such-runtime"):
            await other.check()
    finally:
        await other.close()


async def test_no_engine_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    absent = DockerBackend("deepresearch-python-sandbox:latest")
    try:
        with pytest.raises(SandboxUnavailable, match="DOCKER_HOST"):
            await absent.check()
        assert await absent.runtimes() == []
        assert not await absent.reap()
    finally:
        await absent.close()


class Relay:
    """A TCP port that leads to the engine's socket: to the client, an engine on another machine."""

    def __enter__(self) -> str:
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return f"tcp://127.0.0.1:{self._server.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._server.accept()[0]
                far = socket.socket(socket.AF_UNIX)
                far.connect("/var/run/docker.sock")
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.mark.skipif(not Path("/var/run/docker.sock").exists(), reason="no engine at /var/run/docker.sock")
async def test_an_engine_on_another_machine_works(backend: DockerBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    with Relay() as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        async with Sandbox.open(Settings(), backend="docker", pool=PoolOptions(warm={})) as sandbox:
            script = "import sys; open('o.txt', 'w').write(open('i.txt').read()); print('x' * 500_000); sys.exit(0)"
            files = {"i.txt": b"over tcp" * 10}
            result = await sandbox.run(SandboxRequest(script=script, files=files, timeout=30))
            hungry = "held = [bytes(1 << 23) for _ in iter(int, 1)]"
            starved = await sandbox.run(SandboxRequest(script=hungry, limits=LIMITS, timeout=30))
    assert result.status is Status.SUCCESS, result.message
    assert result.output("o.txt").content == files["i.txt"]
    assert len(result.stdout) == 500_001
    assert starved.reason.value == "out_of_memory"


async def test_old_versions_are_warned_about_with_their_holes(backend: DockerBackend, engine: Any) -> None:
    told = engine.version()["Version"]
    warnings = await backend.warnings()
    if int(told.split(".")[0]) < 29:
        assert any("CVE-2026-31431" in warning and told in warning for warning in warnings)
