"""Says what is wrong with a request before anything is started for it."""

from __future__ import annotations

from deepresearch.model.errors import InvalidSandboxRequest
from deepresearch.sandbox.contract import LONGEST_TIMEOUT, MEBIBYTE, SHORTEST_TIMEOUT, SandboxRequest
from deepresearch.sandbox.worker.names import fault, same, shown

LARGEST_SCRIPT = 4 * MEBIBYTE
MOST_ARGUMENTS = 1000
LARGEST_ARGUMENTS = 64 * 1024
#: Kept free in the workspace for what the script itself writes.
_ROOM = MEBIBYTE


def check(request: SandboxRequest) -> None:
    """Raise `InvalidSandboxRequest` naming the first rule the request breaks."""
    _check_script(request)
    _check_arguments(request)
    if not SHORTEST_TIMEOUT <= request.timeout <= LONGEST_TIMEOUT:
        raise InvalidSandboxRequest(
            f"A timeout of {request.timeout:g} seconds is not possible; "
            f"choose between {SHORTEST_TIMEOUT:g} and {LONGEST_TIMEOUT:g}."
        )
    _check_names(request)
    limits = request.effective_limits()
    if limits.stream_kept_bytes > limits.stream_bytes or limits.output_bytes > limits.outputs_bytes:
        raise InvalidSandboxRequest("A limit of a part is larger than the limit of the whole it belongs to.")
    room = limits.workspace_bytes - _ROOM
    total = len(request.script.encode()) + sum(map(len, request.files.values()))
    if total > room:
        raise InvalidSandboxRequest(
            f"The script and its input files have {total} bytes and the workspace has room for {room}; "
            "pass less, or raise the limit workspace_bytes."
        )
    if len(request.files) + 2 > limits.files:
        raise InvalidSandboxRequest(f"There are {len(request.files)} input files and {limits.files} fit.")
    if len(request.expects) > limits.outputs:
        raise InvalidSandboxRequest(f"{len(request.expects)} outputs are expected and a run returns {limits.outputs}.")


def _check_script(request: SandboxRequest) -> None:
    try:
        size = len(request.script.encode())
    except UnicodeEncodeError:
        raise InvalidSandboxRequest("The script holds text that is not valid Unicode.") from None
    if size > LARGEST_SCRIPT:
        raise InvalidSandboxRequest(
            f"The script has {size} bytes; the largest has {LARGEST_SCRIPT}. Pass data as files."
        )
    if "\0" in request.script:
        raise InvalidSandboxRequest("The script holds a NUL character, so it is no Python source.")
    if not request.script.strip():
        raise InvalidSandboxRequest("The script is empty.")


def _check_arguments(request: SandboxRequest) -> None:
    try:
        size = sum(len(argument.encode()) + 1 for argument in request.args)
    except UnicodeEncodeError:
        raise InvalidSandboxRequest("An argument holds text that is not valid Unicode.") from None
    if any("\0" in argument for argument in request.args):
        raise InvalidSandboxRequest("An argument holds a NUL character.")
    if len(request.args) > MOST_ARGUMENTS or size > LARGEST_ARGUMENTS:
        raise InvalidSandboxRequest(
            f"There are {len(request.args)} arguments of {size} bytes; "
            f"at most {MOST_ARGUMENTS} of {LARGEST_ARGUMENTS} bytes can be passed. Pass the rest as a file."
        )


def _check_names(request: SandboxRequest) -> None:
    taken: dict[str, str] = {}
    for what, names in (("script", (request.script_name,)), ("input file", tuple(request.files))):
        for name in names:
            _check_name(what, name)
            if same(name) in taken:
                other = shown(taken[same(name)])
                raise InvalidSandboxRequest(f"The {what} {shown(name)!r} has the same name as {other!r}; rename one.")
            taken[same(name)] = name
    for name in request.files:
        parts = name.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            if same(folder) in taken:
                raise InvalidSandboxRequest(f"{shown(folder)!r} cannot be an input file and a folder at once.")
    for name in request.expects:
        _check_name("expected output", name)
    if len(set(request.expects)) != len(request.expects):
        raise InvalidSandboxRequest("An output is expected twice.")


def _check_name(what: str, name: str) -> None:
    problem = fault(name)
    if problem is not None:
        raise InvalidSandboxRequest(
            f"The name of the {what} {shown(name)!r} {problem}; "
            "use a relative name of letters, digits, dots, dashes and slashes."
        )
