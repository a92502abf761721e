"""How well the cast without a model answers, and knows when it cannot: CLAPNQ's questions among all its passages.

    python -m benchmarks.evidence.cast_reading [--fit]

Every question goes the product's own way (plan, search, `read_hits`) over the passages of all questions, once with its
own passage among them and once without: then no answer is the right answer, however near another passage comes.
`--fit` prints the coefficients of `team/answerability.py`, fitted on the same passages.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.evidence.fitting import fit, folds, predict
from benchmarks.evidence.public_sets import AnsweredQuestion, clapnq
from deepresearch.corpus import sentences
from deepresearch.model.documents import Document, Passage
from deepresearch.model.plan import SubQuestion
from deepresearch.model.retrieval import Hit
from deepresearch.retrieval import EmbeddedIndex
from deepresearch.session.search import search_all
from deepresearch.team import questions
from deepresearch.team.answerability import FEATURES, passage_features
from deepresearch.team.answering import TermWeights
from deepresearch.team.reading import read_hits

_PASSAGES = 6


@dataclass(frozen=True)
class Asked:
    """A question with its sub-questions' hits; `own` is its passage's document, `spans` that one's sentences."""

    entry: AnsweredQuestion
    own: str
    spans: tuple[tuple[int, int], ...]
    searched: tuple[tuple[SubQuestion, list[Hit]], ...]


def as_document(entry: AnsweredQuestion) -> tuple[Document, tuple[tuple[int, int], ...]]:
    """The passage as a document, and where its sentences stand in it."""
    text, spans = f"# {entry.title}\n\n", []
    for sentence in entry.sentences:
        spans.append((len(text), len(text) + len(sentence)))
        text += sentence + " "
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    document = Document(sha256=sha256, source="page.md", media_type="text/markdown", title=entry.title, text=text)
    return document, tuple(spans)


def as_passage(document: Document, spans: tuple[tuple[int, int], ...]) -> Passage:
    """All sentences of the document as one passage."""
    start, end = spans[0][0], spans[-1][1]
    return Passage(
        id=document.sha256[:16],
        sha256=document.sha256,
        start=start,
        end=end,
        text=document.text[start:end],
        heading_path=(document.title,),
    )


def ask_all(entries: list[AnsweredQuestion]) -> tuple[list[Asked], dict[str, Document]]:
    """Search for every question among the passages of all of them."""
    made = [(entry, *as_document(entry)) for entry in entries]
    documents = {document.sha256: document for _, document, _ in made}
    passages = {document.sha256: as_passage(document, spans) for _, document, spans in made}
    asked = []
    with tempfile.TemporaryDirectory() as folder:
        index = EmbeddedIndex(Path(folder) / "index")
        index.upsert(passages.values())
        for entry, document, spans in made:
            found = []
            for sub in questions.plan(entry.question).sub_questions:
                hits = search_all([lambda text, limit: index.search(text, limit=limit)], sub.queries)
                found.append((sub, hits))
            asked.append(Asked(entry, document.sha256, spans, tuple(found)))
        index.close()
    return asked, documents


def table(asked: list[Asked], documents: dict[str, Document]) -> str:
    """How often it answers rightly, and how often where there is no answer."""
    answered = first_right = false = 0
    f1 = []
    for one in asked:
        found = [f for sub, hits in one.searched for f in read_hits(sub, hits, documents).findings]
        without = [
            finding
            for sub, hits in one.searched
            for finding in read_hits(sub, [h for h in hits if h.passage.sha256 != one.own], documents).findings
        ]
        quotes = [quote for finding in found for quote in finding.quotes]
        own = [quote for quote in quotes if quote.sha256 == one.own]
        chosen = {
            index
            for index, (start, end) in enumerate(one.spans)
            if any(quote.start < end - 1 and quote.end > start + 1 for quote in own)
        }
        beside = len(quotes) - len(own)
        answered += bool(found)
        first_right += bool(found) and found[0].quotes[0].sha256 == one.own
        false += bool(without)
        gold = [annotated for annotated in one.entry.chosen if annotated]
        if gold:
            f1.append(np.mean([2 * len(chosen & g) / (len(chosen) + beside + len(g)) for g in gold]))
    count = len(asked)
    return (
        f"\n| CLAPNQ dev, {count} questions among all their passages | |\n|---|---|\n"
        f"| answered | {answered / count:.3f} |\n"
        f"| of these, the first sentence from the right passage | {first_right / max(1, answered):.3f} |\n"
        f"| sentences, F1 over all questions (silence counts 0) | {np.mean(f1):.3f} |\n"
        f"| answered although its passage was taken away | {false / count:.3f} |"
    )


def fitted(asked: list[Asked]) -> str:
    """The coefficients, and by cross-validation what cut costs how many false answers."""
    rows: list[tuple[float, ...]] = []
    groups: list[str] = []
    right: list[bool] = []
    cases: list[int] = []
    for number, one in enumerate(asked):
        sub, hits = one.searched[0]
        for there in (True, False):
            seen = [hit for hit in hits if there or hit.passage.sha256 != one.own]
            weights = TermWeights((hit.passage.sha256, hit.passage.text) for hit in seen)
            for passage in [hit.passage for hit in seen[:_PASSAGES]]:
                if there and passage.sha256 != one.own:
                    continue
                texts = [passage.text[start:end] for start, end in sentences(passage.text)]
                values, _ = passage_features(sub, texts, " ".join(passage.heading_path), weights)
                rows.append(values)
                groups.append(one.entry.id)
                right.append(there)
                cases.append(2 * number + there)
    features, labels = np.array(rows), np.array(right)
    weight = np.where(labels, 5.0, 1.0)
    estimates = np.zeros(len(rows))
    fold = folds(groups, 10, 0)
    for part in range(10):
        rest = fold != part
        coefficients = fit(features[rest], labels[rest], weight[rest], 1.0)
        estimates[fold == part] = predict(coefficients, features[fold == part])
    best = np.zeros(2 * len(asked))
    np.maximum.at(best, np.array(cases), estimates)
    lines = ["\n| false answers | cut | answered |\n|---|---|---|"]
    for share in (0.05, 0.1, 0.15):
        cut = float(np.quantile(best[0::2], 1 - share))
        lines.append(f"| {share:.2f} | {cut:.3f} | {np.mean(best[1::2] > cut):.3f} |")
    whole = fit(features, labels, weight, 1.0)
    names = ("intercept", *FEATURES)
    return "\n".join(lines) + "\n\n" + "\n".join(f"{n} {c:.3f}" for n, c in zip(names, whole, strict=True))


def main() -> None:
    """Print the table, or the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    asked, documents = ask_all(clapnq())
    print(fitted(asked) if options.fit else table(asked, documents))


if __name__ == "__main__":
    main()
