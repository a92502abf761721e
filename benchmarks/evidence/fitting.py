"""Logistic regression, grouped cross-validation and the measures, in a few functions of numpy and scipy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]


def fit(rows: Vector, labels: Flags, weights: Vector, penalty: float) -> Vector:
    """Intercept and coefficients (for the features as they are) of a ridge-penalised logistic regression.

    Features are standardised inside; both classes are given the same total weight, so that a score of one
    half means even odds before anything is known.
    """
    both = weights.sum() / 2
    weights = weights * np.where(labels, both / (weights * labels).sum(), both / (weights * ~labels).sum())
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    design = np.c_[np.ones(len(rows)), (rows - mean) / spread]
    signs = 2.0 * labels - 1.0

    def loss(coefficients: Vector) -> tuple[float, Vector]:
        logits = design @ coefficients
        value = (weights * np.logaddexp(0, -signs * logits)).sum() + penalty / 2 * (coefficients[1:] ** 2).sum()
        slope = design.T @ (weights * (1 / (1 + np.exp(-logits)) - labels))
        slope[1:] += penalty * coefficients[1:]
        return float(value), np.asarray(slope)

    found = np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x)
    slopes = found[1:] / spread
    return np.asarray(np.r_[found[0] - slopes @ mean, slopes])


def predict(coefficients: Vector, rows: Vector) -> Vector:
    """Probabilities."""
    return np.asarray(1 / (1 + np.exp(-(coefficients[0] + rows @ coefficients[1:]))))


def folds(groups: Sequence[str], count: int, seed: int) -> NDArray[np.int_]:
    """A fold for each row; rows of one group share theirs."""
    names = sorted(set(groups))
    order = np.random.default_rng(seed).permutation(len(names))
    fold = {names[place]: index % count for index, place in enumerate(order)}
    return np.array([fold[group] for group in groups])


def macro_f1(labels: Flags, guesses: Flags) -> float:
    """The mean of the F1 of both classes."""
    scores = []
    for value in (False, True):
        both = ((labels == value) & (guesses == value)).sum()
        scores.append(2 * both / max(1, (labels == value).sum() + (guesses == value).sum()))
    return float(np.mean(scores))


def area_under_curve(labels: Flags, scores: Vector) -> float:
    """The chance that a positive outranks a negative."""
    positive, negative = scores[labels], scores[~labels]
    above = (positive[:, None] > negative[None, :]).mean() + 0.5 * (positive[:, None] == negative[None, :]).mean()
    return float(above)


def interval(
    measure: Callable[[NDArray[np.int_]], float], groups: Sequence[str], rounds: int = 1000
) -> tuple[float, float]:
    """The 95 % interval of a measure of rows, by resampling whole groups with replacement."""
    generator = np.random.default_rng(0)
    names, inverse = np.unique(np.array(groups), return_inverse=True)
    members = [np.flatnonzero(inverse == index) for index in range(len(names))]
    values = [
        measure(np.concatenate([members[index] for index in generator.integers(0, len(names), len(names))]))
        for _ in range(rounds)
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
