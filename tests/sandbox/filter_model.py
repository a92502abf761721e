"""Two readers of the sandbox's filter, written from the kernel's and libseccomp's descriptions, for comparison."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

KILL = 0x8000_0000
ALLOW = 0x7FFF_0000
ERRNO = 0x0005_0000


def run_bpf(program: bytes, number: int, architecture: int, arguments: Sequence[int]) -> int:
    """The verdict of a classic BPF seccomp program, instruction by instruction."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *arguments)
    code = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, 0
    while True:
        operation, when_true, when_false, value = code[at]
        at += 1
        if operation == 0x20:
            assert value % 4 == 0
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x05:
            at += value
        elif operation == 0x15:
            at += when_true if accumulator == value else when_false
        elif operation == 0x35:
            at += when_true if accumulator >= value else when_false
        elif operation == 0x06:
            return int(value)
        else:
            raise AssertionError(f"the kernel's seccomp knows no instruction {operation:#x}")


def _holds(arg: Mapping[str, Any], arguments: Sequence[int]) -> bool:
    given = arguments[arg["index"]]
    if arg["op"] == "SCMP_CMP_MASKED_EQ":
        return bool(given & arg["value"] == arg["valueTwo"])
    if arg["op"] == "SCMP_CMP_EQ":
        return bool(given == arg["value"])
    assert arg["op"] == "SCMP_CMP_NE"
    return bool(given != arg["value"])


def run_json(profile: Mapping[str, Any], name: str | None, arguments: Sequence[int]) -> int:
    """The verdict of an engine's profile on a call of this name: the rules that match must agree."""
    verdicts = set()
    for rule in profile["syscalls"]:
        if name in rule["names"] and all(_holds(arg, arguments) for arg in rule["args"]):
            if rule["action"] == "SCMP_ACT_ALLOW":
                verdicts.add(ALLOW)
            else:
                assert rule["action"] == "SCMP_ACT_ERRNO"
                verdicts.add(ERRNO | rule["errnoRet"])
    assert len(verdicts) <= 1, f"{name} is answered in two ways"
    return verdicts.pop() if verdicts else ERRNO | profile["defaultErrnoRet"]
