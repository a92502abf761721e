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
from deepresearch.team.cell_choice import CHANGE_STEMS, Asked, Scored, asked_of, named_stems, score_cells
from deepresearch.team.periods import parse_period, years_in
from deepresearch.team.placed_cells import PlacedCell, placed_cells
from deepresearch.team.protocol import Finding
from deepresearch.team.stemming import stems

_FLOOR = 0.74
#: Enough where the question has every word of the row's name and its period.
_NAMED_FLOOR = 0.5
#: A list is also named by its column's heading and its table's, so less of the question has to be covered.
_LIST_FLOOR = 0.3
_MOST = 3
_LONGEST_LIST = 40
_SINGLE = frozenset({QuestionType.QUANTITY, QuestionType.FACT, QuestionType.TIME, QuestionType.DEFINITION})


@dataclass(frozen=True)
class _Value:
    score: float
    order: float
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
    elif sub_question.type in _SINGLE or (
        sub_question.type is not QuestionType.CAUSE and len(years_in(sub_question.text)) == 1
    ):
        values = _cells(sub_question, documents, weights)
    else:
        return []
    ranks = {hit.passage.sha256: rank for rank, hit in reversed(list(enumerate(hits)))}
    best = sorted(values, key=lambda value: (-round(value.order, 3), ranks.get(value.document.sha256, 999)))[:_MOST]
    return [_finding(sub_question, value) for value in best if value.order >= best[0].order - 0.02]


def _cells(sub_question: SubQuestion, documents: dict[str, Document], weights: TermWeights) -> Iterator[_Value]:
    asked = asked_of(sub_question.text)
    wanted = asked.hard
    total = math.fsum(weights[stem] for stem in wanted)
    for found in score_cells(asked, list(placed_cells(documents.values()))):
        one = found.placed
        label, heads = named_stems(cell.text for cell in one.label), named_stems(cell.text for cell in one.heads)
        if sub_question.type not in _SINGLE and not _is_that_row(found, label, asked):
            continue
        own = label | heads | named_stems(cell.text for cell in one.groups)
        in_years = bool(set(one.years) & set(asked.years))
        # Both sides have to be named, each by the question: a row alone or a column alone is no answer.
        row_named = bool(label & wanted) or found.whole or (in_years and any(years_in(cell.text) for cell in one.label))
        column_named = bool(heads & (wanted | asked.soft) - label) or (in_years and row_named)
        if not (row_named and column_named) or (asked.years and not in_years):
            continue
        got = math.fsum(
            weights[stem] * (1.0 if stem in own else 0.7 if stem in found.context else 0.0) for stem in wanted
        )
        if not wanted:
            got, total = 1.0, 1.0
        if total and got / total >= (_NAMED_FLOOR if found.named > 0.99 and in_years else _FLOOR):
            name = ", ".join(filter(None, (one.name, *dict.fromkeys(head.text.strip() for head in one.heads))))
            text = f"{name}: {one.cell.text.strip()}{_unit(one)}."
            yield _Value(
                got / total,
                found.score,
                text,
                (*one.label, *one.heads, *_dated_groups(one), one.cell),
                one.table,
                one.document,
            )


def _is_that_row(found: Scored, label: frozenset[str], asked: Asked) -> bool:
    """Whether a question that sounds like a comparison or a development names one row by its whole name.

    "Net decrease in cash" is a row; the decrease of "cash" is none.
    """
    moves = asked.soft & CHANGE_STEMS
    return found.named > 0.99 and (bool(label & moves) if moves else found.whole)


def _dated_groups(one: PlacedCell) -> tuple[Cell, ...]:
    """The group lines above a row that say its period, where neither row nor column does."""
    if any(years_in(cell.text) for cell in (*one.label, *one.heads)):
        return ()
    return tuple(cell for cell in one.groups if years_in(cell.text))


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
                yield _Value(got / total, got / total, text, (head, *labels), table, document)


def _unit(one: PlacedCell) -> str:
    shown = one.cell.text.strip()
    if one.number is None or any(character.isalpha() or character in "%€$£" for character in shown):
        return ""
    return f" {one.table.unit}" if one.table.unit else ""


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
