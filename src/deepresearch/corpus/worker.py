"""The program that reads files away from the caller's process: `python -m deepresearch.corpus.worker LIMITS`.

It says ``R`` when it is ready, takes requests on standard input (a length of four bytes, then the bytes of a path,
for a page of the web followed by its address, media type and charset, each after a NUL byte) and answers each on standard output (one byte ``D`` or ``E``, a length of eight bytes, then a `Document` or a
`RefusedSource` as JSON). It ends when its input ends. Its memory is bounded, and a watchdog ends it when one file takes
too long, so that it cannot outlive a caller that was killed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.loading import load, load_bytes
from deepresearch.model.documents import RefusedSource
from deepresearch.model.errors import SourceError

READY = b"R"
REQUEST = struct.Struct(">I")
REPLY = struct.Struct(">cQ")
GRACE_SECONDS = 5.0


def serve(requests: BinaryIO, replies: BinaryIO, limits: LoadLimits) -> None:
    """Say that the process is ready, then answer requests until there are no more."""
    replies.write(READY)
    replies.flush()
    while len(header := requests.read(REQUEST.size)) == REQUEST.size:
        parts = requests.read(REQUEST.unpack(header)[0]).split(b"\0")
        path = Path(os.fsdecode(parts[0]))
        faulthandler.dump_traceback_later(limits.seconds + GRACE_SECONDS, exit=True, file=sys.stderr)
        kind, body = _answer(path, [part.decode("utf-8", "replace") for part in parts[1:]], limits)
        faulthandler.cancel_dump_traceback_later()
        replies.write(REPLY.pack(kind, len(body)))
        replies.write(body)
        replies.flush()


def _answer(path: Path, described: list[str], limits: LoadLimits) -> tuple[bytes, bytes]:
    try:
        if described:
            source, media_type, charset = described
            document = load_bytes(path.read_bytes(), source, limits, media_type, charset or None, main_only=True)
        else:
            document = load(path, limits)
        return b"D", document.model_dump_json().encode()
    except SourceError as error:
        refused = RefusedSource(source=error.path, kind=error.kind, reason=error.reason)
        return b"E", refused.model_dump_json().encode()


def main() -> None:
    """Bound this process and serve."""
    limits = LoadLimits.model_validate_json(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Cells are many small objects without cycles: looking for garbage among them took a third of the time.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    # What a library prints must not get between the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, replies, limits)


if __name__ == "__main__":
    main()
