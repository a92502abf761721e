"""How good the rankings are: nDCG@10 and recall@100 of each leg, of their fusion, and of a named
alternative.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.retrieval.datasets import SETS, Collection
from benchmarks.retrieval.measures import ndcg, paired_interval, recall
from deepresearch.retrieval import EmbeddedIndex, Fusion, Index

Ranker = Callable[[str], list[str]]

WORDS_ONLY = Fusion(dense=0.0, feedback_least=0.0, feedback_most=0.0)
FEEDBACK_ONLY = Fusion(dense=0.0, feedback_least=1.0, feedback_most=1.0)
MEANING_ONLY = Fusion(trust_from=-1.0, trust_to=-0.5, dense=1e9)
WORDS = "BM25 alone"
METHODS: dict[str, Fusion] = {
    WORDS: WORDS_ONLY,
    "with feedback, no dense leg": FEEDBACK_ONLY,
    "dense leg alone (with feedback)": MEANING_ONLY,
    "the default": Fusion(),
}

Scores = list[tuple[float, float]]
"""For each question: nDCG@10 and recall@100."""


def scores(collection: Collection, rank: Ranker) -> Scores:
    """Both measures for each question."""
    found = [(rank(text), grades) for text, grades in collection.questions]
    return [(ndcg(ranking, grades), recall(ranking, grades)) for ranking, grades in found]


def mean(one: Scores) -> tuple[float, float]:
    """Both measures over all questions."""
    return sum(score for score, _ in one) / len(one), sum(score for _, score in one) / len(one)


def ranker(index: Index) -> Ranker:
    """The first hundred passages of an index."""
    return lambda text: [hit.passage.id for hit in index.search(text, limit=100)]


def bm25s_ranker(collection: Collection) -> Ranker | None:
    """The library bm25s with its own tokeniser, stop words and a Snowball stemmer; None when not
    installed.
    """
    try:
        import bm25s
        import Stemmer
    except ImportError:
        return None
    stemmer = Stemmer.Stemmer("english")
    engine = bm25s.BM25()
    texts = [one.text for one in collection.passages]
    engine.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)

    def rank(text: str) -> list[str]:
        tokens = bm25s.tokenize([text], stopwords="en", stemmer=stemmer, show_progress=False)
        places, _ = engine.retrieve(tokens, k=min(100, len(texts)), show_progress=False)
        return [collection.passages[int(place)].id for place in places[0]]

    return rank


def quality(folder: Path, names: Sequence[str]) -> list[dict[str, object]]:
    """A row for each set and method."""
    rows: list[dict[str, object]] = []
    for name in names:
        collection = SETS[name](folder)
        results: dict[str, Scores] = {}
        with tempfile.TemporaryDirectory() as place:
            for method, fusion in METHODS.items():
                with EmbeddedIndex(Path(place) / "index", fusion=fusion, background=False) as index:
                    if method == next(iter(METHODS)):
                        index.upsert(collection.passages)
                    results[method] = scores(collection, ranker(index))
        other = bm25s_ranker(collection)
        if other is not None:
            results["bm25s (the library)"] = scores(collection, other)
        size = f"{len(collection.passages):,} passages, {len(collection.questions):,} questions"
        for method, result in results.items():
            gain, found = mean(result)
            row: dict[str, object] = {"set": collection.name, "size": size, "method": method}
            rows.append(row | {"nDCG@10": gain, "recall@100": found, "gain": _gain_over(results[WORDS], result)})
    return rows


def _gain_over(words: Scores, result: Scores) -> tuple[float, float, float]:
    """The gain in nDCG@10 over BM25 alone, and the interval in which it lies with 95 in 100."""
    differences = [one - other for (one, _), (other, _) in zip(result, words, strict=True)]
    return sum(differences) / len(differences), *paired_interval(differences)


def tune(folder: Path, names: Sequence[str], settings: Sequence[Fusion], folds: int = 5) -> list[dict[str, object]]:
    """Every setting on every set, and what choosing on four fifths of the questions gives on the last fifth.

    The choice goes by the mean over the sets of the gain over BM25 alone. `held out` is the mean nDCG@10
    over the folds of the setting chosen without them.
    """
    table: dict[str, dict[Fusion, list[float]]] = {}
    for name in names:
        collection = SETS[name](folder)
        with tempfile.TemporaryDirectory() as place:
            index_folder = Path(place) / "index"
            with EmbeddedIndex(index_folder, background=False) as index:
                index.upsert(collection.passages)
            for fusion in [WORDS_ONLY, *settings]:
                began = time.perf_counter()
                with EmbeddedIndex(index_folder, fusion=fusion, background=False) as index:
                    result = scores(collection, ranker(index))
                table.setdefault(name, {})[fusion] = [gain for gain, _ in result]
                print(
                    name,
                    fusion,
                    f"{mean(result)[0]:.4f} {mean(result)[1]:.4f}",
                    f"{time.perf_counter() - began:.1f} s",
                )
    fold_of = {name: _folds(len(next(iter(table[name].values()))), folds) for name in names}
    held_out: dict[str, float] = dict.fromkeys(names, 0.0)
    chosen: list[Fusion] = []
    for fold in range(folds):
        best = max(
            settings,
            key=lambda fusion: sum(_gain(table[n], fusion, fold_of[n], fold, inside=False) for n in names),
        )
        chosen.append(best)
        for name in names:
            kept = [score for score, place in zip(table[name][best], fold_of[name], strict=True) if place == fold]
            held_out[name] += sum(kept) / len(table[name][best])
    rows: list[dict[str, object]] = [
        {
            "setting": _short(fusion),
            **{name: sum(table[name][fusion]) / len(table[name][fusion]) for name in names},
        }
        for fusion in [WORDS_ONLY, *settings]
    ]
    rows.append({"setting": "held out", **held_out})
    rows.append({"setting": f"chosen: {sorted({_short(one) for one in chosen})}"})
    return rows


def _folds(number: int, folds: int) -> list[int]:
    places = [place % folds for place in range(number)]
    random.Random(0).shuffle(places)
    return places


def _gain(table: dict[Fusion, list[float]], fusion: Fusion, folds: list[int], fold: int, *, inside: bool) -> float:
    pairs = [
        score - base
        for score, base, place in zip(table[fusion], table[WORDS_ONLY], folds, strict=True)
        if (place == fold) == inside
    ]
    return sum(pairs) / len(pairs)


def _short(fusion: Fusion) -> str:
    return (
        f"trust {fusion.trust_from}-{fusion.trust_to}, dense {fusion.dense}, "
        f"feedback {fusion.feedback_least}-{fusion.feedback_most}"
    )
