"""Which numbers of a claim its evidence does not hold.

Quantities are compared with their unit and scale, as roughly as the claim writes them; every other run of
digits (a year, an ordinal, the number of a thing) has to stand in the evidence as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepresearch.evidence import numerals
from deepresearch.evidence.dates import Period, find_dates, month_names
from deepresearch.evidence.quantities import Comparison, Quantity, compare, find_quantities

_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_ANY_DIGIT = re.compile(r"\d")
_MOST_COMPARED = 40
_MOST_READ = 5
_MOST_LOOKED_AT = 20


def missing_numbers(claim: str, evidence: Sequence[str], scores: Sequence[float]) -> tuple[str, ...]:
    """The numbers of the claim that no sentence of the evidence holds, as the claim writes them.

    `scores` rank the sentences by how much of the claim they share; a number written differently (converted,
    rounded, spelt) is looked for in the best of them only.
    """
    if not numerals.MAY_HOLD_NUMBER.search(claim):
        return ()
    ranked = sorted(range(len(evidence)), key=lambda index: -scores[index])
    quantities = find_quantities(claim)[:_MOST_COMPARED]  # beyond these, digits are asked for as they are
    missing = [(quantity.start, quantity.text) for quantity in quantities if not _found(quantity, evidence, ranked)]
    others = [
        match
        for match in _DIGITS.finditer(claim)
        if not any(quantity.start <= match.start() < quantity.end for quantity in quantities)
    ]
    if others:
        held = {digits.replace(",", "") for digits in _DIGITS.findall("\n".join(evidence))}
        missing.extend((match.start(), match.group()) for match in others if match.group().replace(",", "") not in held)
    missing.extend((day.start, day.text) for day in find_dates(claim) if not _day_is_told(day, evidence))
    return tuple(dict.fromkeys(text for _, text in sorted(missing)))


def has_another_number(claim: str, sentence: str) -> bool:
    """Whether a sentence has years where the claim has other years, or other numbers where it has other numbers."""
    for ours, theirs in zip(_by_kind(claim), _by_kind(sentence), strict=True):
        if ours and theirs and not ours & theirs:
            return True
    return False


def _by_kind(text: str) -> tuple[set[str], set[str]]:
    """The years and the other numbers of a text, as digits."""
    digits = {found.replace(",", "") for found in _DIGITS.findall(text)}
    years = {found for found in digits if len(found) == 4 and found.isdigit() and "1500" <= found <= "2100"}
    return years, digits - years


def _day_is_told(period: Period, evidence: Sequence[str]) -> bool:
    """Whether the day of a full date stands beside its month in the evidence; other periods are not asked for."""
    if period.grain != "day":
        return True
    day, month = period.first.day, period.first.month
    names = "|".join(month_names(month))
    told = re.compile(
        rf"\b0?{day}(?:st|nd|rd|th|\.|º|er)?\s*(?:of\s+|de\s+)?(?:{names})\b|\b(?:{names})\.?\s*0?{day}(?!\d)"
        rf"|(?<!\d)0?{month}[-/.]\s?0?{day}(?!\d)|(?<!\d)0?{day}[-/.]\s?0?{month}(?!\d)"
        rf"|\b0?{day}\.?\s*(?:-|–|to|and|bis)\s*\d+\.?\s+(?:{names})|\b(?:{names})\s*\d+\s*(?:-|–|to|and)\s*0?{day}(?!\d)",
        re.IGNORECASE,
    )
    return any(told.search(sentence) for sentence in evidence)


def _found(wanted: Quantity, evidence: Sequence[str], ranked: Sequence[int]) -> bool:
    """Whether one of the likely sentences holds the quantity: those with its digits, then the best."""
    digits = wanted.digits.lower()
    exact = [index for index in ranked if digits in evidence[index].lower()][:_MOST_READ]
    if any(_holds(wanted, evidence[index]) for index in exact):
        return True
    spelt = numerals.spelt_as(wanted.value)
    others: list[int] = []
    for index in ranked[:_MOST_LOOKED_AT]:
        if index not in exact and (_ANY_DIGIT.search(evidence[index]) or _spelt_in(spelt, evidence[index])):
            others.append(index)
            if len(others) == _MOST_READ:
                break
    return any(_holds(wanted, evidence[index]) for index in others)


def _spelt_in(spelt: Sequence[str], sentence: str) -> bool:
    lower = sentence.lower()
    return any(word in lower for word in spelt)


def _holds(wanted: Quantity, sentence: str) -> bool:
    return any(
        compare(wanted, other) in (Comparison.SAME, Comparison.COMPATIBLE) for other in find_quantities(sentence)
    )
