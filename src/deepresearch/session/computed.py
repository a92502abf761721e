"""Sentences about computed numbers: each number in them is a cited cell, a value the run printed, or a label."""

from __future__ import annotations

import re

from deepresearch.model.evidence import Support, SupportCheck
from deepresearch.team.protocol import DraftClaim, MathOutcome

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")


def check_computed(claim: DraftClaim, outcome: MathOutcome) -> SupportCheck:
    """Supported when every number of the claim is accounted for, else unsupported with the numbers that are not.

    A printed value counts at the precision in which the claim writes it, and without its sign: the words say it.
    """
    exact = {one.quote for one in claim.citations}
    names = " ".join(
        [*(series.name for series in outcome.request.series), *(series.unit for series in outcome.request.series)]
    )
    labels = {point.label for series in outcome.request.series for point in series.points}
    values = [abs(value) for value in outcome.result.values.values() if isinstance(value, float)]
    missing = []
    for match in _NUMBER.finditer(claim.text):
        text = match[0].rstrip(",")
        number = float(text.replace(",", ""))
        decimals = len(text.partition(".")[2])
        stated = any(text in quote for quote in exact) or text in names or any(text in label for label in labels)
        counted = number == len(labels) or any(round(value, decimals) == number for value in values)
        if not (stated or counted):
            missing.append(text)
    support = Support.UNSUPPORTED if missing else Support.SUPPORTED
    return SupportCheck(
        support=support,
        score=0.0 if missing else 1.0,
        features={"numbers_accounted_for": 0.0 if missing else 1.0},
        missing=tuple(missing),
    )
