"""Every error the product raises on purpose, in one tree.

    DeepResearchError                 exit code 1
    ├── UsageError                    exit code 2    the request itself cannot be carried out
    ├── SourceError                   exit code 1    one file cannot be read; the others go on
    ├── NoReadableSourceError         exit code 1    not one file could be read
    ├── IndexingError                 exit code 1    the passages cannot be indexed or searched
    ├── StorageError                  exit code 1    a folder, a database or a disk refuses
    ├── WebError                      exit code 1
    │   ├── FetchRefused              exit code 1    one page is not fetched; the others go on
    │   └── SearchFailed              exit code 1    one search provider does not answer; the next is asked
    ├── SessionError                  exit code 1
    │   ├── UnknownSessionError       exit code 2
    │   ├── SessionBusyError          exit code 1    another process is running this session
    │   ├── SessionStateError         exit code 2    where the session stands does not allow it
    │   ├── SessionLostError          exit code 1    another process has taken this session over
    │   └── QueueFullError            exit code 1    too many sessions wait already; try again later
    ├── ServerError                   exit code 1    a server of ours refuses or fails
    │   └── ServerUnreachableError    exit code 1    nothing answers at the server's address
    └── SandboxError                  exit code 1
        ├── InvalidSandboxRequest     exit code 2    the request never reached a worker
        └── SandboxUnavailable        exit code 125  no back end can run anything here

A message is one or two sentences: which input, what is wrong with it, what to do. Commands print it as it
is, so it never holds a secret and never a traceback.
"""

from __future__ import annotations

from typing import ClassVar


class DeepResearchError(Exception):
    """Something went wrong that a person can understand and mend."""

    exit_code: ClassVar[int] = 1


class UsageError(DeepResearchError):
    """The request itself cannot be carried out: a wrong option, an empty question, a missing folder."""

    exit_code: ClassVar[int] = 2


class SourceError(DeepResearchError):
    """One file cannot be read. `path` is the file, `kind` a short word, `reason` half a sentence.

    Kinds: ``missing``, ``permission``, ``empty``, ``too_large``, ``encrypted``, ``broken``, ``binary``,
    ``no_text``, ``unknown_format``, ``changed``.
    """

    def __init__(self, path: str, kind: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.kind = kind
        self.reason = reason


class NoReadableSourceError(DeepResearchError):
    """None of the given files could be read, so there is nothing to ask."""


class IndexingError(DeepResearchError):
    """Passages cannot be indexed or searched: a locked folder, another encoder, a server out of reach."""


class StorageError(DeepResearchError):
    """A folder, a database or a disk refuses what has to be stored."""


class WebError(DeepResearchError):
    """Something of the web cannot be had."""


class FetchRefused(WebError):
    """One page is not fetched. `url` is the page, `kind` a short word, `reason` half a sentence.

    Kinds: ``address`` (not public, or badly spelled), ``robots``, ``status``, ``busy``, ``redirects``, ``type``,
    ``size``, ``time``, ``encoding``, ``connection``, ``offline``.
    """

    def __init__(self, url: str, kind: str, reason: str) -> None:
        super().__init__(f"{url}: {reason}")
        self.url = url
        self.kind = kind
        self.reason = reason


class SearchFailed(WebError):
    """A search provider does not answer. `provider` is its name, `reason` half a sentence without any key.

    `lasting` says that asking it again now is of no use (a wrong key, too many requests).
    """

    def __init__(self, provider: str, reason: str, *, lasting: bool = False) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider
        self.reason = reason
        self.lasting = lasting


class SessionError(DeepResearchError):
    """A session cannot do what was asked of it."""


class UnknownSessionError(SessionError):
    """No session of this id is stored here."""

    exit_code: ClassVar[int] = 2


class SessionBusyError(SessionError):
    """Another living process is running this session."""


class SessionStateError(SessionError):
    """Where the session stands does not allow it: a review nobody asked for or that was given, a purge while it runs."""

    exit_code: ClassVar[int] = 2


class SessionLostError(SessionError):
    """Another process has taken this session over; what this one still does for it is not stored."""


class QueueFullError(SessionError):
    """So many sessions wait that no more are taken. `retry_after_seconds` says when it is worth asking again."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ServerError(DeepResearchError):
    """A server of ours refuses or fails. `status` is the HTTP status, `kind` the short word of its problem."""

    def __init__(self, message: str, status: int = 0, kind: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class ServerUnreachableError(ServerError):
    """Nothing answers at the server's address, or what answers is not this product."""


class SandboxError(DeepResearchError):
    """The sandbox could not be used. A script that fails is no error: it is a result."""


class InvalidSandboxRequest(SandboxError):
    """The request breaks a rule (a name, a size, a limit) and never reached a worker."""

    exit_code: ClassVar[int] = 2


class SandboxUnavailable(SandboxError):
    """No back end can run anything here. The message says what to install or start."""

    exit_code: ClassVar[int] = 125
