"""What comes of fetching a page, and which kinds of content are taken."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from deepresearch.corpus.sniffing import NotReadableError, is_pdf, is_zip, sniff
from deepresearch.model.base import Value
from deepresearch.model.errors import FetchRefused

#: Media types that are read, with the extension that stands for each.
READABLE = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/pdf": ".pdf",
    "application/x-pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
#: Charsets that pages are written in; other names of Python's codecs are tricks.
_CHARSET = re.compile(
    r"utf-?8|us-ascii|ascii|latin-?1|(?:iso[-_]?8859|windows|cp|ibm)[-_]?\d{1,5}|koi8-[ru]|shift[-_]jis|sjis|euc-(?:jp|kr)|"
    r"iso-2022-jp|gb(?:2312|k|18030)|big5(?:-hkscs)?|tis-620|mac(?:intosh|roman)?"
)
#: What servers say when they do not know.
_UNSAID = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/force-download"})


class Page(Value):
    """A page as it was fetched.

    `url` is the address asked for, `final_url` the one that answered after redirects. `media_type` is without
    parameters; `charset` is what the server said of text, if anything. `fetched_at` is UTC.
    """

    url: str
    final_url: str
    media_type: str
    charset: str | None
    body: bytes
    sha256: str
    fetched_at: datetime


def declared_type(header: str) -> tuple[str, str | None]:
    """Media type and charset of a Content-Type header, lower case."""
    kind, *parameters = header.split(";")
    charset = None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'").lower()
            charset = charset if _CHARSET.fullmatch(charset) else None
    return kind.strip().lower(), charset


def readable_type(url: str, declared: str, head: bytes) -> str:
    """The media type to read a page as, from what the server says and how its bytes begin.

    Raises `FetchRefused` (kind ``type``) when either says that it is nothing to read, or they contradict each other.
    """
    if declared not in READABLE and declared not in _UNSAID:
        raise FetchRefused(url, "type", f"it is {declared[:60]}, which is not read")
    suffix = READABLE.get(declared) or _suffix(url)
    if is_pdf(head):
        return "application/pdf"
    if is_zip(head):
        if declared in READABLE and suffix in (".docx", ".xlsx", ".pptx"):
            return declared
        if declared in _UNSAID:
            # Which Office format it is, if any, its directory says when it is read.
            return "application/octet-stream"
        raise FetchRefused(url, "type", f"it is said to be {declared} and is an archive")
    try:
        sniff(head, suffix)
    except NotReadableError as error:
        raise FetchRefused(url, "type", error.reason) from error
    if suffix in (".pdf", ".docx", ".xlsx", ".pptx"):
        raise FetchRefused(url, "type", f"it is said to be {declared or suffix} and is something else")
    if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FetchRefused(url, "type", "it holds binary data, not text")
    if declared in READABLE:
        return declared
    return next((kind for kind, extension in READABLE.items() if extension == suffix), "text/plain")


def _suffix(url: str) -> str:
    name = urlsplit(url).path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    return "." + extension.lower() if dot and stem else ""
