"""The worker: gets ready, takes one script, watches it run, hands out what it made, and ends.

    python -I -B FOLDER --profile plain [--cache FOLDER] [--rlimits] [--cold]

FOLDER is this package, wherever it lies. It speaks frames on its standard input and output and is started inside the
sandbox, already locked down. Standard library only besides the libraries it imports for the script.
"""

from __future__ import annotations

import argparse
import gc
import json
import mmap
import os
import sys
from typing import Any

from . import browser, frames, kernel, script, warm
from .channel import Channel, HostGone
from .collect import Collector, Stamp, stamp
from .supervise import Supervisor

WORKSPACE = "/workspace"
_REMARKS = {script.MEMORY_REMARK: "memory", script.DISK_REMARK: "disk", script.PROCESS_REMARK: "processes"}


def main() -> None:
    """Live through one run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--profile", default="plain")
    parser.add_argument("--cache")
    parser.add_argument("--rlimits", action="store_true")
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    os.umask(0o022)
    channel = _take_channel()
    kernel.set_dumpable(False)
    warm.settle(options.cache)
    imported = [] if options.cold else warm.warm_up()
    if options.profile == "mermaid" and not options.cold:
        browser.open_page()
    gc.collect()
    gc.freeze()
    child, control, stdout, stderr, remark = _fork_script(warm_up=not options.cold)
    try:
        hello = {
            "protocol": frames.PROTOCOL_VERSION,
            "python": sys.version.split()[0],
            "profile": options.profile,
            "imports": imported,
            "landlock": kernel.landlock_version(),
        }
        channel.send_json(frames.READY, hello)
        job = _take_job(channel)
        job["bound_by_rlimits"] = options.rlimits
        inputs = _lay_out(channel, job)
        # First said, then done: a worker that vanished without this word has certainly run nothing.
        channel.send(frames.STARTED)
        _hand_over(control, job)
        supervisor = Supervisor(channel, child, stdout, stderr, job)
        ending = supervisor.run()
        supervisor.finish_streams()
        if remark[0] in _REMARKS:
            ending.hints.append(_REMARKS[remark[0]])
        found = Collector(
            WORKSPACE,
            job["limits"],
            job["expects"],
            inputs,
            lambda path, size: channel.send_json(frames.OUTPUT, {"path": path, "size": size}),
            lambda data: channel.send(frames.DATA, data),
            lambda path, reason: channel.send_json(frames.REJECTED, {"path": path, "reason": reason}),
        ).run()
        ending.over = found.over
        channel.send_json(frames.END, vars(ending))
        # The host ends this process; until then the last frame must stay readable.
        channel.receive()
    except HostGone:
        pass
    os._exit(0)


def _take_channel() -> Channel:
    """Move the protocol away from the standard descriptors, so that no library can write into it."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return Channel(incoming, outgoing)


def _fork_script(*, warm_up: bool) -> tuple[int, int, int, int, mmap.mmap]:
    """Fork the script's process ahead of time: it waits on the control pipe and shares one page of memory.

    With `warm_up` it draws once more on its own side of the fork, so that the pages a drawing writes to are its own
    before a script waits for them; this returns when that is done.
    """
    remark = mmap.mmap(-1, mmap.PAGESIZE)
    control_read, control_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    warmed_read, warmed_write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        if warm_up:
            warm.draw_once()
        script.serve(control_read, out_write, err_write, remark)
    for descriptor in (control_read, out_write, err_write, warmed_write):
        os.close(descriptor)
    os.read(warmed_read, 1)  # Nothing comes but the end, when the child has closed what it does not need.
    os.close(warmed_read)
    return child, control_write, out_read, err_read, remark


def _take_job(channel: Channel) -> dict[str, Any]:
    """Answer pings until a job comes."""
    while True:
        kind, payload = channel.receive()
        if kind == frames.KEY:
            channel.use_key(payload)
        elif kind == frames.PING:
            channel.send(frames.PONG)
        elif kind == frames.JOB:
            job: dict[str, Any] = json.loads(payload)
            return job


def _lay_out(channel: Channel, job: dict[str, Any]) -> dict[str, Stamp]:
    """Write the script and the input files as they come; returns how each looked when done."""
    target: int | None = None
    paths: dict[str, str] = {}

    def begin(path: str) -> int:
        full = f"{WORKSPACE}/{path}"
        os.makedirs(os.path.dirname(full), mode=0o755, exist_ok=True)  # noqa: PTH103, PTH120
        paths[path] = full
        return os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)

    target = begin(job["script_name"])
    while True:
        kind, payload = channel.receive()
        if kind == frames.GO:
            break
        if kind == frames.FILE:
            os.close(target)
            target = begin(json.loads(payload)["path"])
        elif kind in (frames.SCRIPT, frames.DATA):
            view = memoryview(payload)
            while view:
                view = view[os.write(target, view) :]
    os.close(target)
    return {path: stamp(os.stat(full)) for path, full in paths.items()}  # noqa: PTH116


def _hand_over(control: int, job: dict[str, Any]) -> None:
    data = memoryview(json.dumps(job).encode())
    try:
        while data:
            data = data[os.write(control, data) :]
    except BrokenPipeError:
        pass  # It is gone already; how it ended is seen next.
    os.close(control)
