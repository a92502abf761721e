"""The frames that the host and a worker exchange, for both ends.

This module also runs inside the sandbox: standard library only, and nothing that an older interpreter lacks.

A frame is one byte of kind, four bytes of payload length (big endian), the payload. Frames of a worker after its
READY carry a 16-byte seal behind the payload: BLAKE2b over a counter, the kind and the payload, keyed with bytes
that the host sent after the script's process had already been forked. The script shares neither the key nor a
descriptor; should it find a way to write to the channel all the same, the seal breaks and the run fails.
"""

from __future__ import annotations

import hashlib
import hmac
import struct

PROTOCOL_VERSION = 1

HEADER = struct.Struct(">BI")
SEAL_BYTES = 16
KEY_BYTES = 32
#: No frame is larger; what is larger travels in several.
LARGEST_PAYLOAD = 1024 * 1024

# Host to worker.
KEY = 1  # 32 bytes
JOB = 2  # JSON: script_name, args, timeout, limits, expects
SCRIPT = 3  # a part of the script, UTF-8
FILE = 4  # JSON: path, size; the content follows in DATA
DATA = 5  # a part of the file begun last
GO = 6  # empty: everything is there, start
PING = 7  # empty: answered with PONG while no job has come

# Worker to host.
READY = 32  # JSON, unsealed: protocol, python, profile, imports
PONG = 33  # empty, sealed or (before KEY) not
STARTED = 34  # empty: the script's first instruction is next
STDOUT = 35  # a part of the script's standard output
STDERR = 36
OUTPUT = 37  # JSON: path, size; the content follows in DATA
REJECTED = 38  # JSON: path, reason
END = 39  # JSON: how the script ended, see worker/supervise.py
STDOUT_TAIL = 40  # the last bytes of a stream that was too long, after what was left out
STDERR_TAIL = 41


class Seal:
    """Makes and checks the seals of one direction; both ends count frames alike."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._count = 0

    def next(self, kind: int, payload: bytes) -> bytes:
        """The seal of the next frame."""
        digest = hashlib.blake2b(struct.pack(">QB", self._count, kind), key=self._key, digest_size=SEAL_BYTES)
        digest.update(payload)
        self._count += 1
        return digest.digest()

    def holds(self, kind: int, payload: bytes, seal: bytes) -> bool:
        """Whether `seal` is the one the next frame must carry."""
        return hmac.compare_digest(self.next(kind, payload), seal)


def frame(kind: int, payload: bytes = b"") -> bytes:
    """One frame without a seal."""
    return HEADER.pack(kind, len(payload)) + payload
