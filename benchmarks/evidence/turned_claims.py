"""Sentences of public sets turned into what they do not say: ``python -m benchmarks.evidence.turned_claims``.

Every turned claim has the words and numbers of its sentence, so that shared words alone cannot tell it from a true one.
Beside them: how often the rules find fault with claims that people judged; with one that they found supported, it is a
false alarm.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from benchmarks.evidence.public_sets import LabelledClaim, answers_as_claims, cited_only, wice
from deepresearch.evidence import check_support
from deepresearch.evidence.turned import TURNED, turned_round
from deepresearch.evidence.words import sentences
from deepresearch.model.evidence import Support

_NAME = re.compile(r"(?<=[a-z,] )[A-Z]\w+(?: [A-Z]\w+)*(?![\w.'’-])")
_NUMBER = re.compile(r"(?<![\w.,$€£-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w.,%-])")
_OPPOSITES = {
    "increased": "decreased", "rose": "fell", "before": "after", "more": "fewer", "higher": "lower", "won": "lost",
    "largest": "smallest", "earlier": "later", "first opened": "first closed", "north": "south", "east": "west",
    "success": "failure", "positive": "negative", "bought": "sold", "approved": "rejected", "improved": "worsened",
}  # fmt: skip
_MONTHS = re.compile(r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b")


def _cited() -> list[str]:
    """The sentences that carry the claims of WiCE, each once, of a length that a claim has."""
    found = [entry.evidence[place] for entry in wice() for places in entry.supporting for place in sorted(places)]
    short = [
        part.text
        for one in found
        for part in sentences(one)
        if 40 <= len(part.text) <= 240 and "meta data" not in part.text
    ]
    return list(dict.fromkeys(short))


def _exchanged(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    """Exchanges the first two different matches that are not members of one list."""

    def turn(sentence: str) -> str | None:
        found = [match for match in pattern.finditer(sentence) if not _MONTHS.search(_around(sentence, match))]
        for first, second in pairwise(found):
            between = sentence[first.end() : second.start()]
            if first[0] != second[0] and not re.fullmatch(r"(?:,|,? and|,? or|,? &)?\s*", between):
                return sentence[: first.start()] + second[0] + between + first[0] + sentence[second.end() :]
        return None

    return turn


def _around(sentence: str, match: re.Match[str]) -> str:
    """The match with a month beside it, if any: the parts of a date may be told in any order."""
    return sentence[max(0, match.start() - 11) : match.end() + 11] if match[0][0].isdigit() else match[0]


def _opposite(sentence: str) -> str | None:
    for one, other in [*_OPPOSITES.items(), *((value, key) for key, value in _OPPOSITES.items())]:
        turned = re.sub(rf"\b{one}\b", other, sentence, count=1)
        if turned != sentence and not re.search(rf"\b{other}\b", sentence):
            return turned
    return None


def _moved(sentence: str) -> str | None:
    """Not turned: what stands before the first comma comes last."""
    match = re.fullmatch(r"((?:In|On|During|After|Before|At|By) [^,]{4,60}), ([^,]+)\.", sentence)
    return f"{match[2][0].upper()}{match[2][1:]} {match[1][0].lower()}{match[1][1:]}." if match else None


KINDS: dict[str, Callable[[str], str | None]] = {
    "two names exchanged": _exchanged(_NAME),
    "two numbers exchanged": _exchanged(_NUMBER),
    "a word replaced by its opposite": _opposite,
    "the same, the beginning told last": _moved,
}


def _claims(turn: Callable[[str], str | None]) -> Iterator[tuple[str, str]]:
    for sentence in _cited():
        if (claim := turn(sentence)) is not None:
            yield claim, sentence


def lines() -> Iterator[str]:
    """A row of the table for each kind."""
    yield "\n| WiCE dev, sentences that people cite | claims | called supported |\n|---|---|---|"
    for kind, turn in KINDS.items():
        verdicts = [check_support(claim, [sentence]).support is Support.SUPPORTED for claim, sentence in _claims(turn)]
        yield f"| {kind} | {len(verdicts)} | {100 * sum(verdicts) / len(verdicts):.1f} % |"
    yield "\n| claims that people judged | found | claims | turned in the check | turned for a model |\n|---|---|---|---|---|"
    for name, claims in {
        "WiCE dev, short": list(map(cited_only, wice())),
        "CLAPNQ answers": answers_as_claims(),
    }.items():
        for judged in ("supported", "in part", "not supported"):
            chosen = [claim for claim in claims if _judged(claim) == judged]
            barred = sum(check_support(claim.claim, claim.evidence).features.get(TURNED, 0.0) > 0 for claim in chosen)
            strict = sum(turned_round(claim.claim, claim.evidence) is not None for claim in chosen)
            yield f"| {name} | {judged} | {len(chosen)} | {barred} | {strict} |"


def _judged(claim: LabelledClaim) -> str:
    return "supported" if claim.whole else "in part" if claim.part else "not supported"


if __name__ == "__main__":
    print("\n".join(lines()))
