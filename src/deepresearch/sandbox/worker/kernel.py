"""The few kernel calls that Python does not offer: prctl and Landlock. Standard library only."""

from __future__ import annotations

import ctypes
import os
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)

_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1

# linux/landlock.h
_WRITE_FILE = 1 << 1
_CHANGE_TREE = sum(1 << bit for bit in range(4, 13))  # remove and make of every kind
_REFER = 1 << 13  # version 2
_TRUNCATE = 1 << 14  # version 3
_TCP = 0b11  # version 4: bind and connect
_SCOPES = 0b11  # version 6: abstract sockets and signals


def set_dumpable(value: bool) -> None:
    """Whether other processes of this user may look into this one (its memory, its descriptors)."""
    _LIBC.prctl(_PR_SET_DUMPABLE, int(value), 0, 0, 0)


def landlock_version() -> int:
    """The Landlock version of the kernel; 0 without it."""
    return max(0, int(_LIBC.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)))


def confine(writable: tuple[str, ...]) -> int:
    """Fence this process and its children in: writes only below `writable`, no TCP, no signals to others.

    A second fence behind the mounts, the namespaces and seccomp. It keeps the script from stopping or opening the
    process that watches it, which has the same user. Returns the Landlock version used, 0 when the kernel has none.
    """
    version = landlock_version()
    if version == 0:
        return 0
    accesses = _WRITE_FILE | _CHANGE_TREE
    if version >= 2:
        accesses |= _REFER
    if version >= 3:
        accesses |= _TRUNCATE
    attributes = struct.pack("=QQQ", accesses, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = int(_LIBC.syscall(_CREATE_RULESET, attributes, size, 0))
    if ruleset < 0:
        return 0
    try:
        for path in writable:
            try:
                parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            is_folder = os.path.isdir(path)  # noqa: PTH112 - pathlib costs the script's process a tenth of its start
            granted = accesses if is_folder else accesses & (_WRITE_FILE | _TRUNCATE)
            rule = struct.pack("=Qi", granted, parent)
            _LIBC.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
            os.close(parent)
        _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if _LIBC.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            return 0
    finally:
        os.close(ruleset)
    return version
