"""What a worker's container is made of: everything the docker back end promises, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deepresearch.sandbox.contract import Limits, ProfileName
from deepresearch.sandbox.seccomp import docker_profile_json

USER = "65532:65532"
PYTHON = "/opt/sandbox/venv/bin/python"
WORKER = "/opt/sandbox/worker"
CACHE = "/opt/sandbox/cache"

LABEL = "dr.sandbox"
OWNER_LABEL = "dr.owner"
HOST_LABEL = "dr.host"
DEADLINE_LABEL = "dr.deadline"
IMAGE_LABEL = "dr.sandbox.image"

_PERIOD = 100_000
#: The engine's own list of 2026 and a little more, so that older engines hide as much as current ones.
_MASKED = (
    "/dev/mqueue",
    "/proc/acpi",
    "/proc/asound",
    "/proc/bus",
    "/proc/interrupts",
    "/proc/kallsyms",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/kernel",
)
_READ_ONLY = ("/proc/fs", "/proc/irq", "/proc/sys")


def container(
    image: str,
    profile: ProfileName,
    limits: Limits,
    labels: Mapping[str, str],
    *,
    warm: bool,
    runtime: str = "",
    security: Sequence[str] = (),
) -> dict[str, Any]:
    """The body of the engine's request to create a container (API 1.41 and later).

    `runtime` is another OCI runtime, such as ``runsc``; `security` are further security options of the operator
    (an AppArmor or SELinux profile). Never holds a volume, a bind mount, a device or a variable of the host.
    """
    command = ["--profile", profile.value, "--cache", CACHE]
    if not warm:
        command.append("--cold")
    return {
        "Image": image,
        "User": USER,
        "Hostname": "sandbox",
        "Entrypoint": [PYTHON, "-I", "-B", WORKER],
        "Cmd": command,
        "WorkingDir": "/workspace",
        "Env": [],
        "Labels": dict(labels),
        "OpenStdin": True,
        # When the program that attached is gone, its worker reads the end of its input and leaves.
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": False,
        "NetworkDisabled": True,
        "StopTimeout": 0,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": _host_config(limits, runtime, security),
    }


def _host_config(limits: Limits, runtime: str, security: Sequence[str]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={docker_profile_json()}", *security],
        "Privileged": False,
        "ReadonlyRootfs": True,
        "Tmpfs": {
            "/tmp": memory_disk(limits.temporary_bytes, limits.files),  # noqa: S108 - inside the container
            "/workspace": memory_disk(limits.workspace_bytes, limits.files),
            "/dev/shm": memory_disk(limits.shared_memory_bytes, limits.files),  # noqa: S108
        },
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "PidMode": "",
        "UTSMode": "",
        "UsernsMode": "",
        "MaskedPaths": list(_MASKED),
        "ReadonlyPaths": list(_READ_ONLY),
        "PidsLimit": limits.processes,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "CpuPeriod": _PERIOD,
        "CpuQuota": int(limits.cpus * _PERIOD),
        "OomScoreAdj": 500,
        "Ulimits": [
            _ulimit("nofile", limits.open_files),
            _ulimit("core", 0),
            _ulimit("fsize", limits.file_bytes),
            _ulimit("memlock", 65536),
        ],
        "Init": True,
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": False,
        "Binds": [],
        "Devices": [],
        "VolumesFrom": [],
    }
    if runtime:
        config["Runtime"] = runtime
    return config


def memory_disk(size: int, files: int) -> str:
    """Options of a tmpfs bounded in bytes and in files, for the worker's user alone, from which nothing is executed."""
    return f"rw,noexec,nosuid,nodev,size={size},nr_inodes={files},uid=65532,gid=65532,mode=0700"


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}
