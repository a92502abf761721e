"""The production back end: one container per worker, through the API of a local, remote or rootless Docker engine."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from deepresearch.model.errors import SandboxError, SandboxUnavailable
from deepresearch.sandbox import docker_config, owners
from deepresearch.sandbox.backend import Backend, Leftovers, RuntimeEntry, WorkerProcess
from deepresearch.sandbox.contract import Limits, ProfileName
from deepresearch.sandbox.docker_client import absence_is_fine, answered, connect
from deepresearch.sandbox.docker_worker import AttachedStream, DockerWorker
from deepresearch.sandbox.owners import Owner
from deepresearch.sandbox.seccomp import profile_hash

_Answer = TypeVar("_Answer")

#: A container older than this is ended by whoever sweeps next, from any machine; workers are replaced well before.
_LIFE_SECONDS = 24 * 3600.0
_RESERVE_SECONDS = 2 * 3600.0
_THREADS = 32

#: Oldest versions without a known way out of a container, and what the older ones are open to.
_FLOORS = (
    ("runc", (1, 2, 8), "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881 (masked paths and /proc writes)"),
    (
        "Engine",
        (29, 5, 1),
        "CVE-2026-31431 (page cache writes through AF_ALG) and CVE-2026-41567 (archives unpacked as root)",
    ),
)


class DockerBackend(Backend):
    """Starts workers in containers of one image.

    `runtime` is another OCI runtime than the engine's default, such as ``runsc``; `security` are further security
    options, such as ``apparmor=NAME``.
    """

    name = "docker"

    def __init__(self, image: str, runtime: str = "", security: tuple[str, ...] = ()) -> None:
        self.image = image
        self._runtime = runtime
        self._security = security
        self._owner = owners.this_process()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sandbox-docker")
        self._connected: Any = None
        self._facts: dict[str, Any] = {}
        self._image_id = ""

    async def check(self) -> None:
        """Raise `SandboxUnavailable` without an engine that can keep the promises, or without the image."""
        await self._call(self._check)

    def _check(self) -> None:
        client = self._client()
        with answered("say what it is"):
            self._facts = client.info()
        missing = [what for what, there in self._abilities().items() if not there]
        if missing:
            raise SandboxUnavailable(
                f"The Docker engine cannot bound {' and '.join(missing)} here, so nothing untrusted is run on it. "
                "Enable the control groups (for a rootless engine: delegate them), or choose the backend bubblewrap."
            )
        if self._runtime and self._runtime not in (self._facts.get("Runtimes") or {}):
            raise SandboxUnavailable(
                f"The Docker engine has no runtime {self._runtime!r}; install it, or leave it out of the settings."
            )
        self._image_id = self._find_image(client)

    def _abilities(self) -> Mapping[str, bool]:
        security = " ".join(self._facts.get("SecurityOptions") or ())
        return {
            "memory": bool(self._facts.get("MemoryLimit")),
            "processes": bool(self._facts.get("PidsLimit")),
            "system calls": "seccomp" in security,
        }

    def _find_image(self, client: Any) -> str:
        from docker.errors import ImageNotFound

        with answered("look for the image"):
            try:
                return str(client.inspect_image(self.image)["Id"])
            except ImageNotFound:
                pass
        raise SandboxUnavailable(
            f"The docker sandbox has no image {self.image}. Build it with `docker build -t {self.image} "
            "-f containers/python-sandbox/Dockerfile .` in the project's folder."
        )

    async def start(self, profile: ProfileName, limits: Limits, *, warm: bool = True) -> WorkerProcess:
        """Create, attach to and start a container; the engine sets every limit before its first instruction."""
        if not self._image_id:
            await self.check()
        name = owners.new_name()
        loop = asyncio.get_running_loop()
        starting = loop.run_in_executor(self._threads, partial(self._start, name, profile, limits, warm, loop))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be stopped: wait for what it makes, and end that.
            worker = (await asyncio.gather(starting, return_exceptions=True))[0]
            if isinstance(worker, DockerWorker):
                await worker.kill()
            raise

    def _start(
        self, name: str, profile: ProfileName, limits: Limits, warm: bool, loop: asyncio.AbstractEventLoop
    ) -> DockerWorker:
        client = self._client()
        expires = time.time() + _LIFE_SECONDS
        labels = {
            docker_config.LABEL: "1",
            docker_config.OWNER_LABEL: self._owner.label,
            docker_config.HOST_LABEL: _host(),
            docker_config.DEADLINE_LABEL: str(int(expires)),
        }
        body = docker_config.container(
            self._image_id, profile, limits, labels, warm=warm, runtime=self._runtime, security=self._security
        )
        from docker.errors import ImageNotFound

        with answered("create a container"):
            try:
                made = client.create_container_from_config(body, f"deepresearch-sandbox-{name}")
            except ImageNotFound:
                self._image_id = ""
                raise
        worker = DockerWorker(
            client,
            self._threads,
            made["Id"],
            name,
            profile,
            limits,
            self._enforcement(limits),
            expires - _RESERVE_SECONDS,
        )
        try:
            with answered("start a container"):
                streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                worker.attach(AttachedStream(client.attach_socket(made["Id"], params=streams), loop))
                client.start(made["Id"])
                if self._is_local():
                    worker.watch(int(client.inspect_container(made["Id"])["State"]["Pid"]))
        except BaseException:
            worker.remove()
            raise
        return worker

    def _enforcement(self, limits: Limits) -> dict[str, Any]:
        bounds: dict[str, int | float] = {
            "memory_bytes": limits.memory_bytes,
            "processes": limits.processes,
            "workspace_bytes": limits.workspace_bytes,
            "temporary_bytes": limits.temporary_bytes,
            "shared_memory_bytes": limits.shared_memory_bytes,
            "files": limits.files,
            "file_bytes": limits.file_bytes,
            "open_files": limits.open_files,
        }
        if self._facts.get("CpuCfsQuota"):
            bounds["cpus"] = limits.cpus
        return {
            "backend": self.name,
            "runtime": self._image_id,
            "engine": self._facts.get("ServerVersion"),
            "oci_runtime": self._runtime or self._facts.get("DefaultRuntime"),
            "isolation": "container: read-only root, no capabilities, no new privileges, private pid, ipc, net, "
            "uts, cgroup and mount namespaces",
            "network": "none",
            "seccomp": profile_hash(),
            "security": list(self._security),
            "cgroup": f"v{self._facts.get('CgroupVersion') or 1}",
            "memory_counted": "together",
            "swap": "none" if self._facts.get("SwapLimit") else "not bounded",
            "limits": bounds,
        }

    async def reap(self) -> Leftovers:
        """Remove the containers of dead programs of this machine, and those of any machine past their deadline."""
        try:
            return Leftovers(workers=tuple(await self._call(self._reap)))
        except SandboxUnavailable:
            return Leftovers()

    def _reap(self) -> list[str]:
        client = self._client()
        with answered("list its containers"):
            found = client.containers(all=True, filters={"label": docker_config.LABEL})
        removed = []
        for entry in found:
            if _is_left_behind(entry.get("Labels") or {}):
                with absence_is_fine():
                    client.remove_container(entry["Id"], v=True, force=True)
                removed.append(entry["Names"][0].lstrip("/") if entry.get("Names") else entry["Id"])
        return removed

    async def runtimes(self) -> list[RuntimeEntry]:
        """The sandbox images this engine holds; none without an engine."""
        try:
            return await self._call(self._images)
        except SandboxUnavailable:
            return []

    def _images(self) -> list[RuntimeEntry]:
        client = self._client()
        with answered("list its images"):
            found = client.images(filters={"label": docker_config.IMAGE_LABEL})
        entries = []
        for image in sorted(found, key=lambda one: int(one["Created"]), reverse=True):
            tags = [tag for tag in image.get("RepoTags") or () if tag != "<none>:<none>"]
            for tag in tags or [image["Id"]]:
                entries.append(
                    RuntimeEntry(
                        name=tag,
                        identity=str(image["Id"]).removeprefix("sha256:")[:12],
                        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(image["Created"]))),
                        size_bytes=int(image["Size"]),
                        current=tag == _with_tag(self.image),
                    )
                )
        return entries

    async def remove_runtimes(self) -> list[RuntimeEntry]:
        """Remove the sandbox images and tags that are neither current nor used by a container."""
        return await self._call(self._remove_images)

    def _remove_images(self) -> list[RuntimeEntry]:
        from docker.errors import APIError, NotFound

        client, removed = self._client(), []
        for entry in self._images():
            if entry.current:
                continue
            with answered("remove an image"):
                try:
                    client.remove_image(entry.name)
                except NotFound:
                    continue
                except APIError as refused:
                    if refused.status_code == 409:  # in use
                        continue
                    raise
            removed.append(entry)
        return removed

    async def warnings(self) -> list[str]:
        """What is weaker here than it could be."""
        return await self._call(self._warnings)

    def _warnings(self) -> list[str]:
        client = self._client()
        with answered("tell its versions"):
            told = client.version()
            facts = client.info()
        versions = {part.get("Name", ""): part.get("Version", "") for part in told.get("Components") or ()}
        versions.setdefault("Engine", told.get("Version", ""))
        found = []
        for part, floor, weakness in _FLOORS:
            version = versions.get(part, "")
            if version and _numbers(version) < floor:
                found.append(
                    f"{part} {version} is older than {'.'.join(map(str, floor))}, which mends {weakness}. "
                    "Update it, unless your distribution has back-ported the fixes."
                )
        if not facts.get("SwapLimit"):
            found.append(
                "The engine cannot bound swap here, so a run may use swap beside its memory. "
                "Boot with swapaccount=1, or turn swap off."
            )
        if not facts.get("CpuCfsQuota"):
            found.append("The engine cannot bound processor time here, so one run can slow down the others.")
        if "name=userns" not in " ".join(facts.get("SecurityOptions") or ()) and "rootless" not in str(facts):
            found.append(
                "The engine runs as root without a user namespace: user 65532 in a container is user 65532 outside. "
                "A rootless engine or `userns-remap` adds a wall."
            )
        return found

    async def close(self) -> None:
        """Give back the connections."""
        if self._connected is not None:
            self._connected.close()
            self._connected = None
        self._threads.shutdown(wait=False)

    def _client(self) -> Any:
        if self._connected is None:
            self._connected = connect()
        return self._connected

    def _is_local(self) -> bool:
        return str(getattr(self._client(), "base_url", "")).startswith("http+docker://localhost")

    async def _call(self, work: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _is_left_behind(labels: Mapping[str, str]) -> bool:
    deadline = labels.get(docker_config.DEADLINE_LABEL, "")
    if deadline.isdigit() and time.time() > int(deadline):
        return True
    # An engine may serve several machines; only this one's processes can be looked at.
    owner = Owner.from_label(labels.get(docker_config.OWNER_LABEL, ""))
    return owner is not None and labels.get(docker_config.HOST_LABEL) == _host() and owner.is_dead()


def _host() -> str:
    """What tells this machine from others that use the same engine."""
    for file in ("/etc/machine-id", "/var/lib/dbus/machine-id", "/proc/sys/kernel/random/boot_id"):
        try:
            text = Path(file).read_text().strip()
        except OSError:
            continue
        if text:
            return hashlib.sha256(text.encode()).hexdigest()[:16]
    raise SandboxError("This machine has no identity: neither /etc/machine-id nor a boot id can be read.")


def _with_tag(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


def _numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version such as 20.10.24+dfsg1 or 1.1.5~ds1."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()
