"""The script's process: waits, locked down, for its script and runs it as `__main__`. Standard library only.

It was forked from the warm worker before the worker learned the key of its seals, so nothing in its memory lets it
speak for the worker.
"""

from __future__ import annotations

import errno
import gc
import json
import mmap
import os
import resource
import signal
import sys
import threading
import traceback
import types
from typing import Any, NoReturn

from . import figures, kernel

WORKSPACE = "/workspace"
_WRITABLE = (WORKSPACE, "/tmp", "/dev/shm", "/dev/null", "/dev/zero", "/dev/full", "/dev/tty")  # noqa: S108

# What the script's process remarks about its own end, in one byte of memory shared with the worker. A remark only
# chooses between the names of a failure; it can never turn one into a success.
NO_REMARK = 0
MEMORY_REMARK = 1
DISK_REMARK = 2
PROCESS_REMARK = 3


def serve(control: int, stdout: int, stderr: int, remark: mmap.mmap) -> NoReturn:
    """Take over this freshly forked process; never returns."""
    try:
        _settle(stdout, stderr, control)
        job = _read_job(control)
        os.close(control)
        _bound(job)
        kernel.confine(_WRITABLE)
    except BaseException:
        traceback.print_exc()
        os._exit(70)
    _run(job, remark)


def _settle(stdout: int, stderr: int, control: int) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.closerange(3, control)
    os.closerange(control + 1, 4096)
    kernel.set_dumpable(True)
    with open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123
        score.write("1000")
    os.nice(5)  # However many processes the script starts, the one that watches it gets its turn.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def _read_job(control: int) -> dict[str, Any]:
    parts = []
    while part := os.read(control, 65536):
        parts.append(part)
    if not parts:
        os._exit(0)  # The worker ended without a job.
    job: dict[str, Any] = json.loads(b"".join(parts))
    return job


def _bound(job: dict[str, Any]) -> None:
    limits = job["limits"]
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_MEMLOCK: 65536,
    }
    if job["bound_by_rlimits"]:
        bounds[resource.RLIMIT_AS] = limits["memory_bytes"]
        bounds[resource.RLIMIT_NPROC] = limits["processes"]
    for which, value in bounds.items():
        _, hard = resource.getrlimit(which)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (bound, bound))


def _run(job: dict[str, Any], remark: mmap.mmap) -> NoReturn:
    path = f"{WORKSPACE}/{job['script_name']}"
    os.chdir(WORKSPACE)
    sys.argv = [path, *job["args"]]
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__  # type: ignore[attr-defined, unused-ignore]
    sys.modules["__main__"] = module
    figures.install()
    gc.unfreeze()
    code = 1
    try:
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123
            source = file.read()
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the very purpose
        code = 0
    except SystemExit as leaving:
        code = _exit_code(leaving)
    except BaseException as failure:
        _remark_on(failure, remark)
        _print(failure)
    code = _finish(code, remark)
    os._exit(code)


def _exit_code(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def _print(failure: BaseException) -> None:
    """Print the traceback as `python script.py` would: without the frames of this program."""
    trace = failure.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") != "__main__":
        trace = trace.tb_next
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(failure), failure, trace)
    else:
        traceback.print_exception(type(failure), failure, trace)


def _remark_on(failure: BaseException, remark: mmap.mmap) -> None:
    if isinstance(failure, MemoryError):
        remark[0] = MEMORY_REMARK
    elif isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        remark[0] = DISK_REMARK
    elif _is_refusal(failure):
        remark[0] = PROCESS_REMARK


def _is_refusal(failure: BaseException) -> bool:
    """Whether the kernel refused to make one more process or thread."""
    if isinstance(failure, BlockingIOError):
        return failure.errno == errno.EAGAIN
    return isinstance(failure, RuntimeError) and str(failure) == "can't start new thread"


def _finish(code: int, remark: mmap.mmap) -> int:
    """What an interpreter does at its end: wait for threads, call exit functions, flush; and keep open figures."""
    import atexit

    steps = (figures.capture, threading._shutdown, atexit._run_exitfuncs, _flush)  # type: ignore[attr-defined, unused-ignore]
    for step in steps:
        try:
            step()
        except SystemExit as leaving:
            code = _exit_code(leaving)
        except BaseException as failure:
            code = code or 1
            _remark_on(failure, remark)
            _print(failure)
    return code


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
