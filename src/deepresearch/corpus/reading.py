"""Bytes of one file, read once and whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from deepresearch.corpus.file_names import source_name
from deepresearch.model.errors import SourceError

HEAD_BYTES = 4096
CHUNK_BYTES = 1 << 20

REASONS: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("missing", "there is no such file"),
    errno.ENOTDIR: ("missing", "there is no such file"),
    errno.ELOOP: ("missing", "it is a link that leads in a circle"),
    errno.EACCES: ("permission", "there is no permission to read it"),
    errno.EPERM: ("permission", "there is no permission to read it"),
}


def read_bytes(path: Path, limit_for: Callable[[bytes], tuple[int, str]]) -> bytes:
    """The bytes of a regular file.

    `limit_for` is given the first 4,096 bytes and answers with the size limit in bytes and the plural
    name of what is limited (``PDF files``).

    Raises `SourceError` with kind ``missing``, ``permission``, ``empty``, ``too_large``, ``binary`` (a
    device, a pipe, a folder), ``changed`` (its size or time moved while it was read) or ``broken`` (the
    disk fails).
    """
    name = source_name(path)
    try:
        # O_NONBLOCK: opening a named pipe without a writer would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _refused(name, error) from error
    except ValueError as error:
        raise SourceError(name, "missing", "this is no possible file name") from error
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise SourceError(name, "binary", "this is no regular file but a folder, a pipe or a device")
        if before.st_size == 0:
            raise SourceError(name, "empty", "the file is empty (0 bytes)")
        head = os.pread(descriptor, HEAD_BYTES, 0)
        limit, what = limit_for(head)
        if before.st_size > limit:
            raise too_large(name, before.st_size, limit, what)
        chunks: list[bytes] = []
        size = 0
        while chunk := os.read(descriptor, CHUNK_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise too_large(name, size, limit, what)
        after = os.fstat(descriptor)
    except OSError as error:
        raise _refused(name, error) from error
    finally:
        os.close(descriptor)
    if size != before.st_size or (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise SourceError(name, "changed", "the file changed while it was read; try again when it is at rest")
    return b"".join(chunks)


def too_large(name: str, size: int, limit: int, what: str) -> SourceError:
    """The refusal of a file over its limit, with both sizes in megabytes."""
    return SourceError(
        name,
        "too_large",
        f"it has {size / 1e6:,.1f} MB and the limit for {what} is {limit / 1e6:,.6g} MB; split it or raise the limit",
    )


def _refused(name: str, error: OSError) -> SourceError:
    kind, reason = REASONS.get(error.errno or 0, ("broken", f"the system cannot read it ({error.strerror})"))
    return SourceError(name, kind, reason)
