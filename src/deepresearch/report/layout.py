"""The order of a report: what is numbered how, what stands beside what. Shared by Markdown and HTML.

Nothing here changes a claim; it sorts, numbers and looks up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from deepresearch.model.evidence import Claim, Quote
from deepresearch.model.mathematics import DataPoint, Figure, Series
from deepresearch.model.report import Report, ScriptRecord, SourceEntry
from deepresearch.report.excerpts import Excerpt, TextOf, excerpt
from deepresearch.report.names import place_word, readable_number, readable_time, readable_value, short_names

CLAIM_CONTEXT = 400
DATA_CONTEXT = 160

_REFERENCE = re.compile(r"\[\s*([A-Za-z]{1,3}\d{1,6}(?:\s*[,;]\s*[A-Za-z]{1,3}\d{1,6})*)\s*\]")


@dataclass(frozen=True, slots=True)
class CitedQuote:
    """A quote with its number in the report. `place` is ``page 4`` or empty; `superseded_by` a short name."""

    number: int
    quote: Quote
    name: str
    title: str
    place: str
    date: str | None
    superseded_by: str | None
    excerpt: Excerpt | None

    @property
    def where(self) -> str:
        """Short name and place."""
        return f"{self.name}, {self.place}" if self.place else self.name


@dataclass(frozen=True, slots=True)
class ClaimEntry:
    """A claim with its numbered quotes.

    `anchor` is safe in an address; `run` the anchor of its computation; `disputed` says that a conflict names
    it.
    """

    anchor: str
    claim: Claim
    quotes: tuple[CitedQuote, ...]
    run: str | None
    disputed: bool

    @property
    def date(self) -> str:
        """The newest date among its sources, ISO 8601; empty when none is dated."""
        return max((quote.date or "" for quote in self.quotes), default="")


@dataclass(frozen=True, slots=True)
class AnswerPart:
    """A piece of the answer: plain words, or a reference to a claim."""

    text: str
    entry: ClaimEntry | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """A sub-question and what was found for it."""

    title: str
    entries: tuple[ClaimEntry, ...]


@dataclass(frozen=True, slots=True)
class ConflictEntry:
    """Claims that cannot all be right, newest source first."""

    kind: str
    note: str
    sides: tuple[ClaimEntry, ...]


@dataclass(frozen=True, slots=True)
class DataCell:
    """A value as text with the quote it was read from."""

    text: str
    quote: CitedQuote | None = None


@dataclass(frozen=True, slots=True)
class DataTable:
    """Series over the same axis, side by side. Each row begins with its label."""

    axis: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[DataCell, ...]], ...]


@dataclass(frozen=True, slots=True)
class Computation:
    """One run: what it drew, printed and was given. `script` is None when the run left no record."""

    anchor: str
    run_id: str
    title: str
    script: ScriptRecord | None
    figures: tuple[Figure, ...]
    tables: tuple[DataTable, ...]
    values: tuple[tuple[str, str], ...]
    entries: tuple[ClaimEntry, ...]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A document of the table of sources under its short names."""

    entry: SourceEntry
    name: str
    superseded_by: str | None

    @property
    def retrieved(self) -> str:
        """When a page of the web was fetched, for a reader; empty for a file."""
        return f"retrieved {readable_time(self.entry.retrieved)}" if self.entry.retrieved else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A report in reading order."""

    report: Report
    answer: tuple[tuple[AnswerPart, ...], ...]
    topics: tuple[Topic, ...]
    conflicts: tuple[ConflictEntry, ...]
    computations: tuple[Computation, ...]
    quotes: tuple[CitedQuote, ...]
    data_quotes: tuple[CitedQuote, ...]
    sources: tuple[SourceRow, ...]

    @property
    def cell_quotes(self) -> tuple[CitedQuote, ...]:
        """Every quote that a cell of a data table points to, once, by number."""
        tables = (table for computation in self.computations for table in computation.tables)
        cells = (cell for table in tables for _, row in table.rows for cell in row)
        found = {cell.quote.number: cell.quote for cell in cells if cell.quote}
        return tuple(found[number] for number in sorted(found))


def arrange(report: Report, text_of: TextOf) -> Layout:
    """Bring a report into reading order; `text_of` gives the words around each quote."""
    book = _QuoteBook(report, text_of)
    runs = _runs(report)
    disputed = {identifier for conflict in report.conflicts for identifier in conflict.claims}
    entries = [
        ClaimEntry(
            anchor=f"claim-{number}",
            claim=claim,
            quotes=tuple(book.cite(quote) for quote in claim.citations),
            run=runs.get(claim.run_id) if claim.run_id else None,
            disputed=claim.id in disputed,
        )
        for number, claim in enumerate(report.claims, 1)
    ]
    quotes = book.all()
    computations = _computations(report, runs, entries, book)
    return Layout(
        report=report,
        answer=_answer(report.answer, entries),
        topics=_topics(report, entries),
        conflicts=_conflicts(report, entries),
        computations=computations,
        quotes=quotes,
        data_quotes=book.all()[len(quotes) :],
        sources=tuple(
            SourceRow(entry, book.name(entry.source), entry.superseded_by and book.name(entry.superseded_by))
            for entry in report.sources
        ),
    )


class _QuoteBook:
    """Numbers quotes from 1 in the order they are first met; the same words at the same place once."""

    def __init__(self, report: Report, text_of: TextOf) -> None:
        self._sources = {source.sha256: source for source in report.sources}
        quoted = [quote.source for claim in report.claims for quote in claim.citations]
        series = [series for script in report.scripts for series in script.series]
        quoted += [point.quote.source for one in series for point in one.points]
        newer = [source.superseded_by for source in report.sources if source.superseded_by]
        self._names = short_names([*(source.source for source in report.sources), *quoted, *newer])
        self._text_of = lru_cache(maxsize=8)(text_of)
        self._cited: dict[tuple[str, int, int], CitedQuote] = {}

    def name(self, source: str) -> str:
        return self._names.get(source, source)

    def all(self) -> tuple[CitedQuote, ...]:
        return tuple(self._cited.values())

    def cite(self, quote: Quote, context: int = CLAIM_CONTEXT) -> CitedQuote:
        key = (quote.sha256, quote.start, quote.end)
        if key not in self._cited:
            source = self._sources.get(quote.sha256)
            self._cited[key] = CitedQuote(
                number=len(self._cited) + 1,
                quote=quote,
                name=self.name(quote.source),
                title=source.title if source else "",
                place=place_word(quote.page, source.media_type if source else ""),
                date=source.date if source else None,
                superseded_by=self.name(source.superseded_by) if source and source.superseded_by else None,
                excerpt=excerpt(quote, self._text_of, context),
            )
        return self._cited[key]


def _answer(answer: str, entries: Sequence[ClaimEntry]) -> tuple[tuple[AnswerPart, ...], ...]:
    """Split the answer at line ends, and each line at its references such as ``[C1]`` or ``[C1, C4]``."""
    by_id = {entry.claim.id: entry for entry in entries}
    paragraphs = []
    for paragraph in answer.splitlines():
        parts: list[AnswerPart] = []
        place = 0
        for match in _REFERENCE.finditer(paragraph):
            ids = [identifier.strip() for identifier in re.split("[,;]", match[1])]
            if not all(identifier in by_id for identifier in ids):
                continue
            parts.append(AnswerPart(paragraph[place : match.start()].rstrip(" ")))
            parts += [AnswerPart(identifier, by_id[identifier]) for identifier in ids]
            place = match.end()
        parts.append(AnswerPart(paragraph[place:]))
        kept = tuple(part for part in parts if part.text)
        if any(part.text.strip() for part in kept):
            paragraphs.append(kept)
    return tuple(paragraphs)


def _topics(report: Report, entries: Sequence[ClaimEntry]) -> tuple[Topic, ...]:
    """Group claims by sub-question, named by its id or its words; unknown ones follow in their own order."""
    titles = {part.id: part.text for part in report.sub_questions}
    groups: dict[str, list[ClaimEntry]] = {part.text: [] for part in report.sub_questions}
    for entry in entries:
        groups.setdefault(titles.get(entry.claim.sub_question, entry.claim.sub_question), []).append(entry)
    return tuple(Topic(title, tuple(found)) for title, found in groups.items())


def _conflicts(report: Report, entries: Sequence[ClaimEntry]) -> tuple[ConflictEntry, ...]:
    by_id = {entry.claim.id: entry for entry in entries}
    return tuple(
        ConflictEntry(
            kind=conflict.kind,
            note=conflict.note,
            sides=tuple(
                sorted(
                    (by_id[identifier] for identifier in conflict.claims if identifier in by_id),
                    key=lambda entry: entry.date,
                    reverse=True,
                )
            ),
        )
        for conflict in report.conflicts
    )


def _runs(report: Report) -> dict[str, str]:
    known = [script.run_id for script in report.scripts] + [figure.run_id for figure in report.figures]
    known += [claim.run_id for claim in report.claims if claim.run_id]
    return {run_id: f"run-{number}" for number, run_id in enumerate(dict.fromkeys(known), 1)}


def _computations(
    report: Report, runs: dict[str, str], entries: Sequence[ClaimEntry], book: _QuoteBook
) -> tuple[Computation, ...]:
    scripts = {script.run_id: script for script in report.scripts}
    found = []
    for run_id, anchor in runs.items():
        script = scripts.get(run_id)
        figures = tuple(figure for figure in report.figures if figure.run_id == run_id)
        title = script.title if script else (figures[0].title if figures else f"Run {run_id}")
        values = script.values if script else {}
        found.append(
            Computation(
                anchor=anchor,
                run_id=run_id,
                title=title,
                script=script,
                figures=figures,
                tables=_tables(script.series, book) if script else (),
                values=tuple(readable_value(name, value) for name, value in values.items()),
                entries=tuple(entry for entry in entries if entry.claim.run_id == run_id),
            )
        )
    return tuple(found)


def _tables(all_series: Sequence[Series], book: _QuoteBook) -> tuple[DataTable, ...]:
    """Put series with the same axis into one table; a label that a series lacks leaves its cell empty."""
    groups: dict[tuple[str, int], list[Series]] = {}
    for number, series in enumerate(all_series, 1):
        # A series that gives a label twice cannot share rows with another without losing a value.
        repeats = len({point.label for point in series.points}) < len(series.points)
        groups.setdefault((series.axis, number if repeats else 0), []).append(series)
    return tuple(
        DataTable(
            axis=axis or "Label",
            columns=tuple(f"{one.name} ({one.unit})" if one.unit else one.name for one in group),
            rows=_rows_as_given(group[0], book) if alone else _rows_by_label(group, book),
        )
        for (axis, alone), group in groups.items()
    )


def _rows_as_given(series: Series, book: _QuoteBook) -> tuple[tuple[str, tuple[DataCell, ...]], ...]:
    return tuple((point.label, (_cell(point, book),)) for point in series.points)


def _rows_by_label(group: Sequence[Series], book: _QuoteBook) -> tuple[tuple[str, tuple[DataCell, ...]], ...]:
    labels = list(dict.fromkeys(point.label for series in group for point in series.points))
    columns = [{point.label: point for point in series.points} for series in group]
    return tuple((label, tuple(_cell(column.get(label), book) for column in columns)) for label in labels)


def _cell(point: DataPoint | None, book: _QuoteBook) -> DataCell:
    if point is None:
        return DataCell("")
    return DataCell(readable_number(point.value), book.cite(point.quote, DATA_CONTEXT))
