"""Sentences in which a language model tells a computed number: its words have to be those of the data, its direction
that of the value."""

from __future__ import annotations

import re

from deepresearch.evidence.words import content_stems
from deepresearch.model.evidence import Support, SupportCheck
from deepresearch.team.protocol import MathOutcome

#: Share of the sentence's own words that the data has to hold.
_SUPPORTED_FROM = 0.6
_PARTIAL_FROM = 0.4

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
    turned = _tells_the_wrong_way(text, outcome)
    tells = _tells_a_value(text, outcome)
    features = {
        "numbers_accounted_for": 1.0,
        "words_of_the_data": round(share, 4),
        "direction_turned": float(turned),
        "tells_a_value": float(tells),
    }
    if turned or not tells or share < _PARTIAL_FROM:
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
    """Whether the sentence tells a result at all: a number of the run, or a label it printed."""
    printed = [value for value in outcome.result.values.values() if isinstance(value, str)]
    return bool(_values_in(text, outcome)) or any(value and value in text for value in printed)


def _tells_the_wrong_way(text: str, outcome: MathOutcome) -> bool:
    """Whether it says "fell" of a result that rose, or "rose" of one that fell."""
    up, down = bool(_UP.search(text)), bool(_DOWN.search(text))
    if up == down:
        return False
    moves = [value for name, value in _values_in(text, outcome) if _MOVES.search(name)]
    return any(value < 0 if up else value > 0 for value in moves)
