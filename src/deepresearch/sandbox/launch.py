"""Started as root for one worker: drops to a user nobody else is, then becomes bubblewrap.

Root mapped to another number inside a user namespace is still root to the kernel wherever only file permissions are
asked, for instance below /proc/sys. So the sandbox runs as a real unprivileged user. That user may not be able to reach
the folders that the sandbox is assembled from (below /root, say); hence they are first bound to a private place.

    python -I -S launch.py JSON     with {"uid", "stage", "sources": [folder, …], "program", "command": […]}

`program` is run under the name that the command begins with. In the command, "{0}", "{1}", … stand for the places of
the sources. Standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_DUMPABLE = 4


def main() -> None:
    """Never returns on success."""
    plan = json.loads(sys.argv[1])
    _check(_LIBC.unshare(_CLONE_NEWNS), "unshare")
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
    opened = [os.open(source, os.O_PATH) for source in plan["sources"]]
    stage = plan["stage"]
    _mount(b"tmpfs", stage.encode(), b"tmpfs", 0, b"mode=0755,size=64k")
    places = []
    for number, (source, descriptor) in enumerate(zip(plan["sources"], opened, strict=True)):
        place = f"{stage}/{number}"
        if os.path.isdir(source):  # noqa: PTH112
            os.mkdir(place)  # noqa: PTH102
        else:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(f"/proc/self/fd/{descriptor}".encode(), place.encode(), None, _MS_BIND | _MS_REC, None)
        os.close(descriptor)
        places.append(place)
    os.setgroups([])
    os.setresgid(plan["uid"], plan["uid"], plan["uid"])
    os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    _LIBC.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    command = [_fill(part, places) for part in plan["command"]]
    os.execv(plan["program"], command)  # noqa: S606


def _fill(part: str, places: list[str]) -> str:
    for number, place in enumerate(places):
        if part == f"{{{number}}}":
            return place
    return part


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None) -> None:
    _check(_LIBC.mount(source, target, kind, flags, data), f"mount {target.decode()}")


def _check(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
