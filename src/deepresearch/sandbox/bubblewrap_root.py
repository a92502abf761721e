"""The file tree a bubblewrap worker sees: read-only binds of exactly what its runtime needs, and sized memory disks."""

from __future__ import annotations

from pathlib import Path

from deepresearch.sandbox.contract import Limits
from deepresearch.sandbox.runtime.build import INSIDE, Interpreter, Runtime

RUNTIME = INSIDE
PROGRAM = "/opt/deepresearch_worker"

#: What shared libraries, Graphviz and fonts need of the host.
_HOST_FOLDERS = (
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/share/fonts",
    "/usr/share/fontconfig",
    "/usr/share/graphviz",
    "/usr/share/zoneinfo",
    "/usr/share/mime",
    "/etc/fonts",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/var/cache/fontconfig",
)
#: What container engines hide of /proc as well: it tells of the host, not of the sandbox.
_MASKED_FILES = (
    "/proc/keys",
    "/proc/key-users",
    "/proc/kcore",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/kallsyms",
)
_MASKED_FOLDERS = ("/proc/acpi", "/proc/scsi", "/proc/asound")
_GRAPHVIZ = ("dot", "neato", "twopi", "circo", "fdp", "sfdp", "osage", "patchwork")
_LINKED_FOLDERS = ("/bin", "/lib", "/lib32", "/lib64", "/libx32")


def isolation(uid: int) -> list[str]:
    """Every namespace, failing closed: none of the options with which bubblewrap would go on without."""
    return [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup",
        "--disable-userns",
        "--assert-userns-disabled",
        "--uid",
        str(uid),
        "--gid",
        str(uid),
        "--hostname",
        "sandbox",
        "--new-session",
        "--die-with-parent",
        "--cap-drop",
        "ALL",
        "--clearenv",
    ]


class Root:
    """Collects the binds. Sources are numbered, so that another place can be put for each (see `launch.py`)."""

    def __init__(self, runtime: Runtime, program: Path) -> None:
        self.sources: list[str] = []
        self._binds: list[str] = []
        for folder in _HOST_FOLDERS:
            if Path(folder).exists():
                self._bind(folder, folder)
        self._bind_commands()
        for folder in _LINKED_FOLDERS:
            path = Path(folder)
            if path.is_symlink():
                self._binds += ["--symlink", str(path.readlink()), folder]
            elif path.is_dir():
                self._bind(folder, folder)
        prefix = Interpreter.current().prefix
        if prefix != Path("/usr"):
            self._bind(str(prefix), str(prefix))
        self._bind(str(runtime.folder), RUNTIME)
        self._bind(str(program), PROGRAM)
        for name in ("passwd", "group", "hosts", "nsswitch.conf"):
            self._bind(str(program / "etc" / name), f"/etc/{name}")

    def _bind_commands(self) -> None:
        """Graphviz' commands may be links out of /usr/bin, for instance into /usr/sbin."""
        targets = {(Path("/usr/bin") / name).resolve() for name in _GRAPHVIZ}
        for target in sorted(targets):
            if target.is_file() and not any(str(target).startswith(f"{folder}/") for folder in _HOST_FOLDERS):
                self._bind(str(target), str(target))

    def options(self, limits: Limits) -> list[str]:
        """The options of bubblewrap that assemble the tree, in order."""
        disks = (
            ("1777", limits.shared_memory_bytes, "/dev/shm"),  # noqa: S108 - inside the sandbox
            ("0700", limits.temporary_bytes, "/tmp"),  # noqa: S108
            ("0700", limits.workspace_bytes, "/workspace"),
        )
        options = [*self._binds, "--proc", "/proc", "--dev", "/dev"]
        for path in _MASKED_FILES:
            if Path(path).exists():
                options += ["--ro-bind", "/dev/null", path]
        for path in _MASKED_FOLDERS:
            if Path(path).is_dir():
                options += ["--tmpfs", path, "--remount-ro", path]
        for mode, size, place in disks:
            options += ["--perms", mode, "--size", str(size), "--tmpfs", place]
        # The root and /dev are memory disks as well, without a size: nothing may be written to them.
        options += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/workspace"]
        environment = {
            "PATH": f"{RUNTIME}/venv/bin:{RUNTIME}/bin:/usr/bin:/bin",
            "HOME": "/tmp/home",  # noqa: S108
            "LANG": "C.UTF-8",
            "USER": "sandbox",
        }
        for key, value in environment.items():
            options += ["--setenv", key, value]
        return options

    def filled(self, command: list[str]) -> list[str]:
        """The command with the sources themselves in their places."""
        places = {f"{{{number}}}": source for number, source in enumerate(self.sources)}
        return [places.get(part, part) for part in command]

    def _bind(self, source: str, target: str) -> None:
        self._binds += ["--ro-bind", f"{{{len(self.sources)}}}", target]
        self.sources.append(source)
