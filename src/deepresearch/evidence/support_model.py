"""The numbers of the support check, fitted on human judgements by `benchmarks/evidence/train.py`.

Even odds are assumed before anything is known: a score of one half means that neither verdict is likelier.
"""

from __future__ import annotations

WHOLE: dict[str, float] = {
    "intercept": -3.1636,
    "coverage": 1.4391,
    "coverage_pair": 1.6337,
    "coverage_three": 1.8325,
    "heaviest_missing": -0.4252,
    "weight_missing": -0.0581,
    "numbers_missing": -0.4544,
    "names_missing": -0.2063,
    "bigrams": 1.1804,
    "log_claim_length": 0.3313,
    "log_evidence_length": -0.1201,
}
PART: dict[str, float] = {
    "intercept": -6.0222,
    "coverage": 1.9088,
    "coverage_pair": 1.7098,
    "coverage_three": 1.6921,
    "heaviest_missing": 0.2545,
    "weight_missing": -0.0666,
    "numbers_missing": -0.0382,
    "names_missing": -0.0388,
    "bigrams": 1.6909,
    "log_claim_length": 1.2955,
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
STATED_PRECISION: dict[tuple[str, str], float] = {}
