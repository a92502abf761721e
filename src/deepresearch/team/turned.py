"""Sentences that say another thing than their evidence with nearly the same words.

The support check (`evidence.check_support`) weighs words and numbers, so "rose" for "fell", or two figures that changed
places, can pass it. A sentence that a model worded is looked at here as well. What is found is a contradiction by
construction (opposite words, a value with another year, a rise to a smaller figure); two names that changed places are
not found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain

#: The name of the feature of a check that says so.
TURNED = "turned_round"

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_WORD = re.compile(r"[^\W\d_]+(?:['’]\w+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])|\n+")

#: Opposites, each side with its synonyms and forms. A word stands for a side only where nothing of it is ambiguous.
_OPPOSITES: tuple[tuple[str, str], ...] = (
    (
        "rose rise rises risen rising grew grow grows grown growing increase increases increased increasing climbed "
        "climb climbs gained gain gains soared jumped surged doubled tripled expanded went-up upward up",
        "fell fall falls fallen falling declined decline declines declining decreased decrease decreases decreasing "
        "dropped drop drops shrank shrink shrinks shrunk plunged slumped halved contracted reduced reduce reduces "
        "reduction went-down downward down",
    ),
    ("higher highest high", "lower lowest low"),
    ("more most", "less least fewer fewest little few"),
    ("larger largest bigger biggest large big", "smaller smallest small"),
    ("longer longest", "shorter shortest"),
    ("faster fastest quicker", "slower slowest"),
    ("older oldest", "newer newest younger youngest"),
    ("better best improved improve improves", "worse worst worsened deteriorated"),
    ("cheaper cheapest", "dearer costlier costliest"),
    ("before", "after"),
    ("earlier earliest", "later latest"),
    ("first", "last"),
    ("above over exceeded exceeds exceeding", "below under"),
    ("minimum", "maximum"),
    ("north northern", "south southern"),
    ("east eastern", "west western"),
    (
        "approved approve approves accepted accept accepts agreed adopted granted passed",
        "rejected reject rejects refused refuse refuses denied declined-to turned-down vetoed",
    ),
    ("allowed allows permitted permits may", "forbidden forbids prohibited prohibits banned"),
    ("opened opens open", "closed closes shut"),
    ("won wins win", "lost loses lose"),
    ("profit profits", "loss losses"),
    ("surplus", "deficit"),
    ("started begun began begins started", "ended ended stopped ceased finished"),
    ("always", "never"),
    ("all every", "none no"),
    ("with", "without"),
    ("succeeded succeeds successful", "failed fails unsuccessful"),
    ("bought buys purchased purchases", "sold sells"),
    ("imports imported import", "exports exported export"),
    ("hired hires", "dismissed fired"),
    ("safe", "unsafe dangerous"),
    ("possible", "impossible"),
    ("true", "false"),
    ("mandatory compulsory required", "optional voluntary"),
)
_RISES = frozenset(_OPPOSITES[0][0].split()) | {"up"}
_FALLS = frozenset(_OPPOSITES[0][1].split()) | {"down"}
_FROM_TO = re.compile(
    r"\bfrom\b[^\d.;]{0,40}?(?P<a>\d[\d,]*(?:\.\d+)?)(?P<between>[^;]{0,80}?)\bto\b[^\d;]{0,40}?(?P<b>\d[\d,]*(?:\.\d+)?)"
)
_TO_FROM = re.compile(
    r"\bto\b[^\d.;]{0,40}?(?P<b>\d[\d,]*(?:\.\d+)?)(?P<between>[^;]{0,80}?)\bfrom\b[^\d;]{0,40}?(?P<a>\d[\d,]*(?:\.\d+)?)"
)


def turned(claim: str, evidence: Sequence[str]) -> str | None:
    """What in a claim says the opposite of its evidence, in words; None when nothing is found."""
    return _opposite(claim, evidence) or wrong_way(claim) or _other_year(claim, evidence)


@lru_cache(maxsize=1)
def _sides() -> Mapping[str, tuple[tuple[int, int], ...]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for number, pair in enumerate(_OPPOSITES):
        for side, words in enumerate(pair):
            for word in words.split():
                found.setdefault(word, []).append((number, side))
    return {word: tuple(places) for word, places in found.items()}


def _said(text: str) -> dict[int, set[int]]:
    """Which sides of which opposites a text says."""
    sides = _sides()
    said: dict[int, set[int]] = {}
    for word in _WORD.findall(text.casefold()):
        for number, side in sides.get(word, ()):
            said.setdefault(number, set()).add(side)
    return said


def _opposite(claim: str, evidence: Sequence[str]) -> str | None:
    """A word of the claim whose opposite, and not itself or a synonym, stands in the evidence."""
    theirs = _said(" ".join(evidence))
    for number, ours in _said(claim).items():
        if len(ours) == 1 and theirs.get(number) == {1 - next(iter(ours))}:
            words = _OPPOSITES[number][next(iter(ours))].split()
            word = next(one for one in _WORD.findall(claim.casefold()) if one in words)
            return f"“{word}” stands against the evidence"
    return None


def wrong_way(claim: str) -> str | None:
    """A rise to a smaller number, or a fall to a greater one, said in the claim itself."""
    words = set(_WORD.findall(claim.casefold()))
    up, down = bool(words & _RISES), bool(words & _FALLS)
    if up == down:
        return None
    for pattern in (_FROM_TO, _TO_FROM):
        for match in pattern.finditer(claim):
            first, second = match["a"], match["b"]
            if _is_year(first) or _is_year(second):
                continue
            before, after = _value(first), _value(second)
            if before != after and (after > before) != up:
                return f"from {first} to {second} is no {'rise' if up else 'fall'}"
    return None


def _other_year(claim: str, evidence: Sequence[str]) -> str | None:
    """A value that the evidence gives for one year and the claim for another."""
    theirs: dict[str, set[str]] = {}
    for sentence in chain.from_iterable(_SENTENCE.split(text) for text in evidence):
        for value, year in paired(sentence):
            theirs.setdefault(value, set()).add(year)
    ours = [pair for sentence in _SENTENCE.split(claim) for pair in paired(sentence)]
    known = {year for years in theirs.values() for year in years}
    for value, year in ours:
        if value in theirs and year not in theirs[value] and year in known:
            return f"{value} is given for {min(theirs[value])}, not for {year}"
    return None


def paired(sentence: str) -> list[tuple[str, str]]:
    """The values of a sentence with their years, where it has as many of the one as of the other: in order."""
    numbers = _NUMBER.findall(sentence)
    years = [number for number in numbers if _is_year(number)]
    values = [number.rstrip(",").replace(",", "") for number in numbers if not _is_year(number)]
    return list(zip(values, years, strict=True)) if len(years) == len(values) else []


def _is_year(number: str) -> bool:
    return _YEAR.fullmatch(number) is not None


def _value(number: str) -> float:
    return float(number.rstrip(",").replace(",", ""))
