"""Which numbers of a claim its evidence does not hold.

Quantities are compared with their unit and scale, as roughly as the claim writes them; every other run of
digits (a year, an ordinal, the number of a thing) has to stand in the evidence as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepresearch.evidence import numerals
from deepresearch.evidence.quantities import Comparison, Quantity, compare, find_quantities

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_MOST_READ = 6


def missing_numbers(claim: str, evidence: Sequence[str], scores: Sequence[float]) -> tuple[str, ...]:
    """The numbers of the claim that no sentence of the evidence holds, as the claim writes them.

    `scores` rank the sentences by how much of the claim they share; a number written differently
    (converted, rounded, spelt) is looked for in the best of them only.
    """
    if not numerals.MAY_HOLD_NUMBER.search(claim):
        return ()
    quantities = find_quantities(claim)
    holders = [index for index, sentence in enumerate(evidence) if numerals.MAY_HOLD_NUMBER.search(sentence)]
    ranked = sorted(holders, key=lambda index: -scores[index])
    missing = [(quantity.start, quantity.text) for quantity in quantities if not _found(quantity, evidence, ranked)]
    tokens = {plain for index in holders for plain in _plain_digits(evidence[index])}
    for match in _DIGITS.finditer(claim):
        if any(quantity.start <= match.start() < quantity.end for quantity in quantities):
            continue
        if match.group().replace(",", "") not in tokens:
            missing.append((match.start(), match.group()))
    return tuple(text for _, text in sorted(missing))


def _plain_digits(text: str) -> list[str]:
    return [digits.replace(",", "") for digits in _DIGITS.findall(text)]


def _found(wanted: Quantity, evidence: Sequence[str], ranked: Sequence[int]) -> bool:
    exact = [index for index in ranked if wanted.digits.lower() in evidence[index].lower()]
    for index in [*exact[:_MOST_READ], *ranked[:_MOST_READ]]:
        for other in find_quantities(evidence[index]):
            if compare(wanted, other) in (Comparison.SAME, Comparison.COMPATIBLE):
                return True
    return False
