"""Fit the numbers of sentence choice: `python -m benchmarks.evidence.train_sentences`. CLAPNQ dev, all annotators."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.evidence.fitting import Vector, fit, folds, predict
from benchmarks.evidence.public_sets import PROJECT, AnsweredQuestion, MissingSetError, clapnq
from deepresearch.evidence.sentence_choice import candidates, sentence_features
from deepresearch.evidence.sentence_model import FEATURES

PENALTY = 10.0
FOLDS = 10
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Choice:
    """A question's sentences as features, how many annotators chose each, and their sets."""

    id: str
    features: Vector
    share: Vector
    sets: tuple[frozenset[int], ...]


def measured(questions: Sequence[AnsweredQuestion]) -> list[Choice]:
    """The questions for which at least one annotator chose a sentence."""
    choices = []
    for entry in questions:
        sets = tuple(chosen for chosen in entry.chosen if chosen)
        if sets:
            rows = sentence_features(entry.question, candidates(entry.sentences, entry.title))
            share = np.mean([[i in chosen for i in range(len(entry.sentences))] for chosen in sets], axis=0)
            choices.append(Choice(entry.id, np.array([[row[name] for name in FEATURES] for row in rows]), share, sets))
    return choices


def fit_choices(choices: Sequence[Choice]) -> Vector:
    """Coefficients; a sentence that half of the annotators chose counts half for either side."""
    rows = np.concatenate([choice.features for choice in choices])
    share = np.concatenate([choice.share for choice in choices])
    labels = np.r_[np.ones(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)]
    return fit(np.r_[rows, rows], labels, np.r_[share, 1 - share] + 1e-9, PENALTY)


def agreement(chosen: set[int], choice: Choice) -> float:
    """F1 of a set of sentences, the mean over the annotators."""
    return float(np.mean([2 * len(chosen & gold) / (len(chosen) + len(gold)) for gold in choice.sets]))


def at_cut(coefficients: Vector, choice: Choice, cut: float) -> set[int]:
    """The sentences at or above a cut, at least the best."""
    scores = predict(coefficients, choice.features)
    return set(np.flatnonzero(scores >= cut).tolist()) or {int(scores.argmax())}


def best_cut(coefficients: Vector, choices: Sequence[Choice]) -> float:
    """The cut with the best mean F1."""
    cuts = np.linspace(0.2, 0.7, 26)
    return float(max(cuts, key=lambda c: np.mean([agreement(at_cut(coefficients, each, c), each) for each in choices])))


def cross_validated(choices: Sequence[Choice]) -> list[float]:
    """F1 of each question, averaged over seeds, with coefficients and cut from the other folds."""
    scores = np.zeros(len(choices))
    for seed in SEEDS:
        fold = folds([choice.id for choice in choices], FOLDS, seed)
        for index in range(FOLDS):
            rest = [choice for choice, own in zip(choices, fold, strict=True) if own != index]
            coefficients = fit_choices(rest)
            cut = best_cut(coefficients, rest)
            for place in map(int, np.flatnonzero(fold == index)):
                scores[place] += agreement(at_cut(coefficients, choices[place], cut), choices[place]) / len(SEEDS)
    return [float(score) for score in scores]


def main() -> int:
    """Fit on all questions and write the numbers into `sentence_model.py`."""
    try:
        choices = measured(clapnq())
    except MissingSetError as error:
        print(f"Nothing fitted: {error}", file=sys.stderr)
        return 1
    coefficients = fit_choices(choices)
    path = PROJECT / "src" / "deepresearch" / "evidence" / "sentence_model.py"
    pairs = zip(("intercept", *FEATURES), coefficients, strict=True)
    table = "WEIGHTS: dict[str, float] = {\n" + "".join(f'    "{k}": {v:.4f},\n' for k, v in pairs) + "}\n"
    text = re.sub(r"WEIGHTS: dict\[str, float\] = \{[^}]*\}\n", table, path.read_text(encoding="utf-8"))
    text = re.sub(r"CHOSEN_FROM = [\d.]+", f"CHOSEN_FROM = {best_cut(coefficients, choices):.2f}", text)
    path.write_text(text, encoding="utf-8")
    print(f"Written: {path.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
