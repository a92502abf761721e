"""Pictures made safe to show, by the same inspection that the sandbox's outputs pass.

A figure was inspected when its run ended. It is inspected once more before it is written beside a report, since a
person may open the file itself, where an SVG could run scripts, and a store is a place others may have written to.
"""

from __future__ import annotations

import base64

from deepresearch.sandbox.content import Refused, inspect

_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
}


def safe_picture(content: bytes) -> tuple[str, bytes] | None:
    """The media type and bytes that are safe to write and show, or None when they are no picture or not safe."""
    try:
        inspected = inspect(content)
    except Refused:
        return None
    return (inspected.media_type, inspected.content) if inspected.media_type in _EXTENSIONS else None


def extension_for(media_type: str) -> str:
    """The file extension, with its dot, for a media type that `safe_picture` can return."""
    return _EXTENSIONS[media_type]


def data_address(media_type: str, content: bytes) -> str:
    """The picture as a ``data:`` address."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
