"""The host's end of the channel to a worker: framed, sealed, capped."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from deepresearch.sandbox.backend import WorkerProcess
from deepresearch.sandbox.contract import SandboxRequest
from deepresearch.sandbox.worker import frames


class ChannelClosed(Exception):
    """The worker's output ended."""


class ChannelBroken(Exception):
    """What came over the channel is not what a worker sends: a broken seal, a frame out of bounds."""


class Channel:
    """Speaks with one worker.

    `receive` gives ``(kind, payload)``; payloads are at most `frames.LARGEST_PAYLOAD` bytes, so that a peer can
    never make the host hold more than one frame.
    """

    def __init__(self, worker: WorkerProcess) -> None:
        self._worker = worker
        self._seal: frames.Seal | None = None

    async def await_ready(self) -> Mapping[str, Any]:
        """Wait for the worker's imports to be done; then send it the key of its seals.

        Raises `ChannelClosed` when it ended first, `ChannelBroken` when it speaks another protocol.
        """
        kind, payload = await self.receive()
        if kind != frames.READY:
            raise ChannelBroken(f"the worker began with a frame of kind {kind}")
        hello = read_json(payload)
        if hello.get("protocol") != frames.PROTOCOL_VERSION:
            raise ChannelBroken(
                f"the worker speaks protocol {hello.get('protocol')!r} and this program {frames.PROTOCOL_VERSION}"
            )
        key = secrets.token_bytes(frames.KEY_BYTES)
        await self._worker.write(frames.frame(frames.KEY, key))
        self._seal = frames.Seal(key)
        return hello

    async def ping(self) -> None:
        """Ask an idle worker for a sign of life and wait for it."""
        await self._worker.write(frames.frame(frames.PING))
        kind, _ = await self.receive()
        if kind != frames.PONG:
            raise ChannelBroken(f"the worker answered a ping with a frame of kind {kind}")

    async def send_job(self, request: SandboxRequest) -> None:
        """Send the script and its files, and let it start."""
        limits = request.effective_limits()
        job = {
            "script_name": request.script_name,
            "args": list(request.args),
            "timeout": request.timeout,
            "limits": limits.model_dump(),
            "expects": list(request.expects),
        }
        write = self._worker.write
        await write(frames.frame(frames.JOB, json.dumps(job).encode()))
        for part in _parts(request.script.encode()):
            await write(frames.frame(frames.SCRIPT, part))
        for path, content in request.files.items():
            head = {"path": path, "size": len(content)}
            await write(frames.frame(frames.FILE, json.dumps(head).encode()))
            for part in _parts(content):
                await write(frames.frame(frames.DATA, part))
        await write(frames.frame(frames.GO))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame. Raises `ChannelClosed` at the end, `ChannelBroken` for anything that is no frame."""
        reader = self._worker.reader
        try:
            kind, length = frames.HEADER.unpack(await reader.readexactly(frames.HEADER.size))
            if length > frames.LARGEST_PAYLOAD:
                raise ChannelBroken(f"a frame of {length} bytes was announced")
            payload = await reader.readexactly(length) if length else b""
            if self._seal is None:
                return kind, payload
            seal = await reader.readexactly(frames.SEAL_BYTES)
        except (EOFError, ConnectionError) as ended:
            raise ChannelClosed from ended
        if not self._seal.holds(kind, payload, seal):
            raise ChannelBroken("a frame does not carry the worker's seal")
        return kind, payload


def read_json(payload: bytes) -> dict[str, Any]:
    """The JSON object in a payload. Raises `ChannelBroken` for anything else."""
    try:
        value = json.loads(payload)
    except ValueError as broken:
        raise ChannelBroken("a frame does not hold the JSON it should") from broken
    if not isinstance(value, dict):
        raise ChannelBroken("a frame does not hold a JSON object")
    return value


def _parts(data: bytes) -> list[bytes]:
    size = frames.LARGEST_PAYLOAD
    return [data[start : start + size] for start in range(0, len(data), size)]
