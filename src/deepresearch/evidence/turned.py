"""Whether a claim says with the words of a sentence what the sentence does not say: turned round, or mixed up.

Shared words prove nothing when ``rose`` stands where ``fell`` stood, when buyer and bought have changed places, or
when the figure of one year is told of another. Each is looked for beside one sentence that holds nearly all of the
claim. Two turnings undo each other: *A is higher than B* is *B is lower than A*, and *A bought B* is *B was bought by A*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from deepresearch.evidence import words
from deepresearch.evidence.facts import values_and_periods
from deepresearch.evidence.opposites import opposite_words
from deepresearch.evidence.quantities import Comparison, compare

#: How many more neighbours must fit after two parts have changed places again.
LEAST_GAIN = 2

#: With more parts than this that both have, places are not compared.
_MOST_ANCHORS = 8

_JOINED = words.word_set("and or nor as well und oder sowie et ou y e o en och og")
_AGENT = words.word_set("by von durch par por da dal dalla door pelo pela av af")
# What holds of two things in either order.
_SYMMETRICAL = words.word_set("""
    between both together each other same equal equals equalled identical similar alike differ differs differed
    different difference adjacent border borders bordered bordering neighbour neighbours neighbor neighbors marry
    marries married marriage wedding met meet meets meeting agree agreed agreement compete competes competed merge merged
    merges merger partner partners partnered collaborate collaborated cooperate cooperated correspond corresponds
    shared share shares zwischen beide gleich heiratete verheiratet traf trafen""")


@dataclass(frozen=True, slots=True)
class Turned:
    """What was found. Words as written: the claim's, then the sentence's; or the two parts that changed places.

    `is_turned` says whether the claim as a whole says something else.
    """

    opposite: tuple[str, str] | None = None
    swapped: tuple[str, str] | None = None
    mixed_up: tuple[str, str] | None = None

    @property
    def is_turned(self) -> bool:
        """One turning, or a figure told of another time; two turnings undo each other."""
        return self.mixed_up is not None or (self.opposite is None) != (self.swapped is None)


def turned(claim: str, sentence: str, language: str) -> Turned:
    """Compare a claim with the sentence that holds nearly all of its words."""
    opposite = opposite_words(words.words(claim), words.words(sentence))
    return Turned(opposite, _swapped(claim, sentence, opposite, language), _mixed_up(claim, sentence))


def _mixed_up(claim: str, sentence: str) -> tuple[str, str] | None:
    """A value and the time the claim gives it for, when the sentence has that value at another time and another value then.

    Nothing when the sentence has the value at that time as well, or names only one time or none.
    """
    if sum(character.isdigit() for character in claim) < 2:
        return None
    ours = [(value, period) for value, period in values_and_periods(claim) if period is not None]
    theirs = [(value, period) for value, period in values_and_periods(sentence) if period is not None]
    for value, period in ours:
        then = [other for other, when in theirs if when.same(period)]
        elsewhere = [when for other, when in theirs if compare(value, other) is Comparison.SAME]
        if any(when.same(period) for when in elsewhere):
            continue
        if elsewhere and any(compare(value, other) is Comparison.DIFFERENT for other in then):
            return value.text, period.text
    return None


@dataclass(frozen=True, slots=True)
class _Part:
    """A content word, a number, or a name of several words; `kind` is ``word``, ``number`` or ``name``."""

    kind: str
    key: str
    start: int
    end: int


def _swapped(
    claim: str, sentence: str, opposite: tuple[str, str] | None, language: str
) -> tuple[str, str] | None:
    """Two parts of a claim that stand in each other's place in the sentence; nothing when the voice changes too.

    A word and its `opposite` stand for one another here.
    """
    if any(word in _SYMMETRICAL for word in words.words(claim)):
        return None
    ours, theirs = _parts(claim, sentence, language), _parts(sentence, claim, language)
    same = {words.stem(opposite[0], language): words.stem(opposite[1], language)} if opposite else {}
    keys, others = [same.get(part.key, part.key) for part in ours], [part.key for part in theirs]
    neighbours = set(pairwise(others))
    once = {key for key in keys if keys.count(key) == 1 and others.count(key) == 1}
    rearranged = sorted(keys) == sorted(others)
    anchors = [part for part in ours if part.key in once and (part.kind != "word" or rearranged)]
    if not 2 <= len(anchors) <= _MOST_ANCHORS:
        return None
    places = {part.key: part for part in theirs}
    now = _fitting(keys, neighbours)
    gains: list[tuple[int, _Part, _Part]] = []
    for first, second in combinations(anchors, 2):
        if first.kind != second.kind:
            continue
        if _side_by_side(claim, ours, first, second) and _side_by_side(
            sentence, theirs, places[first.key], places[second.key]
        ):
            continue
        gain = _fitting(_exchanged(keys, [(first.key, second.key)]), neighbours) - now
        gains.append((gain, first, second))
    best = max(gains, key=lambda found: found[0], default=None)
    if best is None:
        return None
    gain, first, second = best
    active = _voice(claim, first, second) == _voice(sentence, places[first.key], places[second.key])
    if gain < LEAST_GAIN:
        return None if active or gain > -LEAST_GAIN else _named(claim, first, second)
    if not active or _is_other_order(keys, neighbours, now + gain, gains):
        return None
    return _named(claim, first, second)


def _named(claim: str, first: _Part, second: _Part) -> tuple[str, str]:
    return claim[first.start : first.end], claim[second.start : second.end]


def _is_other_order(
    keys: Sequence[str], neighbours: set[tuple[str, str]], best: int, gains: Sequence[tuple[int, _Part, _Part]]
) -> bool:
    """Whether two exchanges together fit better than one: the claim tells the same in another order."""
    pairs = [(first.key, second.key) for _, first, second in gains]
    return any(
        _fitting(_exchanged(keys, both), neighbours) > best
        for both in combinations(pairs, 2)
        if len({*both[0], *both[1]}) == 4
    )


def _fitting(keys: Sequence[str], neighbours: set[tuple[str, str]]) -> int:
    return sum(pair in neighbours for pair in pairwise(keys))


def _exchanged(keys: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[str]:
    other = {}
    for first, second in pairs:
        other |= {first: second, second: first}
    return [other.get(key, key) for key in keys]


def _side_by_side(text: str, parts: Sequence[_Part], first: _Part, second: _Part) -> bool:
    """Whether two parts are members of one list: nothing but ``and``, commas and other parts of its kind between."""
    low, high = sorted((first, second), key=lambda part: part.start)
    within = [part for part in parts if low.start <= part.start <= high.start]
    return all(part.kind == low.kind for part in within) and all(
        set(words.words(text[one.end : other.start])) <= _JOINED
        and (words.words(text[one.end : other.start]) or "," in text[one.end : other.start])
        for one, other in pairwise(within)
    )


def _voice(text: str, first: _Part, second: _Part) -> bool:
    """Whether the later of two parts is told as the one who acts."""
    low, high = sorted((first, second), key=lambda part: part.start)
    return any(word in _AGENT for word in words.words(text[low.end : high.start]))


def _parts(text: str, other: str, language: str) -> list[_Part]:
    """The content of a text in order. A first word is a name only when `other` has it so away from a beginning."""
    spans = words.word_spans(text)
    ignored = words.stop_words(language)
    inner = {span.text for index, span in enumerate(words.word_spans(other)) if index and span.text[:1].isupper()}
    parts: list[_Part] = []
    for index, (written, start, end) in enumerate(spans):
        lower = written.lower()
        if written[0].isdigit():
            parts.append(_Part("number", written.replace(",", ""), start, end))
        elif lower in ignored:
            continue
        elif written[0].isupper() and (index > 0 or written in inner or _goes_on(text, spans)):
            last = parts[-1] if parts else None
            if last is not None and last.kind == "name" and text[last.end : start] in (" ", "-", "–", "\u00a0"):
                parts[-1] = _Part("name", f"{last.key} {lower}", last.start, end)
            else:
                parts.append(_Part("name", lower, start, end))
        else:
            parts.append(_Part("word", words.stem(lower, language), start, end))
    return parts


def _goes_on(text: str, spans: Sequence[words.Span]) -> bool:
    """Whether a text begins with two capitalised words: a name."""
    return len(spans) > 1 and spans[1].text[:1].isupper() and text[spans[0].end : spans[1].start] == " "

