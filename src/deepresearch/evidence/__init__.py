"""Evidence: what makes a sentence trustworthy. Deterministic; no language model is asked for anything here."""

from deepresearch.evidence.conflicts import find_conflicts
from deepresearch.evidence.dates import Period, find_dates
from deepresearch.evidence.explain import Explanation, explain_support
from deepresearch.evidence.facts import Statement
from deepresearch.evidence.independence import Origins, independent_origins
from deepresearch.evidence.limits import Searched
from deepresearch.evidence.quantities import Comparison, Quantity, compare, find_quantities, parse_unit
from deepresearch.evidence.quotes import gate, locate_quote
from deepresearch.evidence.sentence_choice import (
    Candidate,
    Evidence,
    Ranked,
    candidates,
    choose_sentences,
    find_evidence,
    rank_sentences,
)
from deepresearch.evidence.support import check_support
from deepresearch.evidence.untrusted import Address, addresses_a_model
from deepresearch.evidence.versions import find_superseded

__all__ = [
    "Address",
    "Candidate",
    "Comparison",
    "Evidence",
    "Explanation",
    "Origins",
    "Period",
    "Quantity",
    "Ranked",
    "Searched",
    "Statement",
    "addresses_a_model",
    "candidates",
    "check_support",
    "choose_sentences",
    "compare",
    "explain_support",
    "find_conflicts",
    "find_dates",
    "find_evidence",
    "find_quantities",
    "find_superseded",
    "gate",
    "independent_origins",
    "locate_quote",
    "parse_unit",
    "rank_sentences",
]
