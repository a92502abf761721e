"""Sentences about computed numbers: each number in them is a cited cell, a value the run printed, or a label."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepresearch.model.base import Value
from deepresearch.model.evidence import Support, SupportCheck
from deepresearch.team.protocol import DraftClaim, MathOutcome

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")


class NumberOrigin(Value):
    """Where a number of a computed sentence comes from.

    `kind` is ``quote`` (it stands in a cited quote), ``label`` (it names the series or one of its points), ``count``
    (it is how many points there are), ``value`` (the run printed it, as `name`) or ``nowhere``.
    """

    written: str
    kind: str
    name: str = ""


def numbers_of(text: str, quotes: Sequence[str], outcome: MathOutcome) -> tuple[NumberOrigin, ...]:
    """Every number of a sentence with its origin, in order.

    A printed value counts at the precision in which the sentence writes it, and without its sign: the words say it.
    """
    series = outcome.request.series
    names = " ".join([*(one.name for one in series), *(one.unit for one in series)])
    labels = {point.label for one in series for point in one.points}
    values = {name: abs(value) for name, value in outcome.result.values.items() if isinstance(value, float)}
    found = []
    for match in _NUMBER.finditer(text):
        written = match[0].rstrip(",")
        number = float(written.replace(",", ""))
        decimals = len(written.partition(".")[2])
        printed = next((name for name, value in values.items() if round(value, decimals) == number), None)
        quoting = next((quote for quote in quotes if written in quote), None)
        if quoting is not None:
            found.append(NumberOrigin(written=written, kind="quote", name=quoting))
        elif written in names or any(written in label for label in labels):
            found.append(NumberOrigin(written=written, kind="label"))
        elif printed is not None:
            found.append(NumberOrigin(written=written, kind="value", name=printed))
        elif number == len(labels):
            found.append(NumberOrigin(written=written, kind="count"))
        else:
            found.append(NumberOrigin(written=written, kind="nowhere"))
    return tuple(found)


def check_computed(claim: DraftClaim, outcome: MathOutcome) -> SupportCheck:
    """Supported when every number of the claim is accounted for, else unsupported with the numbers that are not."""
    origins = numbers_of(claim.text, sorted({one.quote for one in claim.citations}), outcome)
    missing = [origin.written for origin in origins if origin.kind == "nowhere"]
    support = Support.UNSUPPORTED if missing else Support.SUPPORTED
    return SupportCheck(
        support=support,
        score=0.0 if missing else 1.0,
        features={"numbers_accounted_for": 0.0 if missing else 1.0},
        missing=tuple(missing),
    )
