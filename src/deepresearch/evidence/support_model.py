"""The numbers of the support check, fitted on human judgements by `benchmarks/evidence/train.py`.

Even odds are assumed before anything is known: a score of one half means that neither verdict is likelier.
"""

from __future__ import annotations

WHOLE: dict[str, float] = {
    "intercept": -3.2018,
    "coverage": 1.4467,
    "coverage_pair": 1.6323,
    "coverage_three": 1.8426,
    "heaviest_missing": -0.4034,
    "weight_missing": -0.0576,
    "numbers_missing": -0.4989,
    "names_missing": -0.2089,
    "bigrams": 1.1813,
    "log_claim_length": 0.3367,
    "log_evidence_length": -0.1206,
}
PART: dict[str, float] = {
    "intercept": -6.0201,
    "coverage": 1.9088,
    "coverage_pair": 1.7093,
    "coverage_three": 1.6919,
    "heaviest_missing": 0.2516,
    "weight_missing": -0.0668,
    "numbers_missing": -0.0350,
    "names_missing": -0.0385,
    "bigrams": 1.6903,
    "log_claim_length": 1.2963,
    "log_evidence_length": 0.0347,
}
# The bands' cuts, and what was measured for them by ten-fold cross-validation grouped by article on WiCE dev
# (349 claims, one in three supported in whole), beside whole pages and beside short evidence; see docs/evidence.md.
SUPPORTED_FROM = 0.65
UNSUPPORTED_TO = 0.4  # of the probability that at least a part is supported
PARTIAL_FROM = 0.6  # of the same
PARTIAL_TO = 0.4  # of the probability that the whole is supported
DECISION = 0.55
"""The score from which "supported in whole" is the better of two guesses."""

# By evidence and band: the share that is supported in whole, in part only, or (unsupported) not in whole.
STATED_PRECISION: dict[tuple[str, str], float] = {
    ("page", "supported"): 0.70,
    ("page", "partial"): 0.76,
    ("page", "unsupported"): 0.93,
    ("short", "supported"): 0.77,
    ("short", "partial"): 0.80,
    ("short", "unsupported"): 0.92,
}
