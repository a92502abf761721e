"""The numbers of the support check, fitted on human judgements by `benchmarks/evidence/train.py`.

Even odds are assumed before anything is known: a score of one half means that neither verdict is likelier.
"""

from __future__ import annotations

WHOLE: dict[str, float] = {
    "intercept": -3.1288,
    "coverage": 1.4365,
    "coverage_pair": 1.6133,
    "coverage_three": 1.8311,
    "heaviest_missing": -0.4393,
    "weight_missing": -0.0587,
    "numbers_missing": -0.4557,
    "names_missing": -0.2062,
    "bigrams": 1.1844,
    "log_claim_length": 0.3289,
    "log_evidence_length": -0.1208,
}
PART: dict[str, float] = {
    "intercept": -6.0278,
    "coverage": 1.9062,
    "coverage_pair": 1.7185,
    "coverage_three": 1.6903,
    "heaviest_missing": 0.2554,
    "weight_missing": -0.0663,
    "numbers_missing": -0.0426,
    "names_missing": -0.0392,
    "bigrams": 1.6901,
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

# (evidence, band): the share of the band that is supported in whole, supported in part only, or (unsupported) not in whole.
STATED_PRECISION: dict[tuple[str, str], float] = {}
