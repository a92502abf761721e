"""Takes in what one worker sends during one run, under caps, believing nothing it need not."""

from __future__ import annotations

import asyncio
import codecs
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from deepresearch.sandbox import content
from deepresearch.sandbox.contract import Limits, Output, Rejected, SandboxRequest
from deepresearch.sandbox.protocol import Channel, ChannelBroken, read_json
from deepresearch.sandbox.worker import frames
from deepresearch.sandbox.worker.names import fault, same, shown

#: Called with each piece of text as it comes; may be a coroutine function.
Listener = Callable[[str], Awaitable[None] | None]

_MOST_REJECTIONS = 101


@dataclass
class StreamText:
    """One stream of the script: head, tail and how much between them was left out."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    def text(self) -> str:
        """The text, decoded with replacement, with a line that says what is missing."""
        head = self.head.decode("utf-8", "replace")
        tail = self.tail.decode("utf-8", "replace")
        if not self.dropped:
            return (self.head + self.tail).decode("utf-8", "replace")
        return f"{head}\n[... {self.dropped} bytes left out ...]\n{tail}"


@dataclass
class Recording:
    """Everything one run sent. `ending` is the content of the END frame, None until it came."""

    request: SandboxRequest
    limits: Limits
    stdout: StreamText = field(default_factory=StreamText)
    stderr: StreamText = field(default_factory=StreamText)
    outputs: list[Output] = field(default_factory=list)
    _raw: list[tuple[str, bytes]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    started: bool = False
    ending: dict[str, Any] | None = None
    over: bool = False

    async def take_all(self, channel: Channel, on_stdout: Listener | None, on_stderr: Listener | None) -> None:
        """Receive until END. Raises `ChannelClosed` or `ChannelBroken` when it does not come."""
        listeners = {
            frames.STDOUT: _decoding(on_stdout),
            frames.STDERR: _decoding(on_stderr),
            frames.STDOUT_TAIL: _decoding(on_stdout),
            frames.STDERR_TAIL: _decoding(on_stderr),
        }
        incoming: _Incoming | None = None
        total = 0
        while True:
            kind, payload = await channel.receive()
            if kind in listeners:
                self._keep(kind, payload)
                await listeners[kind](payload)
            elif kind == frames.STARTED:
                self.started = True
            elif kind == frames.OUTPUT:
                incoming = self._begin(read_json(payload), total)
                total += incoming.size
                incoming = self._finish(incoming)
            elif kind == frames.DATA and incoming is not None:
                incoming.take(payload)
                incoming = self._finish(incoming)
            elif kind == frames.REJECTED:
                self._reject(read_json(payload))
            elif kind == frames.END:
                self.ending = read_json(payload)
                self._note_dropped()
                return
            else:
                raise ChannelBroken(f"a frame of kind {kind} came at the wrong time")

    def _keep(self, kind: int, payload: bytes) -> None:
        stream = self.stdout if kind in (frames.STDOUT, frames.STDOUT_TAIL) else self.stderr
        part = stream.head if kind in (frames.STDOUT, frames.STDERR) else stream.tail
        if len(part) + len(payload) > self.limits.stream_kept_bytes:
            raise ChannelBroken("more output came than a worker sends")
        part += payload

    def _note_dropped(self) -> None:
        dropped = (self.ending or {}).get("dropped")
        if isinstance(dropped, dict):
            self.stdout.dropped = _count(dropped.get("stdout"))
            self.stderr.dropped = _count(dropped.get("stderr"))

    def _begin(self, head: dict[str, Any], total: int) -> _Incoming:
        path, size = head.get("path"), head.get("size")
        if not isinstance(path, str) or not isinstance(size, int) or size < 0 or fault(path):
            raise ChannelBroken("an output was announced that no worker announces")
        if any(same(earlier) == same(path) for earlier, _ in self._raw):
            raise ChannelBroken("an output came twice")
        limits = self.limits
        if size > limits.output_bytes or total + size > limits.outputs_bytes or len(self._raw) >= limits.outputs:
            raise ChannelBroken("more outputs came than a worker sends")
        return _Incoming(path, size)

    def _finish(self, incoming: _Incoming) -> _Incoming | None:
        """Keep an output once it is whole; what is still to come otherwise."""
        if not incoming.complete:
            return incoming
        self._raw.append((incoming.path, bytes(incoming.content)))
        return None

    async def inspect_outputs(self) -> None:
        """Type and check what came; called when the worker is gone, since a large drawing may take seconds."""
        if self._raw:
            await asyncio.to_thread(self._inspect)

    def _inspect(self) -> None:
        for path, raw in self._raw:
            try:
                inspected = content.inspect(raw, path)
            except content.Refused as refused:
                self.rejected.append(Rejected(path=path, reason=f"is {refused.reason}"))
                continue
            self.outputs.append(
                Output(
                    path=path,
                    media_type=inspected.media_type,
                    size=len(inspected.content),
                    sha256=hashlib.sha256(inspected.content).hexdigest(),
                    content=inspected.content,
                )
            )
        self._raw.clear()

    def _reject(self, entry: dict[str, Any]) -> None:
        if len(self.rejected) >= _MOST_REJECTIONS:
            raise ChannelBroken("more entries were rejected than a worker tells of")
        path, reason = str(entry.get("path", "")), str(entry.get("reason", ""))
        self.rejected.append(Rejected(path=shown(path), reason=shown(reason)))


@dataclass
class _Incoming:
    path: str
    size: int
    content: bytearray = field(default_factory=bytearray)

    @property
    def complete(self) -> bool:
        return len(self.content) == self.size

    def take(self, part: bytes) -> None:
        if len(self.content) + len(part) > self.size:
            raise ChannelBroken("an output is longer than announced")
        self.content += part


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _decoding(listener: Listener | None) -> Callable[[bytes], Awaitable[None]]:
    """Decode pieces for a listener, keeping a character that was cut in two until its rest comes."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")

    async def take(part: bytes) -> None:
        if listener is None:
            return
        text = decoder.decode(part)
        if text:
            waiting = listener(text)
            if waiting is not None:
                await waiting

    return take
