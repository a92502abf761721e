"""The cast asked about one page: the cells it takes, and the script it would run."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.tables.questions import Question
from deepresearch.corpus import split
from deepresearch.model.documents import Document
from deepresearch.model.mathematics import MathRequest
from deepresearch.model.retrieval import Hit
from deepresearch.team import questions
from deepresearch.team.computing import requests_for
from deepresearch.team.reading import read_hits


@dataclass(frozen=True)
class Asked:
    """What the cast makes of a question: the places (row, column) of its cells, its first sentence, its script."""

    cells: tuple[tuple[int, int], ...]
    said: str
    request: MathRequest | None


def ask(question: Question, document: Document) -> Asked:
    """Read the document for the question and ask for computations, as a session does with what it retrieved."""
    plan = questions.plan(question.text)
    places = {
        cell.start: (row, column)
        for table in document.tables
        for row, cells in enumerate(table.rows)
        for column, cell in enumerate(cells)
        if cell.start < cell.end
    }
    requests = requests_for(plan, [document])
    if question.kind != "lookup":
        if not requests:
            return Asked((), "", None)
        points = [point for series in requests[0].series for point in series.points]
        cells = tuple(places[point.quote.start] for point in points if point.quote.start in places)
        return Asked(cells, requests[0].title, requests[0])
    hits = [Hit(passage=passage, score=1.0, legs={}) for passage in split(document)]
    for sub in plan.sub_questions:
        reading = read_hits(sub, hits, {document.sha256: document})
        for finding in reading.findings:
            last = finding.quotes[-1].start
            return Asked((places[last],) if last in places else (), finding.text, requests[0] if requests else None)
    return Asked((), "", requests[0] if requests else None)
