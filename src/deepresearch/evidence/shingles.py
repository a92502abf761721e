"""Texts compared as wholes: shared runs of words, exactly for a pair and by sketches for many."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

from deepresearch.evidence.words import words

RUN = 5
"""Words in a shingle."""

SKETCH = 200
"""Smallest hashes kept of a text: enough to estimate a shared part to about 7 points."""

_LARGEST = 1_000_000


def shingles(text: str, run: int = RUN) -> frozenset[int]:
    """Hashes of all runs of `run` words; a shorter text is one run. At most the first million characters are read."""
    tokens = words(text[:_LARGEST])
    if not tokens:
        return frozenset()
    if len(tokens) <= run:
        return frozenset((zlib.crc32(" ".join(tokens).encode()),))
    return frozenset(
        zlib.crc32(" ".join(tokens[index : index + run]).encode()) for index in range(len(tokens) - run + 1)
    )


def resemblance(first: frozenset[int], second: frozenset[int]) -> float:
    """Shared part of all shingles (Jaccard), 0 to 1."""
    if not first or not second:
        return 0.0
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def containment(first: frozenset[int], second: frozenset[int]) -> float:
    """Shared part of the smaller text's shingles, 0 to 1."""
    return len(first & second) / min(len(first), len(second)) if first and second else 0.0


def candidate_pairs(texts: Mapping[str, frozenset[int]]) -> set[tuple[str, str]]:
    """Pairs of keys whose texts may share much: those with a common hash among their smallest (Broder's
    sketches).

    Hashes that many texts share (headers, licences) are left out, so that the work stays near-linear.
    """
    holders: dict[int, list[str]] = {}
    for key in sorted(texts):
        for value in _smallest(texts[key]):
            holders.setdefault(value, []).append(key)
    most = max(20, len(texts) // 10)
    pairs: dict[tuple[str, str], int] = {}
    for keys in holders.values():
        if 1 < len(keys) <= most:
            for index, first in enumerate(keys):
                for second in keys[index + 1 :]:
                    pairs[(first, second)] = pairs.get((first, second), 0) + 1
    return {pair for pair, count in pairs.items() if count >= 3 or min(len(texts[pair[0]]), len(texts[pair[1]])) < 30}


def _smallest(hashes: Iterable[int]) -> list[int]:
    return sorted(hashes)[:SKETCH]
