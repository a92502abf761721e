"""What to say when files could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.model.documents import RefusedSource


def nothing_readable(refused: Sequence[RefusedSource]) -> str:
    """The sentence for a person none of whose files could be read."""
    first = refused[0]
    if len(refused) == 1:
        return f"{first.source}: {first.reason}"
    return f"None of the {len(refused)} files could be read; the first, {first.source}: {first.reason}"
