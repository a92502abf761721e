"""Single values and lists read out of tables: the row that a question names, under the column it names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepresearch.model.documents import Cell, Document, Table
from deepresearch.model.evidence import Quote
from deepresearch.model.plan import QuestionType, SubQuestion
from deepresearch.model.retrieval import Hit
from deepresearch.team.answering import TermWeights, asked_stems
from deepresearch.team.periods import parse_period
from deepresearch.team.protocol import Finding
from deepresearch.team.questions import years
from deepresearch.team.stemming import stems

_FLOOR = 0.74
#: A list is also named by its column's heading and its table's, so less of the question has to be covered.
_LIST_FLOOR = 0.3
_MOST = 3
_LONGEST_LIST = 40
_SINGLE = frozenset({QuestionType.QUANTITY, QuestionType.FACT, QuestionType.TIME, QuestionType.DEFINITION})


@dataclass(frozen=True)
class _Value:
    score: float
    text: str
    cells: tuple[Cell, ...]
    table: Table
    document: Document


def look_up(
    sub_question: SubQuestion, hits: Sequence[Hit], documents: dict[str, Document], weights: TermWeights
) -> list[Finding]:
    """The cells that answer the sub-question, as findings; empty when its words do not meet in a table."""
    if sub_question.type is QuestionType.LIST:
        values = _lists(sub_question, documents, weights)
    elif sub_question.type in _SINGLE:
        values = _cells(sub_question, documents, weights)
    else:
        return []
    ranks = {hit.passage.sha256: rank for rank, hit in reversed(list(enumerate(hits)))}
    best = sorted(values, key=lambda value: (-round(value.score, 3), ranks.get(value.document.sha256, 999)))[:_MOST]
    return [_finding(sub_question, value) for value in best if value.score >= best[0].score - 0.02]


def _cells(sub_question: SubQuestion, documents: dict[str, Document], weights: TermWeights) -> Iterator[_Value]:
    asked = set(asked_stems(sub_question))
    wanted_years = {str(year) for year in years(sub_question.text)}
    total = math.fsum(weights[stem] for stem in asked)
    for document, table, header, row in _rows(documents):
        context = set(stems(f"{table.caption or ''} {table.sheet or ''} {document.title}"))
        label_stems = set(stems(row[0].text))
        row_years = {str(period.year)} if (period := parse_period(row[0].text)) else set()
        for column in range(1, len(row)):
            cell = row[column]
            if not cell.text.strip() or cell.start >= cell.end:
                continue
            head = header[column]
            head_stems = set(stems(" ".join(one.text for one in head)))
            head_years = {str(p.year) for one in head if (p := parse_period(one.text))}
            if wanted_years and not wanted_years & (row_years | head_years):
                continue
            own = label_stems | head_stems
            # Both sides have to be named, each by the question: a row alone or a column alone is no answer.
            row_named = bool(label_stems & asked) or bool(row_years & wanted_years)
            column_named = bool(head_stems & asked - label_stems) or bool(head_years & wanted_years)
            if not (row_named and column_named):
                continue
            got = math.fsum(weights[stem] * (1.0 if stem in own else 0.7 if stem in context else 0.0) for stem in asked)
            score = got / total if total else 0.0
            if score >= _FLOOR:
                name = ", ".join(filter(None, (row[0].text.strip(), *dict.fromkeys(one.text.strip() for one in head))))
                yield _Value(
                    score, f"{name}: {cell.text.strip()}{_unit(table, cell)}.", (row[0], *head, cell), table, document
                )


def _lists(sub_question: SubQuestion, documents: dict[str, Document], weights: TermWeights) -> Iterator[_Value]:
    asked = set(asked_stems(sub_question))
    total = math.fsum(weights[stem] for stem in asked)
    for document in documents.values():
        for table in document.tables:
            body = [row for row in table.rows[table.header_rows :] if row and row[0].text.strip()]
            if not table.header_rows or not 2 <= len(body) <= _LONGEST_LIST or parse_period(body[0][0].text):
                continue
            head = table.rows[table.header_rows - 1][0]
            head_stems = set(stems(head.text))
            context = set(stems(f"{table.caption or ''} {table.sheet or ''} {document.title}"))
            if not head_stems & asked or not (context - head_stems) & asked:
                continue
            got = math.fsum(weights[stem] * (1.0 if stem in head_stems | context else 0.0) for stem in asked)
            if total and got / total >= _LIST_FLOOR:
                labels = [row[0] for row in body]
                text = f"{head.text.strip()}: {', '.join(label.text.strip() for label in labels)}."
                yield _Value(got / total, text, (head, *labels), table, document)


def _rows(
    documents: dict[str, Document],
) -> Iterator[tuple[Document, Table, list[tuple[Cell, ...]], tuple[Cell, ...]]]:
    for document in documents.values():
        for table in document.tables:
            if not table.header_rows or not table.rows or len(table.rows[0]) < 2:
                continue
            top = table.rows[: table.header_rows]
            header = [
                tuple({row[column].text.strip(): row[column] for row in top if row[column].text.strip()}.values())
                for column in range(len(table.rows[0]))
            ]
            for row in table.rows[table.header_rows :]:
                if row[0].text.strip():
                    yield document, table, header, row


def _unit(table: Table, cell: Cell) -> str:
    shown = cell.text.strip()
    if not table.unit or any(character.isalpha() or character in "%€$£" for character in shown):
        return ""
    return f" {table.unit}"


def _finding(sub_question: SubQuestion, value: _Value) -> Finding:
    document, table = value.document, value.table
    quotes = tuple(
        Quote(
            source=document.source,
            sha256=document.sha256,
            page=table.page if table.page is not None else document.page_at(cell.start),
            start=cell.start,
            end=cell.end,
            quote=cell.text,
        )
        for cell in value.cells
        if cell.start < cell.end
    )
    return Finding(sub_question=sub_question.id, text=value.text, quotes=quotes, relevance=min(1.0, value.score))
