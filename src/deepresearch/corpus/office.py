"""What the Office formats share: a ZIP archive opened within bounds, XML without entities, properties."""

from __future__ import annotations

import datetime
import io
import zipfile
from typing import Any

from deepresearch.corpus.dating import version_of
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.parsed import Parsed, one_line
from deepresearch.corpus.sniffing import NotReadableError

# What opening a damaged archive raises, in zipfile and in the decompressor below it.
ZIP_ERRORS = (zipfile.BadZipFile, OSError, ValueError, KeyError, NotImplementedError, RuntimeError, EOFError)
MAX_PARTS = 20_000
# Moments that libraries' empty templates carry; a document made from one says nothing by them.
TEMPLATE_MOMENTS = frozenset({"2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z", "2013-01-27T09:15:58Z"})
CORE = "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}"
TERMS = "{http://purl.org/dc/terms/}"
ELEMENTS = "{http://purl.org/dc/elements/1.1/}"


class OfficeArchive:
    """The parts of an Office file, each read whole and only within the limits.

    Python's `zipfile` never gives more bytes of a part than its directory entry announces, so that the
    announced sizes can be checked before anything is unpacked.
    """

    def __init__(self, data: bytes, limits: LoadLimits) -> None:
        self.limits = limits
        try:
            self.archive = zipfile.ZipFile(io.BytesIO(data))
            entries = self.archive.infolist()
        except ZIP_ERRORS as error:
            raise broken() from error
        if any(entry.flag_bits & 1 for entry in entries):
            raise NotReadableError("encrypted", "it is protected by a password; save it without one")
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > limits.unpacked_bytes or len(entries) > MAX_PARTS:
            raise NotReadableError(
                "too_large",
                f"it unpacks to {unpacked / 1e6:,.0f} MB in {len(entries):,} parts and the limit is "
                f"{limits.unpacked_bytes / 1e6:,.6g} MB in {MAX_PARTS:,}",
            )
        self.names = {entry.filename for entry in entries}

    def part(self, name: str) -> bytes | None:
        """The bytes of one part, or None when the archive has none of this name."""
        if name not in self.names:
            return None
        size = self.archive.getinfo(name).file_size
        if size > self.limits.part_bytes:
            raise NotReadableError(
                "too_large",
                f"its part {name} unpacks to {size / 1e6:,.0f} MB "
                f"and the limit is {self.limits.part_bytes / 1e6:,.6g} MB",
            )
        try:
            return self.archive.read(name)
        except Exception as error:
            # zlib.error, lzma.LZMAError and others share no base below Exception.
            raise broken() from error

    def xml(self, name: str) -> Any | None:
        """The root element of one XML part, or None when there is none of this name."""
        data = self.part(name)
        return None if data is None else parse_xml(data)

    def properties(self, parsed: Parsed) -> None:
        """Take title, date and version from the core properties, where they are set."""
        try:
            root = self.xml("docProps/core.xml")
        except NotReadableError:
            return
        if root is None:
            return
        title = one_line(root.findtext(ELEMENTS + "title") or "")
        if title and title.lower() not in {"word document", "powerpoint presentation", "document", "title"}:
            parsed.title = title
        for tag in (TERMS + "modified", TERMS + "created"):
            value = (root.findtext(tag) or "").strip()
            if value in TEMPLATE_MOMENTS:
                continue
            value = value[:10]
            try:
                parsed.date = datetime.date.fromisoformat(value)
                break
            except ValueError:
                continue
        if version := one_line(root.findtext(CORE + "version") or ""):
            parsed.version = version_of(version)


def parse_xml(data: bytes) -> Any:
    """The root of an XML part. Entities are not resolved, nothing is fetched.

    Raises `NotReadableError` with kind ``broken``.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise broken() from error
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        # Office never writes a document type; entities in one are an attack.
        raise broken()
    return root


def broken() -> NotReadableError:
    """The refusal of a damaged Office file."""
    return NotReadableError("broken", "the file is damaged or cut off; open and save it again")
