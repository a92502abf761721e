"""Opens a browser page with Mermaid loaded, where the runtime has a browser. Standard library only."""

from __future__ import annotations

import os
import subprocess
import time

from . import kernel

_SERVER = "/opt/sandbox/mermaid/warm.mjs"
#: The command `mmdc` looks for the page here.
SOCKET = "/tmp/.mermaid"  # noqa: S108 - inside the sandbox
_WRITABLE = ("/workspace", "/tmp", "/dev/shm", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty")  # noqa: S108
_PATIENCE = 30.0


def open_page() -> bool:
    """Start the browser and wait until its page is ready; False without a browser or when it does not come up.

    `mmdc` then starts one of its own, so a failure here only costs time.
    """
    if not os.path.exists(_SERVER):  # noqa: PTH110 - pathlib would slow a cold start
        return False
    server = subprocess.Popen(
        ["node", "--no-warnings", _SERVER, SOCKET],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/tmp",  # noqa: S108
        preexec_fn=_fence_in,  # noqa: PLW1509 - there are no threads yet
    )
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and server.poll() is None:
        if os.path.exists(SOCKET):  # noqa: PTH110
            return True
        time.sleep(0.01)
    server.kill()
    server.wait()
    return False


def _fence_in() -> None:
    """The same fence as around the script, and the same readiness to be ended when memory runs out."""
    kernel.set_dumpable(True)
    with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
        score.write("1000")
    kernel.confine(_WRITABLE)
