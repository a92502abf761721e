"""Fit the numbers of the support check and write them into the package: `python -m
benchmarks.evidence.train`.

Fitted on WiCE dev twice, beside the whole page and beside short evidence as a report cites it (half a
weight each), and with little weight on answers of CLAPNQ, so that close paraphrase beside short passages is
known too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.evidence.fitting import Flags, Vector, fit, folds, predict
from benchmarks.evidence.public_sets import PROJECT, LabelledClaim, MissingSetError, answers_as_claims, cited_only, wice
from deepresearch.evidence.features import FEATURES, measure
from deepresearch.evidence.support import is_barred

PENALTY = 10.0
SHORT_WEIGHT = 0.5
ANSWER_WEIGHT = 0.1
FOLDS = 10
SEEDS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Rows:
    """Features of claims and their judgements. `barred` marks claims that a rule keeps from full support."""

    features: Vector
    whole: Flags
    part: Flags
    groups: tuple[str, ...]
    barred: Flags

    def judged(self, head: str) -> Flags:
        """The labels of a head: ``whole`` or ``part``."""
        return self.whole if head == "whole" else self.part


def rows_of(claims: Sequence[LabelledClaim]) -> Rows:
    """Measure claims."""
    measured = [measure(entry.claim, [s for s in entry.evidence if s.strip()]).features for entry in claims]
    return Rows(
        np.array([[features[name] for name in FEATURES] for features in measured]),
        np.array([entry.whole for entry in claims]),
        np.array([entry.part for entry in claims]),
        tuple(entry.group for entry in claims),
        np.array([is_barred(features) for features in measured]),
    )


@dataclass(frozen=True)
class TrainingData:
    """WiCE beside pages and beside short evidence (the same claims in the same order), and answers of CLAPNQ."""

    page: Rows
    short: Rows
    answers: Rows


def training_data() -> TrainingData:
    """Read and measure everything."""
    claims = wice()
    return TrainingData(rows_of(claims), rows_of([cited_only(c) for c in claims]), rows_of(answers_as_claims()))


def fit_head(data: TrainingData, head: str, chosen: Flags | None = None) -> Vector:
    """The coefficients of one head from the chosen WiCE claims (all when left out) and the answers."""
    chosen = np.ones(len(data.page.whole), dtype=bool) if chosen is None else chosen
    labels = data.page.judged(head)[chosen]
    rows = np.concatenate([data.page.features[chosen], data.short.features[chosen], data.answers.features])
    weights = np.concatenate(
        [
            np.full(len(labels), 1 - SHORT_WEIGHT),
            np.full(len(labels), SHORT_WEIGHT),
            np.full(len(data.answers.whole), ANSWER_WEIGHT),
        ]
    )
    return fit(rows, np.concatenate([labels, labels, data.answers.judged(head)]), weights, PENALTY)


def out_of_fold(data: TrainingData, head: str, seed: int) -> tuple[Vector, Vector]:
    """Scores of each WiCE claim, beside the page and beside short evidence, from a model that never saw its article."""
    fold = folds(data.page.groups, FOLDS, seed)
    page, short = np.zeros(len(fold)), np.zeros(len(fold))
    for index in range(FOLDS):
        held = fold == index
        coefficients = fit_head(data, head, ~held)
        page[held] = predict(coefficients, data.page.features[held])
        short[held] = predict(coefficients, data.short.features[held])
    return page, short


def _written(name: str, coefficients: Vector) -> str:
    pairs = zip(("intercept", *FEATURES), coefficients, strict=True)
    return f"{name}: dict[str, float] = {{\n" + "".join(f'    "{key}": {value:.4f},\n' for key, value in pairs) + "}\n"


def main() -> int:
    """Fit both heads and write `support_model.py`, keeping everything below its marker line."""
    try:
        data = training_data()
    except MissingSetError as error:
        print(f"Nothing fitted: {error}", file=sys.stderr)
        return 1
    path = PROJECT / "src" / "deepresearch" / "evidence" / "support_model.py"
    marker = "# The bands' cuts"
    kept = path.read_text(encoding="utf-8").partition(marker)[2]
    head = (
        '"""The numbers of the support check, fitted on human judgements by `benchmarks/evidence/train.py`.\n\n'
        "Even odds are assumed before anything is known: a score of one half means that neither verdict is likelier.\n"
        '"""\n\nfrom __future__ import annotations\n\n'
    )
    text = head + _written("WHOLE", fit_head(data, "whole")) + _written("PART", fit_head(data, "part"))
    path.write_text(text + marker + kept, encoding="utf-8")
    print(f"Written: {path.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
