"""Whether a claim says with the words of its evidence what the evidence does not say.

Shared words prove nothing when ``rose`` stands where ``fell`` stood, when buyer and bought have changed places, or
when the figure of one year is told of another. Two turnings undo each other: *A is higher than B* is *B is lower than
A*, and *A bought B* is *B was bought by A*.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from deepresearch.evidence import words
from deepresearch.evidence.dates import Period
from deepresearch.evidence.exchanged import exchanged
from deepresearch.evidence.facts import values_and_periods
from deepresearch.evidence.opposites import directions, opposite_words
from deepresearch.evidence.quantities import Comparison, Quantity, compare

#: The name of the feature of a check that says so.
TURNED = "turned"

_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_FROM_TO = re.compile(
    r"\bfrom\b[^\d.;]{0,40}?(?P<a>\d[\d,]*(?:\.\d+)?)(?P<between>[^;]{0,80}?)\bto\b[^\d;]{0,40}?(?P<b>\d[\d,]*(?:\.\d+)?)"
)
_TO_FROM = re.compile(
    r"\bto\b[^\d.;]{0,40}?(?P<b>\d[\d,]*(?:\.\d+)?)(?P<between>[^;]{0,80}?)\bfrom\b[^\d;]{0,40}?(?P<a>\d[\d,]*(?:\.\d+)?)"
)

_Bound: TypeAlias = tuple[tuple[Quantity, Period], ...]


@dataclass(frozen=True, slots=True)
class Turned:
    """What was found, in words as written.

    `opposite` is the claim's word, then the sentence's; `swapped` are two parts that changed places; `mixed_up` a value
    and the time that the claim tells it of. `is_turned` says whether the claim as a whole says something else.
    """

    opposite: tuple[str, str] | None = None
    swapped: tuple[str, str] | None = None
    mixed_up: tuple[str, str] | None = None

    @property
    def is_turned(self) -> bool:
        """One turning, or a figure told of another time; two turnings undo each other."""
        return self.mixed_up is not None or (self.opposite is None) != (self.swapped is None)

    def __str__(self) -> str:
        """What is turned, as the beginning of a sentence; empty when nothing is."""
        if not self.is_turned:
            return ""
        if self.mixed_up is not None:
            return f"The evidence has “{self.mixed_up[0]}” for another time than {self.mixed_up[1]}"
        if self.opposite is not None:
            return f"The claim says “{self.opposite[0]}” where the evidence says “{self.opposite[1]}”"
        first, second = self.swapped or ("", "")
        return f"“{first}” and “{second}” stand in each other's place in the evidence"


def turned(claim: str, sentence: str, language: str) -> Turned:
    """Compare a claim with a sentence that holds nearly all of its words."""
    said, told = words.words(claim), words.words(sentence)
    if said == told:
        return Turned()
    opposite = opposite_words(said, told)
    ours, theirs = _bound(claim), _bound(sentence)
    # What is told of which time decides about numbers; their order does not.
    settled = len(ours) > 1 and all(_is_told(*one, theirs) for one in ours)
    swapped = exchanged(claim, sentence, language, opposite=opposite, numbers=not settled)
    return Turned(opposite, swapped, _mixed_up(ours, theirs))


def turned_round(claim: str, evidence: Sequence[str]) -> str | None:
    """What in a claim that a model worded goes against its evidence, in words; None when nothing is found.

    Stricter than `turned`: it asks of all the evidence together, however little of the claim it holds, and whether the
    claim goes against itself.
    """
    if (reason := wrong_way(claim)) is not None:
        return reason
    language = words.language_of(claim)
    sentences = [span.text for text in evidence for span in words.sentences(text)]
    each = [turned(claim, sentence, language) for sentence in sentences]
    undone = any(found.opposite and found.swapped for found in each)
    whole = Turned(
        None if undone else opposite_words(words.words(claim), words.words(" ".join(sentences))),
        None if undone else next((found.swapped for found in each if found.swapped), None),
        _mixed_up(_bound(claim), tuple(one for sentence in sentences for one in _bound(sentence))),
    )
    return str(whole) or None


def wrong_way(claim: str) -> str | None:
    """A rise to a smaller number, or a fall to a greater one, said in the claim itself; None when there is none."""
    up, down = directions(words.words(claim))
    if up == down:
        return None
    for pattern in (_FROM_TO, _TO_FROM):
        for match in pattern.finditer(claim):
            first, second = match["a"], match["b"]
            if _YEAR.fullmatch(first) or _YEAR.fullmatch(second):
                continue
            before, after = (float(number.rstrip(",").replace(",", "")) for number in (first, second))
            if before != after and (after > before) != up:
                return f"From {first} to {second} is no {'rise' if up else 'fall'}"
    return None


@lru_cache(maxsize=1024)
def _bound(text: str) -> _Bound:
    """The values of a text with the times they are for; none when it has fewer than two digits.

    Kept, since a claim is asked beside several sentences and a sentence beside several claims.
    """
    if sum(character.isdigit() for character in text) < 2:
        return ()
    return tuple((value, period) for value, period in values_and_periods(text) if period is not None)


def _is_told(value: Quantity, period: Period, theirs: _Bound) -> bool:
    return any(when.same(period) and compare(value, other) is Comparison.SAME for other, when in theirs)


def _mixed_up(ours: _Bound, theirs: _Bound) -> tuple[str, str] | None:
    """A value and the time the claim gives it for, when the sentence has both, each with another partner only."""
    for value, period in ours:
        if _is_told(value, period, theirs):
            continue
        elsewhere = any(compare(value, other) is Comparison.SAME for other, _ in theirs)
        then = any(when.same(period) and compare(value, other) is Comparison.DIFFERENT for other, when in theirs)
        if elsewhere and then:
            return value.text, period.text
    return None
