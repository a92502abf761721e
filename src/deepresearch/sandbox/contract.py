"""What is asked of the sandbox and what it answers: the same for every back end."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from deepresearch.model.base import Value

MEBIBYTE = 1024 * 1024

#: Bounds of a timeout in seconds. Below, no interpreter gets anywhere; above, nobody is waiting any more.
SHORTEST_TIMEOUT = 0.1
LONGEST_TIMEOUT = 3600.0


class Status(StrEnum):
    """The three words telemetry knows."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"


class Reason(StrEnum):
    """Why a run ended as it did.

    The script's own endings: `OK`, `EXIT` (non-zero exit), `SIGNAL` (killed by one), `MISSING_OUTPUT` (it ended
    well but owes a file). A bound it ran into: `OUT_OF_MEMORY`, `PROCESS_LIMIT`, `DISK_LIMIT`, `OUTPUT_LIMIT`,
    `TIMEOUT`. Neither the script's fault nor its doing: `UNAVAILABLE` (the sandbox is broken or absent) and
    `INVALID_REQUEST` (the request never reached a worker).
    """

    OK = "ok"
    EXIT = "exit"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out_of_memory"
    PROCESS_LIMIT = "process_limit"
    DISK_LIMIT = "disk_limit"
    OUTPUT_LIMIT = "output_limit"
    MISSING_OUTPUT = "missing_output"
    UNAVAILABLE = "unavailable"
    INVALID_REQUEST = "invalid_request"
    TIMEOUT = "timeout"


class ProfileName(StrEnum):
    """What a worker has ready before its script comes, and how much it may use."""

    PLAIN = "plain"
    MERMAID = "mermaid"


class Limits(Value):
    """Everything a run may use up. All sizes in bytes.

    The first group is set when a worker starts, so a request that differs there from its profile is served by a
    worker of its own (a cold start); the second group is applied per run.
    """

    memory_bytes: int = Field(default=1024 * MEBIBYTE, ge=128 * MEBIBYTE)
    processes: int = Field(default=128, ge=8, description="Processes and threads at once.")
    cpus: float = Field(default=1.0, gt=0)
    workspace_bytes: int = Field(default=256 * MEBIBYTE, ge=MEBIBYTE)
    temporary_bytes: int = Field(default=64 * MEBIBYTE, ge=MEBIBYTE)
    shared_memory_bytes: int = Field(default=16 * MEBIBYTE, ge=4096)

    files: int = Field(default=8192, ge=16, description="Files and folders at once, in the workspace and in /tmp.")
    file_bytes: int = Field(default=128 * MEBIBYTE, ge=4096, description="Largest single file.")
    open_files: int = Field(default=256, ge=32)
    stream_kept_bytes: int = Field(default=MEBIBYTE, ge=1024, description="Kept of each stream, half head, half tail.")
    stream_bytes: int = Field(
        default=256 * MEBIBYTE, ge=1024, description="Written to a stream before the run is ended."
    )
    outputs: int = Field(default=64, ge=1)
    output_bytes: int = Field(default=32 * MEBIBYTE, ge=1024, description="Largest single output.")
    outputs_bytes: int = Field(default=64 * MEBIBYTE, ge=1024, description="All outputs together.")

    def start_key(self) -> tuple[float, ...]:
        """The limits that are fixed when a worker starts."""
        return (
            self.memory_bytes,
            self.processes,
            self.cpus,
            self.workspace_bytes,
            self.temporary_bytes,
            self.shared_memory_bytes,
        )


#: A browser is some two hundred threads and a quarter of a gibibyte before it has drawn anything.
PROFILE_LIMITS: dict[ProfileName, Limits] = {
    ProfileName.PLAIN: Limits(),
    ProfileName.MERMAID: Limits(
        memory_bytes=1536 * MEBIBYTE,
        processes=512,
        cpus=2.0,
        open_files=1024,
        shared_memory_bytes=64 * MEBIBYTE,
    ),
}


class SandboxRequest(Value):
    """One script to run.

    `files` maps relative names (forward slashes) to contents, laid into the working folder before the script
    starts. `expects` are the relative names of outputs the script owes. `timeout` is in seconds of wall clock
    from the moment the script starts. `limits` replaces the limits of the profile.
    """

    script: str
    script_name: str = "script.py"
    args: tuple[str, ...] = ()
    files: dict[str, bytes] = Field(default_factory=dict, repr=False)
    expects: tuple[str, ...] = ()
    timeout: float = 30.0
    limits: Limits | None = None
    profile: ProfileName = ProfileName.PLAIN
    session_id: str | None = None
    run_id: str | None = None

    def effective_limits(self) -> Limits:
        """The limits of this request, or those of its profile."""
        return self.limits or PROFILE_LIMITS[self.profile]


class Output(Value):
    """A file the script made. `content` is its bytes, already sanitised, and stays out of the JSON form."""

    path: str
    media_type: str
    size: int
    sha256: str
    content: bytes = Field(default=b"", exclude=True, repr=False)


class Rejected(Value):
    """An entry of the working folder that was not handed out, and why. `path` is escaped for showing."""

    path: str
    reason: str


class Usage(Value):
    """What the run used, as counted outside the script; None where nothing could count it."""

    cpu_ms: int | None = None
    peak_memory_bytes: int | None = None


class SandboxResult(Value):
    """How a run ended.

    `duration_ms` is the wall clock from handing the script over to its end, without queueing and worker start.
    `exit_code` and `signal` (a number) exclude each other; both are None when no script ended by itself.
    `enforced` says what was truly in force. `message` is a sentence for people about any end but `ok`, and like
    `timings` (seconds by stage) stays out of the JSON form.
    """

    run_id: str
    backend: str
    status: Status
    reason: Reason
    exit_code: int | None = None
    signal: int | None = None
    duration_ms: int = 0
    stdout: str = ""
    stderr: str = ""
    truncated: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    usage: Usage = Usage()
    enforced: dict[str, Any] = Field(default_factory=dict)
    failure_streak: int = 0
    message: str = Field(default="", exclude=True)
    timings: dict[str, float] = Field(default_factory=dict, exclude=True, repr=False)

    def output(self, path: str) -> Output:
        """The output of this name. Raises KeyError when the run returned none."""
        for output in self.outputs:
            if output.path == path:
                return output
        raise KeyError(path)
