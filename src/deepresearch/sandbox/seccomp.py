"""The sandbox's seccomp filter in its two forms: a container engine's JSON and a program for the kernel.

Both come from `deepresearch.sandbox.seccomp_rules`, so that every back end enforces the same. `docker_profile`
gives the JSON; `bpf_program` compiles the classic BPF that `bwrap --seccomp FD` loads, without libseccomp.
Foreign call conventions (i386 and x32 on x86_64, 32-bit ARM on aarch64) end the process in both: the JSON lists
one architecture without its smaller sisters, which makes the engine's filter kill them.
"""

from __future__ import annotations

import hashlib
import json
import platform
import struct
from functools import cache
from typing import Any

from deepresearch.model.errors import SandboxUnavailable
from deepresearch.sandbox.seccomp_rules import (
    ALLOWED,
    CONDITIONAL,
    DENIED,
    DENIED_WITH,
    INT,
    UNKNOWN,
    WHOLE,
    Condition,
)
from deepresearch.sandbox.syscall_numbers import LAST_KNOWN_NUMBER, SYSCALL_NUMBERS

# Column in SYSCALL_NUMBERS, AUDIT_ARCH_… value, name in a container engine's profile.
_FAMILIES = {
    "x86_64": (0, 0xC000_003E, "SCMP_ARCH_X86_64"),
    "aarch64": (1, 0xC000_00B7, "SCMP_ARCH_AARCH64"),
}
_OTHER_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}
#: Set in the number of every x32 call.
_X32_BIT = 0x4000_0000

# Classic BPF, `linux/bpf_common.h`: load a word at an offset, jump, return.
_LOAD, _AND, _JUMP, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x54, 0x05, 0x15, 0x35, 0x06
# Verdicts, `linux/seccomp.h`.
ALLOW = 0x7FFF_0000
KILL_PROCESS = 0x8000_0000
ERRNO = 0x0005_0000

# `struct seccomp_data`: number, architecture, instruction pointer, six 64-bit arguments (both families little endian).
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

_Code = list[tuple[int, int, int, int]]


def machine_family(machine: str | None = None) -> str:
    """The processor family ("x86_64" or "aarch64") of `machine`, by default of this machine.

    Raises `SandboxUnavailable` for any other.
    """
    name = (machine or platform.machine()).lower()
    family = _OTHER_NAMES.get(name, name)
    if family not in _FAMILIES:
        known = " and ".join(_FAMILIES)
        raise SandboxUnavailable(f"The sandbox has no system call filter for {name} processors, only for {known}.")
    return family


@cache
def bpf_program(machine: str | None = None) -> bytes:
    """The filter as an array of `struct sock_filter`, for this machine unless another is named.

    Raises `SandboxUnavailable` for a processor family without a table.
    """
    family = machine_family(machine)
    _, architecture, _ = _FAMILIES[family]
    code: _Code = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if family == "x86_64":
        # Minus one is what a tracer leaves behind for "skip this call", not an x32 number.
        code += [
            (_JUMP_EQUAL, 2, 0, 0xFFFF_FFFF),
            (_JUMP_AT_LEAST, 0, 1, _X32_BIT),
            (_RETURN, 0, 0, KILL_PROCESS),
        ]
    code += _search(_ranges(family))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def docker_profile() -> dict[str, Any]:
    """The filter as a container engine's seccomp profile (the format of the `--security-opt seccomp=` file)."""
    rules: list[dict[str, Any]] = [{"names": sorted(ALLOWED), "action": "SCMP_ACT_ALLOW", "args": []}]
    for name, number in sorted(DENIED_WITH.items()):
        rules.append(_json_rule(name, "SCMP_ACT_ERRNO", errno=number))
    for name, condition in sorted(CONDITIONAL.items()):
        rules += _json_condition(name, condition)
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": DENIED,
        "archMap": [{"architecture": scmp_name, "subArchitectures": []} for _, _, scmp_name in _FAMILIES.values()],
        "syscalls": rules,
    }


@cache
def docker_profile_json() -> str:
    """`docker_profile` as the one JSON text whose hash is `profile_hash`."""
    return json.dumps(docker_profile(), sort_keys=True, separators=(",", ":"))


@cache
def profile_hash() -> str:
    """SHA-256 of the rules in hexadecimal, the same for both forms; reported as what was in force."""
    return hashlib.sha256(docker_profile_json().encode()).hexdigest()


# ---- the program ----------------------------------------------------------------------------------------------


