"""How much of the web one session takes, and how gently."""

from __future__ import annotations

from pydantic import Field

from deepresearch.model.base import Value

MEGABYTE = 1_000_000


class WebLimits(Value):
    """Bounds for fetching. Sizes are in bytes after decompression, times in seconds.

    `seconds` bounds one request from its first packet to its last; `read_seconds` one wait within it. `pause_seconds`
    lie between two requests to one site; a site that asks for more in its robots.txt gets up to `longest_pause`.
    """

    page_bytes: int = Field(default=10 * MEGABYTE, gt=0)
    pdf_bytes: int = Field(default=50 * MEGABYTE, gt=0)
    robots_bytes: int = Field(default=500_000, gt=0)
    seconds: float = Field(default=30.0, gt=0)
    connect_seconds: float = Field(default=10.0, gt=0)
    read_seconds: float = Field(default=10.0, gt=0)
    redirects: int = Field(default=5, ge=0)
    pause_seconds: float = Field(default=1.0, ge=0)
    longest_pause: float = Field(default=10.0, ge=0)
    connections: int = Field(default=6, gt=0)
