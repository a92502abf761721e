"""Parts of a claim that stand in each other's place in the sentence that it seems to rest on.

A claim that has a sentence's words in its order has their neighbours too. When exchanging two names or two numbers of the
claim brings more neighbours into place, they had changed places.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TypeAlias

from deepresearch.evidence import words

#: How many more neighbours must fit after two parts have changed places again.
LEAST_GAIN = 2

#: With more parts than this that both have, places are not compared: those of all content words, those of names and
#: numbers.
_MOST_WORDS, _MOST_ANCHORS = 8, 16

#: Characters around two parts within which a word says that their order does not matter.
_NEAR = 30

_JOINED = words.word_set("and or nor as well und oder sowie et ou y e o en och og")
_AGENT = words.word_set("by von durch par por da dal dalla door pelo pela av af")
_SCALES = words.word_set("hundred thousand million billion trillion millionen milliarden millions milliards percent")
# What holds of two things in either order.
_SYMMETRICAL = words.word_set("""
    between both together each other same equal equals equalled identical similar alike differ differs differed
    different difference adjacent border borders bordered bordering neighbour neighbours neighbor neighbors marry
    marries married marriage wedding met meet meets meeting agree agreed agreement compete competes competed merge merged
    merges merger partner partners partnered collaborate collaborated cooperate cooperated correspond corresponds
    shared share shares zwischen beide gleich heiratete verheiratet traf trafen""")

_Pair: TypeAlias = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class _Part:
    """A content word, a number, or a name of several words; `kind` is ``word``, ``number`` or ``name``."""

    kind: str
    key: str
    start: int
    end: int


def exchanged(
    claim: str, sentence: str, language: str, *, opposite: tuple[str, str] | None = None, numbers: bool = True
) -> tuple[str, str] | None:
    """Two parts of a claim, as written, that stand in each other's place in the sentence; None when there are none.

    Nothing is found when the voice changes too (*A bought B*, *B was bought by A*), when the claim tells the same in
    another order, or of members of one list. A word and its `opposite` stand for one another. Without `numbers` only
    words and names are compared.
    """
    kinds = frozenset({"name", "word", "number"} if numbers else {"name", "word"})
    compared: tuple[list[_Part], list[_Part]] | None = None
    for whole_names in (True, False):  # names as wholes first, then word by word
        ours = _parts(claim, sentence, language, whole_names=whole_names)
        theirs = _parts(sentence, claim, language, whole_names=whole_names)
        if opposite is not None:
            same = {words.stem(opposite[0], language): words.stem(opposite[1], language)}
            ours = [replace(part, key=same.get(part.key, part.key)) for part in ours]
        if (ours, theirs) == compared:
            break  # no name has several words
        compared = ours, theirs
        if (found := _in_each_others_place(claim, sentence, ours, theirs, kinds)) is not None:
            return found
    return None


def _in_each_others_place(
    claim: str, sentence: str, ours: Sequence[_Part], theirs: Sequence[_Part], kinds: AbstractSet[str]
) -> tuple[str, str] | None:
    keys, others = [part.key for part in ours], [part.key for part in theirs]
    neighbours = _neighbours(others)
    candidates: dict[str, _Part] = {}
    whole = len(ours) <= _MOST_WORDS and sorted(keys) == sorted(others)
    for part in ours:
        if part.kind in kinds and (whole or part.kind != "word") and keys.count(part.key) == others.count(part.key):
            candidates.setdefault(part.key, part)
    anchors = list(candidates.values())
    if not 2 <= len(anchors) <= _MOST_ANCHORS:
        return None
    places = {part.key: part for part in reversed(theirs)}
    pairs = [
        (first, second)
        for first, second in combinations(anchors, 2)
        if first.kind == second.kind
        and not _order_is_nothing(claim, first, second)
        and not (
            _side_by_side(claim, ours, first, second)
            and _side_by_side(sentence, theirs, places[first.key], places[second.key])
        )
    ]
    now = _fitting(keys, neighbours)
    best, fitting = None, now + LEAST_GAIN - 1
    if pairs and fitting < _neighbours(keys).total():  # else no exchange can bring that many into place
        for pair in pairs:
            if (fits := _fitting(_exchanged(keys, [pair]), neighbours)) > fitting:
                best, fitting = pair, fits
    if best is None:
        return _turned_by_voice(claim, sentence, ours, theirs, pairs)
    first, second = best
    active = _voice(claim, first, second) == _voice(sentence, places[first.key], places[second.key])
    if not active or _is_other_order(keys, neighbours, fitting, best, pairs):
        return None
    return _named(claim, first, second)


def _turned_by_voice(
    claim: str,
    sentence: str,
    ours: Sequence[_Part],
    theirs: Sequence[_Part],
    pairs: Sequence[tuple[_Part, _Part]],
) -> tuple[str, str] | None:
    """Two names around one verb, in the same order, of which the other one acts."""
    compared = [{first.key, second.key} for first, second in pairs if first.kind == "name"]
    in_sentence = {tuple(part.key for part in three): (three[0], three[2]) for three in _threes(theirs)}
    for three in _threes(ours):
        pair = in_sentence.get(tuple(part.key for part in three))
        if pair is None or {three[0].key, three[2].key} not in compared:
            continue
        if _voice(claim, three[0], three[2]) != _voice(sentence, *pair):
            return _named(claim, three[0], three[2])
    return None


def _threes(parts: Sequence[_Part]) -> Iterator[tuple[_Part, _Part, _Part]]:
    return zip(parts, parts[1:], parts[2:], strict=False)


def _named(claim: str, first: _Part, second: _Part) -> tuple[str, str]:
    return claim[first.start : first.end], claim[second.start : second.end]


def _order_is_nothing(text: str, first: _Part, second: _Part) -> bool:
    """Whether something is said of two names that holds in either order."""
    around = text[max(0, first.start - _NEAR) : second.end + _NEAR]
    return first.kind != "number" and any(word in _SYMMETRICAL for word in words.words(around))


def _is_other_order(
    keys: Sequence[str],
    neighbours: Counter[_Pair],
    fitting: int,
    best: tuple[_Part, _Part],
    pairs: Sequence[tuple[_Part, _Part]],
) -> bool:
    """Whether a second exchange beside the best fits better still: the claim tells the same in another order."""
    taken = {part.key for part in best}
    others = [pair for pair in pairs if not taken & {part.key for part in pair}]
    return any(_fitting(_exchanged(keys, [best, other]), neighbours) > fitting for other in others)


def _neighbours(keys: Sequence[str]) -> Counter[_Pair]:
    """The pairs that stand side by side, and with one between them."""
    return Counter((one, other, apart) for apart in (1, 2) for one, other in zip(keys, keys[apart:], strict=False))


def _fitting(keys: Sequence[str], neighbours: Counter[_Pair]) -> int:
    return (_neighbours(keys) & neighbours).total()


def _exchanged(keys: Sequence[str], pairs: Iterable[tuple[_Part, _Part]]) -> list[str]:
    other: dict[str, str] = {}
    for first, second in pairs:
        other |= {first.key: second.key, second.key: first.key}
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


def _parts(text: str, other: str, language: str, *, whole_names: bool) -> list[_Part]:
    """The content of a text in order. A first word is a name only when `other` has it so away from a beginning."""
    spans = words.word_spans(text)
    ignored = words.stop_words(language)
    inner = {span.text for index, span in enumerate(words.word_spans(other)) if index and span.text[:1].isupper()}
    parts: list[_Part] = []
    for index, (written, start, end) in enumerate(spans):
        lower = written.lower()
        if written[0].isdigit():
            parts.append(_Part("number", written.replace(",", ""), start, end))
        elif lower in _SCALES and parts and parts[-1].kind == "number":
            parts[-1] = _Part("number", f"{parts[-1].key} {lower}", parts[-1].start, end)
        elif lower in ignored:
            continue
        elif written[0].isupper() and (index > 0 or written in inner):
            last = parts[-1] if parts else None
            if (
                whole_names
                and last is not None
                and last.kind == "name"
                and text[last.end : start] in (" ", "-", "–", "\u00a0")
            ):
                parts[-1] = _Part("name", f"{last.key} {lower}", last.start, end)
            else:
                parts.append(_Part("name", lower, start, end))
        else:
            parts.append(_Part("word", words.stem(lower, language), start, end))
    return parts
