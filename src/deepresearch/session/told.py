"""Sentences in which a language model tells a computed number: its words have to be those of the data, its direction
that of the value."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepresearch.evidence.turned import TURNED, turned_round, wrong_way
from deepresearch.evidence.words import content_stems
from deepresearch.model.evidence import Support, SupportCheck
from deepresearch.model.mathematics import DataPoint
from deepresearch.team.protocol import MathOutcome

#: Share of the sentence's own words that the data has to hold.
_SUPPORTED_FROM = 0.6
_PARTIAL_ABOVE = 0.5

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")
_UP = re.compile(
    r"\b(?:rose|rise[sn]?|rising|grew|grow[ns]?|growth|increas\w+|gain\w*|climb\w*|higher|up|more)\b", re.I
)
_DOWN = re.compile(
    r"\b(?:fell|fall(?:s|en|ing)?|declin\w+|decreas\w+|dropp?\w*|shr[aiu]nk\w*|lower|down|less|reduc\w+|loss|lost)\b",
    re.I,
)
_MOVES = re.compile(r"change|growth|difference|increase|decrease|delta|decline|rise|drop", re.I)
#: Words with which a computation is told whatever its data is.
_OPERATION = frozenset(
    stem
    for word in [
        "rose",
        "risen",
        "rise",
        "grew",
        "growth",
        "grow",
        "increase",
        "increased",
        "decrease",
        "decreased",
        "fell",
        "fall",
        "fallen",
        "decline",
        "declined",
        "dropped",
        "drop",
        "change",
        "changed",
        "total",
        "sum",
        "average",
        "mean",
        "median",
        "ratio",
        "share",
        "percent",
        "percentage",
        "points",
        "difference",
        "highest",
        "lowest",
        "maximum",
        "minimum",
        "largest",
        "smallest",
        "compared",
        "between",
        "from",
        "to",
        "over",
        "period",
        "years",
        "year",
        "annual",
        "rate",
        "per",
        "compound",
        "overall",
        "amounted",
        "altogether",
        "amount",
        "value",
        "values",
        "entries",
        "computed",
        "calculated",
        "about",
        "roughly",
    ]
    for stem in content_stems(word)
)


#: Highest score of a sentence that says another thing than its evidence.
_MOST_IF_TURNED = 0.49


def untwisted(text: str, evidence: Sequence[str], check: SupportCheck) -> SupportCheck:
    """The check of a sentence of a model, not supported when it turns its evidence round (see `evidence.turned`)."""
    reason = turned_round(text, evidence)
    if reason is None:
        return check
    band = Support.UNDECIDED if check.support in (Support.SUPPORTED, Support.PARTIAL) else check.support
    return check.model_copy(
        update={
            "support": band,
            "score": min(check.score, _MOST_IF_TURNED),
            "features": {**check.features, TURNED: 1.0},
            "missing": (*check.missing, reason),
        }
    )


def check_told(text: str, outcome: MathOutcome, quotes: list[str], titles: list[str]) -> SupportCheck:
    """The check of a sentence whose numbers are all accounted for (see `computed.py`).

    The names of the series were checked against their tables' words when the data was put together, so they, the
    labels, the units, the quotations and the titles of their documents are what the sentence may speak of.
    """
    known = [*quotes, *titles]
    for series in outcome.request.series:
        known += [series.name, series.unit, *(point.label for point in series.points)]
    held = set(content_stems(" ".join(known)))
    own = [stem for stem in content_stems(text) if stem not in _OPERATION and not any(map(str.isdigit, stem))]
    missing = tuple(dict.fromkeys(stem for stem in own if stem not in held))
    share = 1.0 if not own else sum(stem in held for stem in own) / len(own)
    twisted = (
        _tells_the_wrong_way(text, outcome)
        or wrong_way(text) is not None
        or _mixes_labels_up(text, outcome)
        or _names_another_extreme(text, outcome)
    )
    tells = _tells_a_value(text, outcome)
    features = {
        "numbers_accounted_for": 1.0,
        "words_of_the_data": round(share, 4),
        TURNED: float(twisted),
        "tells_a_value": float(tells),
    }
    if twisted or not tells or (share < _SUPPORTED_FROM and share <= _PARTIAL_ABOVE):
        return SupportCheck(support=Support.UNSUPPORTED, score=0.0, features=features, missing=missing)
    support = Support.SUPPORTED if share >= _SUPPORTED_FROM else Support.PARTIAL
    return SupportCheck(
        support=support, score=1.0 if support is Support.SUPPORTED else 0.5, features=features, missing=missing
    )


def _values_in(text: str, outcome: MathOutcome) -> list[tuple[str, float]]:
    """The results that the numbers of a sentence are, at the precision in which it writes them."""
    found = []
    for match in _NUMBER.finditer(text):
        written = match[0].rstrip(",")
        decimals = len(written.partition(".")[2])
        number = float(written.replace(",", ""))
        found += [
            (name, value)
            for name, value in outcome.result.values.items()
            if isinstance(value, float) and round(abs(value), decimals) == number
        ]
    return found


def _tells_a_value(text: str, outcome: MathOutcome) -> bool:
    """Whether the sentence tells a result at all: a number of the run, or a label of its data that it printed."""
    labels = {point.label for series in outcome.request.series for point in series.points}
    printed = {value for value in outcome.result.values.values() if isinstance(value, str)} & labels
    return bool(_values_in(text, outcome)) or any(label in text for label in printed)


def _tells_the_wrong_way(text: str, outcome: MathOutcome) -> bool:
    """Whether it says "fell" of a result that rose, or "rose" of one that fell."""
    up, down = bool(_UP.search(text)), bool(_DOWN.search(text))
    if up == down:
        return False
    moves = [value for name, value in _values_in(text, outcome) if _MOVES.search(name)]
    return any(value <= 0 if up else value >= 0 for value in moves)


def _mixes_labels_up(text: str, outcome: MathOutcome) -> bool:
    """Whether values stand with other labels than their own, where the sentence has as many of the one as of the other.

    Two values of one figure are told apart by their labels only, so both may be meant.
    """
    points = [point for series in outcome.request.series for point in series.points]
    labels = _places(text, {point.label: point for point in points})
    values = _places(
        _without(text, [label for label, _ in labels]), {point.quote.quote.strip(): point for point in points}
    )
    if len(labels) != len(values):
        return False
    own: dict[str, set[str]] = {}
    for point in points:
        own.setdefault(point.quote.quote.strip(), set()).add(point.label)
    return any(label not in own[value] for (label, _), (value, _) in zip(labels, values, strict=True))


def _places(text: str, wanted: dict[str, DataPoint]) -> list[tuple[str, int]]:
    """Where the wanted words stand in a text, longest first and each place once, in the order of the text."""
    found: dict[int, str] = {}
    taken: set[int] = set()
    for word in sorted(filter(None, wanted), key=len, reverse=True):
        for match in re.finditer(rf"(?<![\w.,]){re.escape(word)}(?![\w]|[.,]\d)", text):
            if not taken & set(range(match.start(), match.end())):
                found[match.start()] = word
                taken |= set(range(match.start(), match.end()))
    return [(found[place], place) for place in sorted(found)]


def _without(text: str, words: Sequence[str]) -> str:
    for word in words:
        text = re.sub(rf"(?<![\w.,]){re.escape(word)}(?![\w]|[.,]\d)", lambda match: " " * len(match[0]), text)
    return text


_HIGHEST = re.compile(r"\b(?:highest|largest|maximum|peak(?:ed)?|greatest|most)\b", re.I)
_LOWEST = re.compile(r"\b(?:lowest|smallest|minimum|least|fewest)\b", re.I)


def _names_another_extreme(text: str, outcome: MathOutcome) -> bool:
    """Whether it calls a value the highest or lowest of a series without naming the one that is."""
    for pattern, choose in ((_HIGHEST, max), (_LOWEST, min)):
        if not pattern.search(text):
            continue
        named = False
        for series in outcome.request.series:
            extreme = choose(point.value for point in series.points)
            for point in series.points:
                if point.value == extreme and (point.label in text or point.quote.quote.strip() in text):
                    named = True
        if not named:
            return True
    return False