def _ranges(family: str) -> list[tuple[int, _Code]]:
    """First number and code of each stretch of call numbers that are answered alike, ascending from 0."""
    column = _FAMILIES[family][0]
    answers: dict[int, _Code] = {}
    for name, numbers in SYSCALL_NUMBERS.items():
        number = numbers[column]
        if number is not None:
            answers[number] = _answer(name)
    ranges: list[tuple[int, _Code]] = []
    for number in range(LAST_KNOWN_NUMBER + 1):
        code = answers.get(number, [(_RETURN, 0, 0, ERRNO | DENIED)])
        if not ranges or ranges[-1][1] != code:
            ranges.append((number, code))
    ranges.append((LAST_KNOWN_NUMBER + 1, [(_RETURN, 0, 0, ERRNO | UNKNOWN)]))
    return ranges


def _answer(name: str) -> _Code:
    if name in DENIED_WITH:
        return [(_RETURN, 0, 0, ERRNO | DENIED_WITH[name])]
    condition = CONDITIONAL.get(name)
    return [(_RETURN, 0, 0, ALLOW)] if condition is None else _check(condition)


def _search(ranges: list[tuple[int, _Code]]) -> _Code:
    """Binary search for the stretch a number lies in. Far jumps go through a `_JUMP`, which reaches any distance."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    lower, upper = _search(ranges[:middle]), _search(ranges[middle:])
    return [(_JUMP_AT_LEAST, 0, 1, ranges[middle][0]), (_JUMP, 0, 0, len(lower)), *lower, *upper]


def _check(condition: Condition) -> _Code:
    listed, other = ALLOW, ERRNO | condition.errno
    if not condition.accept:
        listed, other = other, listed
    code: _Code = []
    for value in condition.values:
        code += _compare(condition.index, condition.mask, value, listed)
    return [*code, (_RETURN, 0, 0, other)]


def _compare(index: int, mask: int, value: int, verdict: int) -> _Code:
    """Return `verdict` when the masked argument is `value`, else go on behind this code."""
    code: _Code = [(_RETURN, 0, 0, verdict)]
    for half in (1, 0):
        part = (mask >> 32 * half) & INT
        if part:
            wanted = (value >> 32 * half) & INT
            offset = _ARGUMENTS_AT + 8 * index + 4 * half
            masking: _Code = [] if part == INT else [(_AND, 0, 0, part)]
            code = [(_LOAD, 0, 0, offset), *masking, (_JUMP_EQUAL, 0, len(code), wanted), *code]
    return code


# ---- the JSON -------------------------------------------------------------------------------------------------


def _json_rule(name: str, action: str, errno: int | None = None, **arg: Any) -> dict[str, Any]:
    rule: dict[str, Any] = {"names": [name], "action": action, "args": [arg] if arg else []}
    if errno is not None:
        rule["errnoRet"] = errno
    return rule


def _json_condition(name: str, condition: Condition) -> list[dict[str, Any]]:
    """Rules that together say what `condition` says. Several rules for one call mean "any of them"."""
    index, mask = condition.index, condition.mask
    if condition.accept:
        alternatives = [(mask, value) for value in condition.values]
    else:
        alternatives = everything_but(condition.values, mask)
    rules = [
        _json_rule(name, "SCMP_ACT_ALLOW", index=index, value=bits, valueTwo=value, op="SCMP_CMP_MASKED_EQ")
        if bits != WHOLE
        else _json_rule(name, "SCMP_ACT_ALLOW", index=index, value=value, valueTwo=0, op="SCMP_CMP_EQ")
        for bits, value in alternatives
    ]
    if condition.errno != DENIED:
        if not condition.accept or len(condition.values) != 1 or mask != WHOLE:
            raise ValueError(f"{name}: an errno of its own needs exactly one accepted whole value")
        rules.append(
            _json_rule(
                name,
                "SCMP_ACT_ERRNO",
                errno=condition.errno,
                index=index,
                value=condition.values[0],
                valueTwo=0,
                op="SCMP_CMP_NE",
            )
        )
    return rules


def everything_but(values: tuple[int, ...], mask: int) -> list[tuple[int, int]]:
    """Masked comparisons ``(bits, value)`` of which at least one holds exactly for what is not in `values`.

    An engine's filter can compare an argument for inequality only as a whole, upper half included, which a caller
    evades by setting a bit the kernel does not read. So each alternative fixes some bits in a way none of
    `values` has them: first single bits, in which all values agree, then, below the highest bit where they
    differ, each half by itself.
    """
    agreed = mask
    for value in values:
        agreed &= ~(value ^ values[0])
    bits = [1 << place for place in range(mask.bit_length()) if agreed >> place & 1]
    alternatives = [(bit, ~values[0] & bit) for bit in bits]
    undecided = mask & ~agreed
    if undecided:
        highest = 1 << (undecided.bit_length() - 1)
        for half in (0, highest):
            inside = tuple(value for value in values if value & highest == half)
            alternatives += [
                (bits | highest, value | half) for bits, value in everything_but(inside, undecided & ~highest)
            ]
    return alternatives
