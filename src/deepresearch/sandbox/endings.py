"""Names how a run ended, from what was counted outside the script."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from deepresearch.sandbox.backend import Evidence
from deepresearch.sandbox.contract import Reason, Status
from deepresearch.sandbox.recording import Recording


@dataclass(frozen=True, slots=True)
class Verdict:
    """Status and reason with a sentence for people."""

    status: Status
    reason: Reason
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None


def unavailable(message: str) -> Verdict:
    """The sandbox could not do its part; the script was not at fault."""
    return Verdict(Status.FAILURE, Reason.UNAVAILABLE, message)


def timed_out(timeout: float) -> Verdict:
    """The script was still running at the end of its time."""
    return Verdict(
        Status.TIMEOUT, Reason.TIMEOUT, f"The script was still running after its {timeout:g} seconds and was ended."
    )


def lost(evidence: Evidence) -> Verdict:
    """The worker vanished, or its channel was tampered with, after the script had started: the script did that."""
    if evidence.memory_kills:
        return _failure(Reason.OUT_OF_MEMORY, _MEMORY)
    return _failure(
        Reason.SIGNAL,
        "The script brought down the process that watched it, so its exit status and outputs are not known.",
        signal=int(signal.SIGKILL),
    )


def judge(recording: Recording, evidence: Evidence) -> Verdict:
    """The verdict on a run whose worker reported an end."""
    ending = recording.ending or {}
    cut = ending.get("cut")
    if cut == "timeout":
        return timed_out(recording.request.timeout)
    exit_code, number = _number(ending, "exit_code"), _number(ending, "signal")
    if exit_code == 0 and cut is None:
        return _judge_success(recording)
    reason, message = _why(ending, cut, exit_code, number, evidence, recording)
    return _failure(reason, message, exit_code, number)


_MEMORY = "The script needed more memory than its limit."
_DISK = "The script filled the space, or the number of files, that its folders may hold."
_PROCESSES = "The script tried to start more processes or threads than its limit."


def _why(
    ending: dict[str, Any],
    cut: object,
    exit_code: int | None,
    number: int | None,
    evidence: Evidence,
    recording: Recording,
) -> tuple[Reason, str]:
    hints = ending.get("hints") or []
    if cut == "disk_limit":
        return Reason.DISK_LIMIT, _DISK
    if cut == "output_limit":
        most = recording.limits.stream_bytes
        return Reason.OUTPUT_LIMIT, f"The script wrote more than {most} bytes to one stream and was ended."
    if evidence.memory_kills or "memory" in hints:
        return Reason.OUT_OF_MEMORY, _MEMORY
    if number == signal.SIGXFSZ or "disk" in hints or "disk_full" in hints:
        return Reason.DISK_LIMIT, _DISK
    if evidence.process_refusals or "processes" in hints:
        return Reason.PROCESS_LIMIT, _PROCESSES
    if number is not None:
        return Reason.SIGNAL, f"The script was ended by {_signal_name(number)}."
    return Reason.EXIT, f"The script ended with exit code {exit_code}."


def _judge_success(recording: Recording) -> Verdict:
    returned = {output.path for output in recording.outputs}
    missing = [name for name in recording.request.expects if name not in returned]
    rejected = {entry.path: entry.reason for entry in recording.rejected}
    if (recording.ending or {}).get("over"):
        first = next((f"{entry.path} {entry.reason}" for entry in recording.rejected), "")
        return _failure(Reason.OUTPUT_LIMIT, f"Not every output could be returned: {first}.", exit_code=0)
    if missing:
        told = ", ".join(f"{name} ({rejected[name]})" if name in rejected else name for name in missing)
        return _failure(Reason.MISSING_OUTPUT, f"The script ended well but did not make: {told}.", exit_code=0)
    return Verdict(Status.SUCCESS, Reason.OK, exit_code=0)


def _failure(reason: Reason, message: str, exit_code: int | None = None, signal: int | None = None) -> Verdict:
    return Verdict(Status.FAILURE, reason, message, exit_code, signal)


def _number(ending: dict[str, Any], key: str) -> int | None:
    value = ending.get(key)
    return value if isinstance(value, int) else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
