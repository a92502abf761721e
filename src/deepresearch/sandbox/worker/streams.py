"""One stream of the script: its head goes out as it comes, of the rest only the tail is kept. Standard library only."""

from __future__ import annotations

from collections.abc import Callable


class Stream:
    """Counts and bounds what a script writes.

    The first half of `kept` bytes is sent at once, the last half is held back and sent by `finish`; between them
    `dropped` bytes are forgotten.
    """

    def __init__(self, kept: int, send: Callable[[bytes], None], send_tail: Callable[[bytes], None]) -> None:
        self._head_left = kept - kept // 2
        self._tail_size = kept // 2
        self._send = send
        self._send_tail = send_tail
        self._tail = bytearray()
        self.total = 0
        self.dropped = 0

    def take(self, data: bytes) -> None:
        """Take what was read from the script."""
        self.total += len(data)
        if self._head_left:
            head = data[: self._head_left]
            self._head_left -= len(head)
            self._send(head)
            data = data[len(head) :]
        if data:
            self._tail += data
            surplus = len(self._tail) - self._tail_size
            # Trimmed only when twice too long: trimming moves every byte.
            if surplus > self._tail_size:
                del self._tail[:surplus]
                self.dropped += surplus

    def finish(self) -> None:
        """Send the tail."""
        surplus = len(self._tail) - self._tail_size
        if surplus > 0:
            del self._tail[:surplus]
            self.dropped += surplus
        if self._tail:
            self._send_tail(bytes(self._tail))
