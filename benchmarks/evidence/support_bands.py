"""The support check on WiCE dev: macro-F1, ranking, bands and calibration by grouped cross-validation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.evidence.fitting import Flags, Vector, area_under_curve, interval, macro_f1
from benchmarks.evidence.train import SEEDS, Rows, TrainingData, out_of_fold
from deepresearch.evidence import support_model
from deepresearch.evidence.features import FEATURES
from deepresearch.evidence.support import MOST_IF_WRONG, band
from deepresearch.model.evidence import Support


@dataclass(frozen=True)
class Scored:
    """Out-of-fold scores of the same claims, one row a seed."""

    rows: Rows
    whole: Vector
    part: Vector

    @property
    def ruled(self) -> Vector:
        """Scores of full support after the rules about numbers and negation."""
        lost = self.rows.features[:, FEATURES.index("numbers_missing")] > 0
        return np.where(lost | self.rows.barred, np.minimum(self.whole, MOST_IF_WRONG), self.whole)


def scored(data: TrainingData) -> dict[str, Scored]:
    """Scores beside whole pages and beside short evidence."""
    whole = [out_of_fold(data, "whole", seed) for seed in SEEDS]
    part = [out_of_fold(data, "part", seed) for seed in SEEDS]
    return {
        name: Scored(rows, np.array([pair[place] for pair in whole]), np.array([pair[place] for pair in part]))
        for place, (name, rows) in enumerate((("page", data.page), ("short", data.short)))
    }


def macro_f1_line(name: str, result: Scored) -> str:
    """Macro-F1 of supported against the rest at the cut of even odds and at the band's cut, with its interval."""
    labels, scores = result.rows.whole, result.ruled

    def at(cut: float, chosen: np.ndarray[tuple[int], np.dtype[np.int_]]) -> float:
        return float(np.mean([macro_f1(labels[chosen], row[chosen] >= cut) for row in scores]))

    everything = np.arange(len(labels))
    low, high = interval(lambda chosen: at(DECISION, chosen), result.rows.groups, rounds=400)
    area = float(np.mean([area_under_curve(labels, row) for row in scores]))
    return (
        f"| WiCE dev, {name} | {len(labels)} | **{at(DECISION, everything):.3f}** ({low:.3f} to {high:.3f}) "
        f"| {at(support_model.SUPPORTED_FROM, everything):.3f} | {area:.3f} |"
    )


DECISION = support_model.DECISION


def _bands(result: Scored) -> list[list[Support]]:
    return [
        [band(float(w), float(max(w, p))) for w, p in zip(whole, part, strict=True)]
        for whole, part in zip(result.ruled, result.part, strict=True)
    ]


def right(support: Support, whole: Flags, part: Flags) -> Flags:
    """Where a band tells the truth: supported in whole; in part only; and, for unsupported, not in whole."""
    if support is Support.SUPPORTED:
        return whole
    return part & ~whole if support is Support.PARTIAL else ~whole


def band_lines(name: str, result: Scored) -> list[str]:
    """For each band its share of claims, its precision out of fold, and the stated one."""
    lines = []
    bands = _bands(result)
    for support in (Support.SUPPORTED, Support.PARTIAL, Support.UNSUPPORTED, Support.UNDECIDED):
        shares, precisions, nothing = [], [], []
        for row in bands:
            chosen = np.array([each is support for each in row])
            shares.append(chosen.mean())
            if chosen.any():
                precisions.append(right(support, result.rows.whole, result.rows.part)[chosen].mean())
                nothing.append((~result.rows.part)[chosen].mean())
        precision = f"{np.mean(precisions):.3f}" if support is not Support.UNDECIDED else "–"
        stated = support_model.STATED_PRECISION.get((name, support.value))
        lines.append(
            f"| {name} | {support.value} | {np.mean(shares):.0%} | {precision} "
            f"| {'–' if stated is None else f'{stated:.2f}'} | {np.mean(nothing):.2f} |"
        )
    return lines


def calibration(result: Scored, bins: int = 8) -> list[tuple[float, float, int]]:
    """Mean score, share supported in whole, and count, in bins of equal count; classes weighed to even odds."""
    scores, labels = np.mean(result.whole, axis=0), result.rows.whole
    weights = np.where(labels, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    order = np.argsort(scores)
    return [
        (
            float(np.average(scores[part], weights=weights[part])),
            float(np.average(labels[part], weights=weights[part])),
            len(part),
        )
        for part in np.array_split(order, bins)
    ]


def draw(results: dict[str, Scored], path: str) -> None:
    """The calibration plot, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "deepresearch"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5.2, 4.6))
    axes.plot([0, 1], [0, 1], color="#999999", linestyle="--", linewidth=1, label="perfect")
    for (name, result), marker in zip(results.items(), ("o", "s"), strict=True):
        points = calibration(result)
        axes.plot([p[0] for p in points], [p[1] for p in points], marker=marker, label=f"WiCE dev, {name}")
    for cut in (support_model.SUPPORTED_FROM,):
        axes.axvline(cut, color="#2b6cb0", linewidth=0.8, linestyle=":")
        axes.annotate("supported", (cut + 0.01, 0.03), color="#2b6cb0", fontsize=8)
    axes.set(xlabel="score (out of fold)", ylabel="share supported, at even odds", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
