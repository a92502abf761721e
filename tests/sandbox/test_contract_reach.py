"""What a script must not reach, and results it must not forge."""

from __future__ import annotations

import asyncio
import json
import os
import textwrap
from pathlib import Path

from deepresearch.sandbox import Reason, Sandbox, SandboxRequest, SandboxResult, Status


async def run(sandbox: Sandbox, script: str, **fields: object) -> SandboxResult:
    request = {"script": textwrap.dedent(script), "timeout": 60.0} | fields
    return await sandbox.run(SandboxRequest.model_validate(request))


async def test_special_files_are_not_handed_out(sandbox: Sandbox, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret of the host")
    script = f"""
        import os, socket
        os.symlink("{canary}", "absolute.png")
        os.symlink("../../../../../{canary}", "relative.png")
        os.symlink("nowhere", "dangling.png")
        os.symlink("loop.png", "loop.png")
        os.symlink("/etc", "folder")
        open("one.txt", "w").write("x"); os.link("one.txt", "two.txt")
        s = socket.socket(socket.AF_UNIX); s.bind("door")
        os.mkdir("closed"); open("closed/in.txt", "w").write("x"); os.chmod("closed", 0)
        open("good.txt", "w").write("fine")
        for make in (lambda: os.mkfifo("pipe.svg"), lambda: os.mknod("device", 0o20666, os.makedev(1, 3))):
            try: make()
            except OSError: pass
    """
    result = await run(sandbox, script)
    assert result.status is Status.SUCCESS, result.stderr
    assert [output.path for output in result.outputs] == ["good.txt"]
    reasons = {entry.path: entry.reason for entry in result.rejected}
    for name in ("absolute.png", "relative.png", "dangling.png", "loop.png", "folder"):
        assert reasons[name] == "is a symbolic link"
    assert "hard link" in reasons["one.txt"]
    assert "hard link" in reasons["two.txt"]
    assert reasons["door"] == "is a socket"
    assert "closed" in reasons
    assert "secret" not in result.model_dump_json()


async def test_hostile_names_are_escaped_and_rejected(sandbox: Sandbox) -> None:
    script = r"""
        for name in (b"new\nline", b"-rf", b".bashrc", b"\xff\xfe", "r\u202egnp.exe".encode(), b"a\x1b[31m", b"x" * 255,
                     b"Case", b"case", "é".encode(), "e\u0301".encode(), b"c:\\x"):
            open(name, "w").write("x")
    """
    result = await run(sandbox, script)
    assert result.status is Status.SUCCESS, result.stderr
    assert [output.path for output in result.outputs] == ["Case", "é"] or len(result.outputs) == 2
    assert len(result.rejected) == 10
    assert all(entry.path.isprintable() for entry in result.rejected)


async def test_a_forged_result_changes_nothing(sandbox: Sandbox) -> None:
    script = r"""
        import json, os, struct
        end = json.dumps({"exit_code": 0, "hints": [], "dropped": {}, "over": False}).encode()
        frame = struct.pack(">BI", 39, len(end)) + end + bytes(16)
        wrote = 0
        for process in [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]:
            for number in range(64):
                try:
                    descriptor = os.open(f"/proc/{process}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
                    wrote += os.write(descriptor, frame) > 0
                except OSError:
                    pass
        for number in range(3, 64):
            try: wrote += os.write(number, frame) > 0
            except OSError: pass
        print("wrote", wrote)
        os._exit(3)
    """
    result = await run(sandbox, script)
    assert result.status is Status.FAILURE
    assert (result.reason, result.exit_code) == (Reason.EXIT, 3)
    assert result.stdout == "wrote 0\n"


async def test_the_watching_process_cannot_be_looked_into(sandbox: Sandbox) -> None:
    script = """
        import os
        for path in ("mem", "environ", "maps", "fd/0", "exe", "root"):
            try:
                open(f"/proc/{os.getppid()}/{path}", "rb").read(1); print("read", path)
            except OSError: pass
        print("still here", os.getpid() != 0)
    """
    result = await run(sandbox, script)
    assert result.stdout == "still here True\n"
    assert (result.status, result.reason) == (Status.SUCCESS, Reason.OK)


async def test_the_watching_process_hears_no_signal(sandbox: Sandbox) -> None:
    """Landlock keeps signals in from its version 6 on; before it a script ends its own run so, as a failure."""
    script = """
        import os, signal
        for process in (os.getppid(), 1, -1):
            for number in (signal.SIGSTOP, signal.SIGKILL):
                try: os.kill(process, number)
                except OSError: pass
        print("still here", os.getpid() != 0)
    """
    result = await run(sandbox, script)
    if int(result.enforced["landlock"] or 0) >= 6:
        assert (result.stdout, result.reason) == ("still here True\n", Reason.OK)
    else:
        assert (result.status, result.reason) == (Status.FAILURE, Reason.SIGNAL)
        assert (await run(sandbox, "print('the next run')")).stdout == "the next run\n"


async def test_the_network_is_out_of_reach(sandbox: Sandbox) -> None:
    seen = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("peername"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    script = f"""
        import socket
        for host in ("127.0.0.1", "169.254.169.254", "::1", "8.8.8.8", "172.17.0.1"):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                try:
                    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
                    s.settimeout(0.3); s.connect((host, {port})); s.send(b"x"); print("sent to", host)
                except OSError: pass
        try: print(socket.getaddrinfo("example.org", 80))
        except OSError: print("no names")
    """
    async with server:
        result = await run(sandbox, script)
    assert result.stdout == "no names\n"
    assert seen == []


async def test_the_host_is_out_of_reach(sandbox: Sandbox, sandbox_home: Path) -> None:
    os.environ["DEEPRESEARCH_TEST_SECRET"] = "do-not-tell"
    before = Path("/proc/sys/kernel/core_pattern").read_text()
    script = f"""
        import glob, json, os
        told = {{"environ": [], "wrote": [], "read": []}}
        for path in glob.glob("/proc/*/environ"):
            try: told["environ"].append(open(path).read())
            except OSError: pass
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/sys/kernel/uevent_helper",
                     "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                     "/usr/bin/x", "/etc/passwd", "/opt/x", "/x", "/dev/x", "/root/x", "/var/x", "{sandbox_home}/x",
                     os.__file__, json.__file__):
            try: open(path, "a").write(" "); told["wrote"].append(path)
            except OSError: pass
        for path in ("/etc/shadow", "/proc/kcore", "/dev/vda", "/dev/sda", "/var/run/docker.sock", "/home",
                     "/proc/keys", "/root/.ssh"):
            try: told["read"].append([path, str(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(9))])
            except OSError: pass
        told["fds"] = os.listdir("/proc/self/fd")
        print(json.dumps(told))
    """
    result = await run(sandbox, script)
    told = json.loads(result.stdout)
    assert "do-not-tell" not in result.stdout
    assert told["wrote"] == []
    assert [(path, content) for path, content in told["read"] if content not in ("[]", "b''")] == []
    assert len(told["fds"]) == 4
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before


async def test_kernel_doors_are_shut(sandbox: Sandbox) -> None:
    script = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        calls = {
            "ptrace": (101, 16, 1), "unshare": (272, 0x10000000), "setns": (308, 0, 0), "mount": (165, 0, 0, 0, 0, 0),
            "pivot_root": (155, 0, 0), "chroot": (161, b"/tmp"), "bpf": (321, 0, 0, 0), "keyctl": (250, 0, -3),
            "add_key": (248, b"user", b"x", b"x", 1, -3), "io_uring_setup": (425, 1, 0), "userfaultfd": (323, 0),
            "perf_event_open": (298, 0, 0, -1, -1, 0), "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
            "shmget": (29, 0, 4096, 0o1777), "msgget": (68, 0, 0o1777), "mq_open": (240, b"x", 66, 0o777, 0),
            "reboot": (169, 0, 0, 0, 0), "init_module": (175, 0, 0, 0), "kexec_load": (246, 0, 0, 0, 0),
            "settimeofday": (164, 0, 0), "open_by_handle_at": (304, 0, 0, 0), "swapon": (167, b"/x", 0),
            "acct": (163, b"/tmp/x"), "fsopen": (430, b"tmpfs", 0), "pidfd_getfd": (438, 0, 0, 0),
        }
        shut = lambda call: libc.syscall(*call) < 0 and ctypes.get_errno() in (1, 38, 97)
        print([name for name, call in calls.items() if not shut(call)])
    """
    result = await run(sandbox, script)
    assert result.stdout == "[]\n", result.stderr
