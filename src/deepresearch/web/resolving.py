"""From a host name to IP addresses, through a door that tests and operators can put their own behind."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

#: Names looked up at the same time.
_THREADS = 16


class Resolver(Protocol):
    """Finds the addresses of a host. It is asked once for each connection, and its answer is what is connected to."""

    async def resolve(self, host: str, port: int) -> list[str]:
        """IP addresses as text, best first. Raises `OSError` when the name is not known."""
        ...


class SystemResolver:
    """The resolver of the operating system, on threads of its own: names that never answer must not hold up others."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="resolver")

    async def resolve(self, host: str, port: int) -> list[str]:
        """IP addresses as the system orders them. Raises `OSError`."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))
