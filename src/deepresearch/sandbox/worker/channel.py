"""The worker's end of the channel to the host. Standard library only."""

from __future__ import annotations

import json
import os
from typing import Any

from . import frames


class HostGone(Exception):
    """The host closed the channel: nobody wants the rest."""


class Channel:
    """Reads frames from one descriptor and writes them, sealed once there is a key, to another."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._seal: frames.Seal | None = None

    def use_key(self, key: bytes) -> None:
        """Seal every frame from now on."""
        self._seal = frames.Seal(key)

    def send(self, kind: int, payload: bytes = b"") -> None:
        """Write one frame, whole. Raises `HostGone`."""
        data = frames.frame(kind, payload)
        if self._seal is not None:
            data += self._seal.next(kind, payload)
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._outgoing, view) :]
        except BrokenPipeError:
            raise HostGone from None

    def send_json(self, kind: int, value: dict[str, Any]) -> None:
        """Write one frame that holds JSON."""
        self.send(kind, json.dumps(value).encode())

    def receive(self) -> tuple[int, bytes]:
        """Read one frame. Raises `HostGone` at the end."""
        kind, length = frames.HEADER.unpack(self._read(frames.HEADER.size))
        return kind, self._read(length)

    def _read(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = os.read(self._incoming, size - len(parts))
            if not part:
                raise HostGone
            parts += part
        return bytes(parts)
