"""One file in, one `Document` out, or one `SourceError` that says why not."""

from __future__ import annotations

import datetime
import hashlib
import re
from pathlib import Path

from deepresearch.corpus.dating import (
    date_in_first_lines,
    date_in_name,
    version_in_first_lines,
    version_in_name,
)
from deepresearch.corpus.decoding import NotTextError, decode_text
from deepresearch.corpus.file_names import absolute, source_name
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Parsed, storable
from deepresearch.corpus.reading import read_bytes
from deepresearch.corpus.sniffing import Format, NotReadableError, is_pdf, is_zip, sniff
from deepresearch.model.documents import Document
from deepresearch.model.errors import SourceError

DEFAULT_LIMITS = LoadLimits()
OFFICE_EXTENSIONS = {
    Format.PDF: (".pdf",),
    Format.DOCX: (".docx", ".docm", ".dotx"),
    Format.XLSX: (".xlsx", ".xlsm", ".xltx"),
    Format.PPTX: (".pptx", ".pptm", ".ppsx"),
    Format.HTML: (".html", ".htm", ".xhtml"),
}
NAMES = {
    Format.PDF: "a PDF",
    Format.DOCX: "DOCX",
    Format.XLSX: "XLSX",
    Format.PPTX: "PPTX",
    Format.HTML: "HTML",
}


def load(path: str | Path, limits: LoadLimits = DEFAULT_LIMITS) -> Document:
    """Read one file by what its bytes are, whatever its extension says.

    The stored text of plain text, Markdown, CSV and JSON is the decoded file itself. `source` is the
    absolute path; bytes of a file name that are not UTF-8 stand in it as ``\\xNN``.

    Raises `SourceError` (kinds in its docstring), and nothing else for any content of the file.
    """
    path = absolute(path)

    def limit_for(head: bytes) -> tuple[int, str]:
        if is_pdf(head):
            return limits.pdf_bytes, "PDF files"
        if is_zip(head):
            return limits.office_bytes, "Office files"
        return limits.text_bytes, "text files"

    data = read_bytes(path, limit_for)
    return load_bytes(data, source_name(path), limits)


def load_bytes(
    data: bytes,
    source: str,
    limits: LoadLimits = DEFAULT_LIMITS,
    media_type: str | None = None,
    charset: str | None = None,
    *,
    main_only: bool = False,
) -> Document:
    """The document that `data` holds. `source` is the path or address it came from.

    `media_type` and `charset` are what a server says of it. The first stands in for the extension, the second for
    a charset that a page does not name itself. With `main_only` a page is read without what is beside its matter.

    Raises `SourceError`.
    """
    name = source.replace("\\", "/").rstrip("/").rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    suffix = _suffix_of(media_type) or ("." + extension.lower() if dot and stem else "")
    if not data:
        raise SourceError(source, "empty", "the file is empty (0 bytes)")
    try:
        kind = sniff(data, suffix)
        parsed = _parsed(kind, data, suffix, limits, charset, main_only)
    except NotReadableError as error:
        raise SourceError(source, error.kind, error.reason) from error
    except MemoryError as error:
        raise SourceError(source, "too_large", "reading it needs more memory than there is; split it") from error
    except RecursionError as error:
        raise SourceError(source, "broken", "its parts are nested too deep to be read") from error
    except Exception as error:
        # Whatever a parser meets in a hostile file, the caller gets one sentence and the other files go on.
        raise SourceError(source, "broken", f"its content cannot be read ({type(error).__name__})") from error
    if not parsed.text.strip("\ufeff \t\r\n\x0c\v\u00a0"):
        raise SourceError(source, "empty" if kind in TEXT_FORMATS else "no_text", "there is no text in it")
    _date(parsed, stem if dot and stem else name, prose=kind not in RECORD_FORMATS)
    if (usual := OFFICE_EXTENSIONS.get(kind)) and suffix and suffix not in usual:
        parsed.notes.append(f"Read as {NAMES[kind]} although it is named {suffix}.")
    return Document.model_construct(
        sha256=hashlib.sha256(data).hexdigest(),
        source=source,
        media_type=parsed.media_type,
        title=storable(parsed.title or "").strip()[:300] or _title_from(stem if dot and stem else name),
        text=parsed.text,
        date=parsed.date,
        version=parsed.version,
        pages=tuple(parsed.pages),
        headings=tuple(parsed.headings),
        tables=tuple(parsed.tables),
        notes=tuple(parsed.notes),
    )


