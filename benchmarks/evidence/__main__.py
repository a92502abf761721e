"""Measure the evidence room: `python -m benchmarks.evidence [--plot FILE.svg]`. Prints tables in Markdown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
from tests.evidence.planted_corpus import planted_corpus

from benchmarks.evidence import speed, support_bands, turned_claims
from benchmarks.evidence.fitting import area_under_curve, interval, macro_f1
from benchmarks.evidence.public_sets import MissingSetError, clapnq, wice
from benchmarks.evidence.train import training_data
from benchmarks.evidence.train_sentences import agreement, cross_validated, measured
from deepresearch.evidence import find_conflicts, find_evidence, find_superseded

PLANTED_SEEDS = range(100, 110)


def support_tables(plot: str | None) -> None:
    """Quality, bands and speed of the support check."""
    claims = wice()
    results = support_bands.scored(training_data())
    print(
        "\n| supported against the rest | claims | macro-F1 (95 %) | at the band's cut | AUC |\n|---|---|---|---|---|"
    )
    for name, result in results.items():
        print(support_bands.macro_f1_line(name, result))
    labels, fuzzy = np.array([claim.whole for claim in claims]), np.array(speed.fuzzy_scores(claims))
    best = max(macro_f1(labels, fuzzy >= cut) for cut in np.linspace(0.3, 1, 71))
    print(f"| beside it: best token_set_ratio, best cut known | {len(claims)} | {best:.3f} | – "
          f"| {area_under_curve(labels, fuzzy):.3f} |")  # fmt: skip
    print("\n| evidence | band | share of claims | precision | stated | nothing supported |\n|---|---|---|---|---|---|")
    for name, result in results.items():
        print("\n".join(support_bands.band_lines(name, result)))
    print("\n| whole page as evidence | ms a claim |\n|---|---|")
    print("\n".join(speed.lines(claims)))
    if plot:
        support_bands.draw(results, plot)
        print(f"\nDrawn: {plot}", file=sys.stderr)


def turned_table() -> None:
    """Claims that say with the words of a sentence what it does not say."""
    print("\n".join(turned_claims.lines()))


def evidence_table() -> None:
    """Supporting sentences found among those of the page."""
    claims = [claim for claim in wice() if any(claim.supporting)]
    print(f"\n| WiCE dev, {len(claims)} claims | @1 | @3 | @5 | @10 |\n|---|---|---|---|---|")
    row = []
    for k in (1, 3, 5, 10):
        recall = []
        for claim in claims:
            found = {entry.index for entry in find_evidence(claim.claim, claim.evidence, k)}
            recall.append(max(len(found & gold) / len(gold) for gold in claim.supporting if gold))
        row.append(float(np.mean(recall)))
    print("| supporting-sentence recall (best annotator) | " + " | ".join(f"{value:.3f}" for value in row) + " |")


def choice_table() -> None:
    """Sentences chosen for questions."""
    choices = measured(clapnq())
    scores = np.array(cross_validated(choices))
    low, high = interval(lambda chosen: float(scores[chosen].mean()), [choice.id for choice in choices])
    rows = {
        f"chosen, by cross-validation ({low:.3f} to {high:.3f})": float(scores.mean()),
        "all sentences": float(np.mean([agreement(set(range(len(c.share))), c) for c in choices])),
        "first two": float(np.mean([agreement(set(range(min(2, len(c.share)))), c) for c in choices])),
        "best two by BM25": float(
            np.mean([agreement(set(np.argsort(-c.features[:, 0], kind="stable")[:2].tolist()), c) for c in choices])
        ),
    }
    print(f"\n| CLAPNQ dev, {len(choices)} questions | F1 (mean over annotators) |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value:.3f} |")


def planted_table() -> None:
    """Conflicts and superseded versions planted in made corpora."""
    totals = np.zeros((2, 3))
    for seed in PLANTED_SEEDS:
        corpus = planted_corpus(seed)
        found = [{corpus.fact_of.get(claim, "") for claim in c.claims} for c in find_conflicts(corpus.statements)]
        right = [facts for facts in found if len(facts) == 1 and facts <= corpus.conflicts]
        totals[0] += (len(right), len(found), len(corpus.conflicts))
        newer = find_superseded(corpus.documents)
        totals[1] += (
            sum(corpus.superseded.get(old) == new for old, new in newer.items()), len(newer), len(corpus.superseded)
        )  # fmt: skip
    print(f"\n| {len(PLANTED_SEEDS)} corpora of 200 documents | planted | precision | recall |\n|---|---|---|---|")
    for name, (right_count, found_count, planted) in zip(("conflicts", "superseded versions"), totals, strict=True):
        print(f"| {name} | {planted:.0f} | {right_count / found_count:.3f} | {right_count / planted:.3f} |")


def main() -> int:
    """Every table that can be measured here; a set that is missing is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plot", metavar="FILE", help="draw the calibration of the support check into this SVG file")
    arguments = parser.parse_args()
    tables: tuple[Callable[[], None], ...] = (
        partial(support_tables, arguments.plot), turned_table, evidence_table, choice_table, planted_table
    )  # fmt: skip
    for table in tables:
        try:
            table()
        except MissingSetError as error:
            print(f"\nSkipped: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
