"""The content coding of a response, undone with a bound on what comes out."""

from __future__ import annotations

import zlib

from deepresearch.model.errors import FetchRefused

#: What requests say they understand; one coding, never a chain of them.
ACCEPTED = "gzip, deflate"


class Unpacker:
    """Undoes one content coding piece by piece. Never makes more than `limit` + 1 bytes in all, so a bomb stays cold.

    Raises `FetchRefused` for a coding that was not asked for, for several at once, and for damaged data.
    """

    def __init__(self, url: str, coding: str, limit: int) -> None:
        self._url = url
        self._left = limit + 1
        name = coding.strip().lower()
        self._first = True
        self._raw_deflate = False
        if name in ("", "identity"):
            self._inflate = None
        elif name in ("gzip", "x-gzip"):
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        elif name == "deflate":
            self._inflate = zlib.decompressobj()
            self._raw_deflate = True
        else:
            raise FetchRefused(url, "encoding", f"it is packed as {name[:40]!r}, which was not asked for")

    def feed(self, data: bytes) -> bytes:
        """The bytes that `data` unpacks to; what lies beyond the limit is cut off."""
        if self.full:
            return b""  # zlib takes a bound of 0 for none
        if self._inflate is None:
            out = data[: self._left]
        else:
            try:
                out = self._inflate.decompress(data, self._left)
            except zlib.error as error:
                if not (self._raw_deflate and self._first):
                    raise FetchRefused(self._url, "encoding", "its packed data are damaged") from error
                # Some servers send deflate without its envelope.
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                return self._again(data)
        self._first = False
        self._left -= len(out)
        return out

    @property
    def full(self) -> bool:
        """Whether more came than the limit allows."""
        return self._left <= 0

    def _again(self, data: bytes) -> bytes:
        self._first = False
        return self.feed(data)
