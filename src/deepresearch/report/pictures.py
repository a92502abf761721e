"""Pictures made safe to show: the type is read from the bytes, and SVG keeps only what draws.

An SVG in an ``<img>`` runs no script and loads nothing, by the rules of browsers; but a person may also open
the file itself, where it would. So every SVG is rebuilt from an allow list before it is written anywhere.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped,unused-ignore]

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_MAX_SVG_BYTES = 16 * 1024 * 1024

_ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "defs",
        "symbol",
        "use",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "textPath",
        "title",
        "desc",
        "style",
        "image",
        "clipPath",
        "mask",
        "linearGradient",
        "radialGradient",
        "stop",
        "pattern",
        "marker",
        "switch",
    ]
)
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
}
_RASTER_DATA = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*\Z")
_LOCAL_REFERENCE = re.compile(r"#[^\s\"'()\\]+\Z")
# Anything in a style that could fetch: an import, or url() with anything but a local reference. A backslash
# could spell these in disguise.
_FETCHING_STYLE = re.compile(r"@|\\|expression\s*\(|image(?:-set)?\s*\(|url\s*\((?!\s*[\"']?#)", re.IGNORECASE)


def media_type_of(content: bytes) -> str | None:
    """Return the media type that the bytes themselves show, or None for anything a report cannot hold."""
    for signature, media_type in _SIGNATURES:
        if content.startswith(signature):
            return media_type
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return "image/svg+xml" if _svg_root(content) is not None else None


def extension_for(media_type: str) -> str:
    """Return the file extension, with its dot, for a media type that `media_type_of` can return."""
    return _EXTENSIONS[media_type]


def safe_picture(content: bytes) -> tuple[str, bytes] | None:
    """Return the media type and bytes that are safe to write and show, or None when they are no picture."""
    media_type = media_type_of(content)
    if media_type is None:
        return None
    return media_type, sanitised_svg(content) if media_type == "image/svg+xml" else content


def data_address(media_type: str, content: bytes) -> str:
    """Return the picture as a ``data:`` address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def sanitised_svg(content: bytes) -> bytes:
    """Rebuild an SVG from what draws: no script, no event, no foreign content, no reference out of the file.

    Comments, processing instructions, the document type with its entities and metadata go as well.
    Raises `ValueError` for bytes that are no SVG.
    """
    root = _svg_root(content)
    if root is None:
        raise ValueError("these bytes are no SVG")
    clean = _clean_copy(root)
    etree.cleanup_namespaces(clean, top_nsmap={None: _SVG, "xlink": _XLINK})
    cleaned: bytes = etree.tostring(clean, encoding="utf-8", xml_declaration=True)
    return cleaned


def _svg_root(content: bytes) -> Any | None:
    if len(content) > _MAX_SVG_BYTES or b"<" not in content[:4096]:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root.tag == f"{{{_SVG}}}svg" else None


def _clean_copy(element: Any) -> Any:
    # Depth is bounded: the parser refuses trees deeper than 256.
    copy = etree.Element(element.tag, nsmap=element.nsmap if element.getparent() is None else None)
    for name, value in element.attrib.items():
        if _attribute_is_harmless(etree.QName(element).localname, name, value):
            copy.set(name, value)
    copy.text = element.text
    last = None
    for child in element:
        keep = isinstance(child.tag, str) and _element_is_harmless(child)
        if keep:
            last = _clean_copy(child)
            last.tail = child.tail
            copy.append(last)
        elif child.tail:
            if last is None:
                copy.text = (copy.text or "") + child.tail
            else:
                last.tail = (last.tail or "") + child.tail
    return copy


def _element_is_harmless(element: Any) -> bool:
    name = etree.QName(element)
    if name.namespace != _SVG or name.localname not in _ELEMENTS:
        return False
    if name.localname == "style":
        return len(element) == 0 and not _FETCHING_STYLE.search(element.text or "")
    return True


def _attribute_is_harmless(element: str, name: str, value: str) -> bool:
    qualified = etree.QName(name)
    local = qualified.localname
    if local == "href":
        if element == "image":
            return bool(_RASTER_DATA.match(value))
        return qualified.namespace in (None, _XLINK) and bool(_LOCAL_REFERENCE.match(value))
    if qualified.namespace not in (None, "http://www.w3.org/XML/1998/namespace") or local == "base":
        return False
    return not local.lower().startswith("on") and not _FETCHING_STYLE.search(value)
