"""Which format a file has, by its bytes first and its name second."""

from __future__ import annotations

import io
import re
import zipfile
from enum import StrEnum


class Format(StrEnum):
    """The formats that can be read."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    CSV = "csv"
    JSON = "json"
    JSON_LINES = "json lines"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    XLSX = "xlsx"


class NotReadableError(ValueError):
    """The bytes are of a kind that cannot be read. `kind` and `reason` are those of a `SourceError`."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


BY_EXTENSION = {
    ".md": Format.MARKDOWN,
    ".markdown": Format.MARKDOWN,
    ".mdown": Format.MARKDOWN,
    ".mkd": Format.MARKDOWN,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".xhtml": Format.HTML,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".tab": Format.CSV,
    ".json": Format.JSON,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
}
OFFICE_PARTS = (("word/", Format.DOCX), ("xl/", Format.XLSX), ("ppt/", Format.PPTX))

SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ\x00", "xz-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"OggS", "an audio or video file"),
    (b"ID3", "an audio file"),
    (b"fLaC", "an audio file"),
    (b"RIFF", "an audio, video or image file"),
)
HTML_START = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
PDF_HEADER_WITHIN = 1024


def is_pdf(head: bytes) -> bool:
    """Whether a PDF header stands within the first 1,024 bytes, as viewers accept it, after no other text."""
    place = head.find(b"%PDF-", 0, PDF_HEADER_WITHIN)
    return place == 0 or (
        place > 0 and not head[:place].strip(b"\x00\r\n\t \xef\xbb\xbf").isalnum() and b"\n" not in head[:place].strip()
    )


def is_zip(head: bytes) -> bool:
    """Whether this begins as a ZIP archive, the envelope of Office files."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def sniff(data: bytes, suffix: str) -> Format:
    """The format of a file from its bytes and its extension (lower case, with the dot).

    Text that announces no format of its own is what its extension says, and plain text otherwise.

    Raises `NotReadableError` for known formats that are not read and for binary signatures.
    """
    head = data[:8192]
    if is_pdf(head):
        return Format.PDF
    if is_zip(head):
        return _inside_zip(data)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _old_office(data)
    if head.startswith(b"{\\rtf"):
        raise NotReadableError("unknown_format", "RTF is not read; save it as DOCX or PDF")
    for signature, what in SIGNATURES:
        if head.startswith(signature):
            raise NotReadableError("binary", f"it is {what}, not a text document")
    if head[4:8] == b"ftyp":
        raise NotReadableError("binary", "it is a video or image file, not a text document")
    named = BY_EXTENSION.get(suffix)
    if suffix in {".md", ".markdown"}:
        return Format.MARKDOWN
    if HTML_START.match(head):
        return Format.HTML
    if named is not None:
        return named
    if suffix in {".pdf", ".docx", ".pptx", ".xlsx", ".docm", ".xlsm", ".pptm"} and b"\x00" in head:
        raise NotReadableError("broken", f"it is named {suffix} and its content is damaged or of another kind")
    return Format.TEXT


def _inside_zip(data: bytes) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            kind = (
                archive.read("mimetype")[:80]
                if "mimetype" in names and archive.getinfo("mimetype").file_size < 200
                else b""
            )
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ) as error:
        raise NotReadableError(
            "broken", "the file is damaged or cut off (its ZIP directory cannot be read); save it again"
        ) from error
    if "[Content_Types].xml" in names:
        for prefix, office in OFFICE_PARTS:
            if any(name.startswith(prefix) for name in names):
                return office
    if b"opendocument" in kind:
        raise NotReadableError("unknown_format", "OpenDocument is not read; save it as DOCX, XLSX or PDF")
    if b"epub" in kind:
        raise NotReadableError("unknown_format", "EPUB is not read; save it as HTML or PDF")
    raise NotReadableError("unknown_format", "it is a ZIP archive; unpack it and give the folder")


def _old_office(data: bytes) -> NotReadableError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return NotReadableError("encrypted", "it is protected by a password; save it without one")
    for stream, what, instead in (
        ("WordDocument", "an old Word file (.doc)", "DOCX"),
        ("Workbook", "an old Excel file (.xls)", "XLSX"),
        ("PowerPoint Document", "an old PowerPoint file (.ppt)", "PPTX"),
        ("__substg1.0_", "an Outlook message (.msg)", "text or PDF"),
    ):
        if stream.encode("utf-16-le") in data:
            return NotReadableError("unknown_format", f"it is {what}; save it as {instead}")
    return NotReadableError("unknown_format", "it is an old Office file; save it in a current format or as PDF")
