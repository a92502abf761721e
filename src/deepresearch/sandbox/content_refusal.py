"""What it means that an output is not handed on."""

from __future__ import annotations

#: Pixels of one picture, all its frames together. A figure of 20 by 15 inches at 300 dots has 27 million.
LARGEST_PIXELS = 100_000_000


class Refused(ValueError):
    """An output must not be handed on. `reason` is half a sentence that fits behind its name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def refuse_pixels(width: int, height: int, frames: int, largest: int) -> None:
    """Raise `Refused` for a picture without pixels or with more than `largest`."""
    if width <= 0 or height <= 0:
        raise Refused(f"a picture of {width} by {height} pixels")
    if width * height * max(frames, 1) > largest:
        times = f", {frames} frames" if frames > 1 else ""
        raise Refused(f"a picture of {width} by {height} pixels{times}, over the limit of {largest} pixels")