BY_MEDIA_TYPE = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/markdown": ".md",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "text/plain": ".txt",
}
RECORD_FORMATS = frozenset({Format.CSV, Format.JSON, Format.JSON_LINES})
TEXT_FORMATS = frozenset({Format.TEXT, Format.MARKDOWN, Format.CSV, Format.JSON, Format.JSON_LINES})


def _parsed(kind: Format, data: bytes, suffix: str, limits: LoadLimits, charset: str | None, main_only: bool) -> Parsed:
    if kind is Format.PDF:
        from deepresearch.corpus.pdf import parse_pdf

        return parse_pdf(data, limits)
    if kind is Format.DOCX:
        from deepresearch.corpus.word import parse_word

        return parse_word(data, limits)
    if kind is Format.XLSX:
        from deepresearch.corpus.spreadsheet import parse_spreadsheet

        return parse_spreadsheet(data, limits)
    if kind is Format.PPTX:
        from deepresearch.corpus.slides import parse_slides

        return parse_slides(data, limits)
    return _parsed_text(kind, data, suffix, limits, charset, main_only)


def _parsed_text(
    kind: Format, data: bytes, suffix: str, limits: LoadLimits, said: str | None, main_only: bool
) -> Parsed:
    from deepresearch.corpus.delimited import parse_delimited
    from deepresearch.corpus.json_records import parse_json
    from deepresearch.corpus.markdown import parse_markdown
    from deepresearch.corpus.plain_text import parse_plain_text
    from deepresearch.corpus.web_page import declared_charset, parse_web_page

    declared = (declared_charset(data) if kind is Format.HTML else None) or said
    try:
        text, charset = decode_text(data, declared)
    except NotTextError as error:
        named = f" although it is named {suffix}" if suffix else ""
        raise NotReadableError("binary", f"it holds binary data, not text{named}") from error
    if kind is Format.HTML:
        parsed = parse_web_page(text, limits, main_only=main_only)
    elif kind is Format.MARKDOWN:
        parsed = parse_markdown(text, limits)
    elif kind is Format.CSV:
        parsed = parse_delimited(text, limits, "\t" if suffix in {".tsv", ".tab"} and "\t" in text[:20_000] else None)
    elif kind in (Format.JSON, Format.JSON_LINES):
        parsed = parse_json(text, limits, lines=kind is Format.JSON_LINES)
    else:
        parsed = parse_plain_text(text)
    if charset != "utf-8":
        parsed.notes.append(f"Decoded from {charset}.")
    return parsed


def _date(parsed: Parsed, stem: str, *, prose: bool) -> None:
    """Complete date and version: the document's own words first, then its file name, then its metadata.

    Metadata often tells when a file was converted or saved, so that a file name that disagrees is believed.
    """
    said = parsed.date if parsed.date_is_said else None
    if said is None and prose:
        said = date_in_first_lines(parsed.text)
    named, year_only = date_in_name(stem)
    if said is None and named is not None and year_only and _fits(parsed.date, named.year):
        said = parsed.date
    elif said is None and named is not None and year_only:
        parsed.notes.append(f"Dated only by the year in its file name ({named.year}).")
    parsed.date = said or named or parsed.date
    if parsed.version is None and prose:
        parsed.version = version_in_first_lines(parsed.text)
    parsed.version = parsed.version or version_in_name(stem)


def _fits(date: datetime.date | None, year: int) -> bool:
    """Whether metadata agree with a year in the file name: the report on a year often comes in the next."""
    return date is not None and date.year in (year, year + 1)


def _suffix_of(media_type: str | None) -> str | None:
    if media_type is None:
        return None
    kind = media_type.split(";")[0].strip().lower()
    return BY_MEDIA_TYPE.get(kind)


def _title_from(stem: str) -> str:
    title = " ".join(re.sub(r"[_\-]+", " ", stem).split())
    return title or stem or "untitled"
