"""The script that `sandbox posture` runs inside: tries what must not work and prints what happened as JSON.

Sent as text; runs on the runtime's interpreter with the standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import socket
import sys


def main() -> None:
    """Print one JSON object, a fact per key."""
    status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())  # noqa: SIM115, PTH123
    facts = {
        "user": os.getuid(),
        "capabilities": [status[key].strip() for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
        "no_new_privileges": status["NoNewPrivs"].strip() == "1",
        "seccomp": status["Seccomp"].strip() == "2",
        "written": [path for path in _FORBIDDEN_FILES if _can_write(path)],
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),  # noqa: PTH208
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],  # noqa: PTH208
        "sockets": [name for name, family, kind in _SOCKETS if _can_open(family, kind)],
        "connected": _can_connect(int(sys.argv[1])),
        "calls": [name for name, call in _calls().items() if not _refused(call)],
        "environment": [key for key in os.environ if os.environ[key] == sys.argv[2]],
        "environments_read": _environments(sys.argv[2]),
        "watcher_signalled": _signals_watcher(),
        "watcher_opened": _opens_watcher(),
        "sizes": {path: _size(path) for path in ("/workspace", "/tmp", "/dev/shm")},  # noqa: S108
    }
    print(json.dumps(facts))


_FORBIDDEN_FILES = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/vm/drop_caches",
    "/proc/sysrq-trigger",
    "/sys/kernel/uevent_helper",
    "/etc/passwd",
    "/probe",
    "/usr/bin/probe",
    "/opt/probe",
    "/dev/probe",
    "/var/probe",
    os.__file__,
    json.__file__,
)

_SOCKETS = (
    ("internet", 2, socket.SOCK_STREAM),
    ("internet 6", 10, socket.SOCK_STREAM),
    ("raw", 2, socket.SOCK_RAW),
    ("netlink", 16, socket.SOCK_RAW),
    ("packet", 17, socket.SOCK_RAW),
    ("kernel crypto", 38, socket.SOCK_SEQPACKET),
    ("virtual machine", 40, socket.SOCK_STREAM),
)


def _calls() -> dict[str, tuple[object, ...]]:
    """System calls that must be refused, with harmless arguments."""
    if platform.machine() == "x86_64":
        return {
            "ptrace": (101, 16, 1),
            "unshare": (272, 0x10000000),
            "setns": (308, 0, 0),
            "mount": (165, 0, 0, 0, 0, 0),
            "pivot_root": (155, 0, 0),
            "bpf": (321, 0, 0, 0),
            "keyctl": (250, 0, -3),
            "io_uring_setup": (425, 1, 0),
            "userfaultfd": (323, 0),
            "perf_event_open": (298, 0, 0, -1, -1, 0),
            "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
            "shmget": (29, 0, 4096, 0o1600),
            "open_by_handle_at": (304, 0, 0, 0),
            "pidfd_getfd": (438, 0, 0, 0),
        }
    return {
        "ptrace": (117, 16, 1),
        "unshare": (97, 0x10000000),
        "setns": (268, 0, 0),
        "mount": (40, 0, 0, 0, 0, 0),
        "pivot_root": (41, 0, 0),
        "bpf": (280, 0, 0, 0),
        "keyctl": (219, 0, -3),
        "io_uring_setup": (425, 1, 0),
        "userfaultfd": (282, 0),
        "perf_event_open": (241, 0, 0, -1, -1, 0),
        "process_vm_readv": (270, 1, 0, 0, 0, 0, 0),
        "shmget": (194, 0, 4096, 0o1600),
        "open_by_handle_at": (265, 0, 0, 0),
        "pidfd_getfd": (438, 0, 0, 0),
    }


def _refused(call: tuple[object, ...]) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(*call) < 0 and ctypes.get_errno() in (1, 38)


def _can_write(path: str) -> bool:
    try:
        with open(path, "a"):  # noqa: PTH123
            return True
    except OSError:
        return False


def _can_open(family: int, kind: int) -> bool:
    try:
        socket.socket(family, kind).close()
    except OSError:
        return False
    return True


def _can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _environments(canary: str) -> int:
    """How many processes' environments could be read with the canary in them."""
    found = 0
    for name in os.listdir("/proc"):  # noqa: PTH208
        try:
            with open(f"/proc/{name}/environ", "rb") as file:  # noqa: PTH123
                found += canary.encode() in file.read()
        except OSError:
            pass
    return found


def _signals_watcher() -> bool:
    """Whether the process that watches this one can be sent a signal."""
    try:
        os.kill(os.getppid(), signal.SIGCONT)
    except OSError:
        return False
    return True


def _opens_watcher() -> bool:
    """Whether the process that watches this one can be looked into."""
    try:
        os.listdir(f"/proc/{os.getppid()}/fd")  # noqa: PTH208
    except OSError:
        return False
    return True


def _size(path: str) -> int:
    counts = os.statvfs(path)
    return counts.f_blocks * counts.f_frsize


if __name__ == "__main__":
    main()
