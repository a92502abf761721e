"""The index on a Qdrant server, for many workers and for collections that outgrow one machine.

Needs the extra ``qdrant`` (``pip install 'deepresearch[qdrant]'``). Any number of processes may search; passages are
written by one process at a time. Everything goes over the REST port.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.dense import Encoder
from deepresearch.retrieval.fusion import Fusion
from deepresearch.retrieval.hybrid import HybridIndex
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.server_notes import SUFFIX, ServerNotes
from deepresearch.retrieval.server_requests import PATIENCE, ask
from deepresearch.retrieval.server_store import ServerStore

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_OLDEST = (1, 13)
_OWNER = "owner"
_LONGEST_REQUEST = 60  # seconds; changing every point of a large collection is one request


class ServerIndex(HybridIndex):
    """An index on a server, in a collection that is made when it does not exist.

    `client` is a connected `QdrantClient`; `connect` makes one from an address. A server that does not answer may
    take `patience` seconds to come back before a call fails.
    """

    def __init__(
        self,
        client: QdrantClient,
        collection: str,
        make_encoder: Callable[[], Encoder] = LatentSemanticEncoder,
        *,
        fusion: Fusion | None = None,
        patience: float = PATIENCE,
    ) -> None:
        store = ServerStore(client, collection, make_encoder().dimension, patience=patience)
        super().__init__(store, make_encoder, f"the Qdrant collection {collection}", fusion)


def connect(url: str, *, api_key: str | None = None, timeout: float = 10.0) -> QdrantClient:
    """A client for the server at this address (REST port). `timeout` is how many seconds it may take to answer first.

    Raises `IndexingError` when the extra is not installed, the address or the key cannot be used, the server does not
    answer, or is too old.
    """
    try:
        import httpx
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise IndexingError(
            "A Qdrant server needs the extra `qdrant`; install it with `pip install 'deepresearch[qdrant]'`."
        ) from error
    shown = _shown(url)
    # As a header of ours: the client would print a warning about every key without TLS, on loopback too.
    headers = {"api-key": _usable(api_key)} if api_key else None
    made = partial(QdrantClient, url=url, headers=headers, check_compatibility=False)
    if urlsplit(url).scheme == "http":
        # On a connection that is kept, the server's answers in two packets wait for a delayed acknowledgement: 40 ms
        # each. A new connection costs far less, unless it needs a TLS handshake.
        made = partial(made, limits=httpx.Limits(max_keepalive_connections=0))
    first = made(timeout=max(1, round(timeout)))
    try:
        version = ask(shown, lambda: first.info().version)
        numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
        if numbers < _OLDEST:
            wanted = ".".join(map(str, _OLDEST))
            raise IndexingError(f"The Qdrant server at {shown} is version {version}; update it to {wanted} or later.")
        ask(shown, first.get_collections)  # the version is told to everybody, the rest not
    finally:
        first.close()
    return made(timeout=_LONGEST_REQUEST)


def server_state(client: QdrantClient) -> tuple[str, list[str]]:
    """The server's version, and its collections without their notes. Raises `IndexingError`."""
    version = ask("its version", lambda: client.info().version)
    names = [one.name for one in ask("its collections", client.get_collections).collections]
    return version, sorted(name for name in names if not name.endswith(SUFFIX))


def collection_exists(client: QdrantClient, collection: str) -> bool:
    """Whether the server has this collection. Raises `IndexingError`."""
    return ask(f"the collection {collection}", lambda: client.collection_exists(collection), PATIENCE)


def belongs_to(client: QdrantClient, collection: str, owner: str) -> bool:
    """Whether a collection is this owner's; one that is nobody's becomes so. Raises `IndexingError`."""
    notes = ServerNotes(client, f"{collection}{SUFFIX}", lambda request: ask(collection, request, PATIENCE))
    record = notes.record(_OWNER)
    if record is None:
        notes.leave(_OWNER, {"owner": owner})
        record = notes.record(_OWNER)
    return record is not None and record["owner"] == owner


def remove_collection(client: QdrantClient, collection: str) -> None:
    """Remove a collection and its notes from the server; no error when there is none. Raises `IndexingError`."""
    # The notes go last: points without them would be taken for another program's.
    for name in (collection, f"{collection}{SUFFIX}"):
        ask(f"the collection {collection}", partial(client.delete_collection, name), PATIENCE)


def _shown(url: str) -> str:
    """The address without a user's name and password. Raises `IndexingError` for what is no address."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        raise IndexingError("DEEPRESEARCH_QDRANT_URL is no address of a server; write http://HOST:6333.")
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def _usable(api_key: str) -> str:
    """The key as a header can carry it; one from a file ends with a line break."""
    key = api_key.strip()
    if not key.isascii() or not key.isprintable():
        raise IndexingError(
            "DEEPRESEARCH_QDRANT_API_KEY holds characters that no key has; copy it again from the server's settings."
        )
    return key
