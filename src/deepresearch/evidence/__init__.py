"""Evidence: what makes a sentence trustworthy. Deterministic; no language model is asked for anything here."""

from deepresearch.evidence.conflicts import find_conflicts
from deepresearch.evidence.dates import Period, find_dates
from deepresearch.evidence.facts import Statement
from deepresearch.evidence.independence import Origins, independent_origins
from deepresearch.evidence.limits import Searched
from deepresearch.evidence.quantities import Comparison, Quantity, compare, find_quantities, parse_unit
from deepresearch.evidence.quotes import gate, locate_quote
from deepresearch.evidence.support import check_support
from deepresearch.evidence.untrusted import Address, addresses_a_model
from deepresearch.evidence.versions import find_superseded

__all__ = [
    "Address",
    "Comparison",
    "Origins",
    "Period",
    "Quantity",
    "Searched",
    "Statement",
    "addresses_a_model",
    "check_support",
    "compare",
    "find_conflicts",
    "find_dates",
    "find_quantities",
    "find_superseded",
    "gate",
    "independent_origins",
    "locate_quote",
    "parse_unit",
]
