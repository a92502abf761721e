"""Which system calls the sandbox may make: the one source of both seccomp forms.

An allow-list, grouped by purpose. What is not named is denied with EPERM; that covers, on purpose: `ptrace`,
`process_vm_*`, `kcmp`, `pidfd_getfd`, the `keyctl` family, `io_uring_*` and the older `io_*`, `bpf`,
`perf_event_open`, `userfaultfd`, `unshare`, `setns`, every mount call, `chroot`, `open_by_handle_at`,
`name_to_handle_at`, `mknod`, the System V and POSIX message calls (they outlive a run), `modify_ldt`, `splice`,
`tee` and `vmsplice` (the way into the page cache in several kernel holes), modules, clocks, quotas, swap, reboot.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

FILES = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock
    fremovexattr fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr
    inotify_add_watch inotify_init inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr
    llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat newfstatat open openat openat2 pread64 preadv
    preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv removexattr rename renameat
    renameat2 rmdir sendfile setxattr stat statfs statx symlink symlinkat sync sync_file_range syncfs truncate
    umask unlink unlinkat utime utimensat utimes write writev cachestat
"""

MEMORY = """
    brk madvise map_shadow_stack membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal
    msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
"""

PROCESSES = """
    arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv
    futex_wake get_robust_list getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority
    getrandom getresgid getresuid getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill
    landlock_add_rule landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64
    restart_syscall rseq sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield seccomp set_robust_list set_tid_address setfsgid setfsuid setgid setgroups
    setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sysinfo tgkill times tkill
    uname vfork wait4 waitid
"""

SIGNALS = """
    alarm pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_tgsigqueueinfo sigaltstack signalfd signalfd4
"""

CLOCKS = """
    clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep setitimer time timer_create
    timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime
"""

WAITING = """
    epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 pipe pipe2 poll
    ppoll pselect6 select
"""

#: What is done with a socket. Which sockets there can be is decided at `socket` and `socketpair`.
SOCKETS = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
    sendmsg sendto setsockopt shutdown
"""

ALLOWED: frozenset[str] = frozenset(" ".join((FILES, MEMORY, PROCESSES, SIGNALS, CLOCKS, WAITING, SOCKETS)).split())

WHOLE = 0xFFFF_FFFF_FFFF_FFFF
#: The kernel reads only these bits of an argument that is a C int. Comparing more would let a caller pass
#: by setting a bit that the kernel then ignores.
INT = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Condition:
    """What one argument of a call has to be: ``argument[index] & mask`` is (or is not) one of `values`.

    `accept` says which: True allows exactly the listed values, False everything but them. Calls that do not pass
    are answered with `errno`.
    """

    index: int
    mask: int
    values: tuple[int, ...]
    accept: bool
    errno: int = errno.EPERM

    def passes(self, argument: int) -> bool:
        """Whether a call with this argument is allowed."""
        return (argument & self.mask in self.values) is self.accept


# Any CLONE_NEW… bit of `clone`: mount, cgroup, uts, ipc, user, pid and network namespaces.
_NEW_NAMESPACES = 0x7E02_0000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_AF_UNIX = 1

CONDITIONAL: dict[str, Condition] = {
    "clone": Condition(0, _NEW_NAMESPACES, (0,), accept=True),
    "socket": Condition(0, WHOLE, (_AF_UNIX,), accept=True, errno=errno.EAFNOSUPPORT),
    "socketpair": Condition(0, WHOLE, (_AF_UNIX,), accept=True, errno=errno.EAFNOSUPPORT),
    # Pushing characters into a terminal's input: the oldest way out of a sandbox that shares one.
    "ioctl": Condition(1, INT, (_TIOCSTI, _TIOCLINUX), accept=False),
    # Linux and 32-bit-address Linux, each with or without UNAME26, and asking. Not ADDR_NO_RANDOMIZE.
    "personality": Condition(0, WHOLE, (0x0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF), accept=True),
}

#: Denied with an answer of their own. The C library turns to `clone`, whose flags a filter can read, when
#: `clone3` does not exist.
DENIED_WITH: dict[str, int] = {"clone3": errno.ENOSYS}

DENIED = errno.EPERM
UNKNOWN = errno.ENOSYS
