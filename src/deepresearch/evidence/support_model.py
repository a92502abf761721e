"""The numbers of the support check, fitted on human judgements by `benchmarks/evidence/train.py`."""

from __future__ import annotations

WHOLE: dict[str, float] = {
    "intercept": -2.5072,
    "coverage": 0.9592,
    "coverage_best": -0.6695,
    "coverage_pair": 2.4549,
    "coverage_window": 2.7289,
    "coverage_names": 0.6321,
    "heaviest_missing": -0.3766,
    "bigrams": 0.3591,
    "bigrams_best": 0.1366,
    "order_best": -0.2928,
    "numbers_missing": -0.961,
    "log_claim_length": -0.0722,
    "log_evidence_length": -0.3039,
}
PART: dict[str, float] = {
    "intercept": -4.3432,
    "coverage": 2.9931,
    "coverage_best": 2.9533,
    "coverage_pair": 2.0384,
    "coverage_window": 0.5358,
    "coverage_names": 0.9376,
    "heaviest_missing": 0.7167,
    "bigrams": 1.978,
    "bigrams_best": 1.0998,
    "order_best": -1.6148,
    "numbers_missing": -0.2918,
    "log_claim_length": 0.7381,
    "log_evidence_length": -0.1596,
}
SUPPORTED_FROM = 0.6
PARTIAL_FROM = 0.85
PARTIAL_TO = 0.3
UNSUPPORTED_TO = 0.55
