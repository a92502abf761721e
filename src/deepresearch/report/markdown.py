"""The report as Markdown that reads well as it is and in any viewer (CommonMark with tables)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from deepresearch.report.layout import AnswerPart, CitedQuote, ClaimEntry, Computation, Layout
from deepresearch.report.names import (
    STATUS_NOTES,
    STATUS_WORDS,
    SUPPORT_MEANINGS,
    SUPPORT_WORDS,
    kind_word,
    readable_time,
)
from deepresearch.report.visible import one_line, visible

_LONGEST_QUOTE = 1200

_MARKUP = re.compile(r"[\\`*_\[\]|~$]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_AUTOLINK = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data|file|vbscript):|\bwww\.")
_LINE_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+](?=\s|$)|=+\s*$|-{2,}\s*$|(\d{1,9})([.)])(?=\s|$)|:)")


def escaped(text: str) -> str:
    """Return text of any origin on one line so that no Markdown viewer takes any of it for markup."""
    line = one_line(text)
    line = _ENTITY.sub("&amp;", line)
    line = _MARKUP.sub(r"\\\g<0>", line).replace("<", "&lt;").replace(">", "&gt;")
    line = _AUTOLINK.sub(lambda match: match[0][:-1] + "\\" + match[0][-1], line)
    return _LINE_START.sub(_escaped_start, line)


def code_span(text: str) -> str:
    """Return text of any origin as a code span."""
    line = one_line(text)
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line or ' '}{space}{fence}"


def code_block(text: str, language: str = "") -> list[str]:
    """Return text of any origin as a fenced code block."""
    shown = visible(text).rstrip("\n")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *shown.split("\n"), fence]


def render_markdown(layout: Layout) -> str:
    """Return the whole report. Figures are linked by the relative paths `figures/…`."""
    report = layout.report
    lines = [f"# {escaped(report.question)}", ""]
    lines += [f"{STATUS_WORDS[report.status]} · {escaped(readable_time(report.created_at))}", ""]
    if STATUS_NOTES[report.status]:
        lines += [f"**{STATUS_NOTES[report.status]}**", ""]
    if report.math.degradation_note:
        lines += [f"**Computation:** {escaped(report.math.degradation_note)}", ""]
    lines += ["## Answer", ""]
    for paragraph in layout.answer:
        lines += ["".join(_answer_part(part) for part in paragraph), ""]
    if not layout.answer:
        lines += ["No answer was found in these sources.", ""]
    lines += _findings(layout) + _conflicts(layout) + _computations(layout.computations)
    if report.limits:
        lines += ["## Limits", "", *(f"- {escaped(limit)}" for limit in report.limits), ""]
    return "\n".join(lines + _quotes(layout) + _sources(layout) + _again(layout)).rstrip("\n") + "\n"


def _escaped_start(match: re.Match[str]) -> str:
    if match[2]:
        return f"{match[2]}\\{match[3]}"
    return "\\" + match[0]


def _answer_part(part: AnswerPart) -> str:
    if part.entry is not None:
        return f" [{escaped(part.text)}]"
    leading = " " if part.text[:1].isspace() else ""
    trailing = " " if part.text[-1:].isspace() and len(part.text) > 1 else ""
    return leading + escaped(part.text) + trailing


def _findings(layout: Layout) -> list[str]:
    if not layout.topics:
        return []
    lines = ["## Findings", ""]
    for topic in layout.topics:
        if len(layout.topics) > 1 or topic.title != layout.report.question:
            lines += [f"### {escaped(topic.title) or 'Other findings'}", ""]
        lines += [_claim(entry) for entry in topic.entries] or ["Nothing was found in these sources."]
        lines.append("")
    return lines


def _claim(entry: ClaimEntry) -> str:
    claim = entry.claim
    numbers = "".join(_mark(quote) for quote in entry.quotes)
    run = f", computed in run {code_span(claim.run_id)}" if claim.run_id else ""
    band = f"{SUPPORT_WORDS[claim.support]}, {claim.confidence:.0%}"
    conflict = ", in conflict" if entry.disputed else ""
    return f"- **[{escaped(claim.id)}]** {escaped(claim.text)}{numbers} *({band}{run}{conflict})*"


def _mark(quote: CitedQuote | None) -> str:
    return f"[^{quote.number}]" if quote else ""


def _conflicts(layout: Layout) -> list[str]:
    if not layout.conflicts:
        return []
    lines = ["## Conflicts between sources", ""]
    for conflict in layout.conflicts:
        lines += [f"{escaped(conflict.note)}", ""]
        rows = []
        for side in conflict.sides:
            sources = [escaped(quote.where) + (" (superseded)" if quote.superseded_by else "") for quote in side.quotes]
            words = escaped(side.claim.text) + "".join(_mark(quote) for quote in side.quotes)
            date = escaped(side.date) or "undated"
            rows.append((words, " · ".join(sources), date, f"[{escaped(side.claim.id)}]"))
        lines += [*_table(("What it says", "Source", "Date", "Claim"), rows), ""]
    return lines


def _computations(computations: Sequence[Computation]) -> list[str]:
    if not computations:
        return []
    lines = ["## Computed numbers and figures", ""]
    for computation in computations:
        lines += [f"### {escaped(computation.title)}", "", f"Run {code_span(computation.run_id)}", ""]
        for figure in computation.figures:
            lines += [f"![{escaped(figure.title)}](figures/{figure.path.rsplit('/', 1)[-1]})", ""]
        if computation.values:
            rows = [(escaped(name), escaped(value)) for name, value in computation.values]
            lines += [*_table(("Computed", "Value"), rows), ""]
        for table in computation.tables:
            data = [
                (escaped(label), *(escaped(cell.text) + _mark(cell.quote) for cell in cells))
                for label, cells in table.rows
            ]
            lines += [*_table([escaped(head) for head in (table.axis, *table.columns)], data), ""]
        if computation.script:
            lines += ["The script:", "", *code_block(computation.script.script, "python"), ""]
    return lines


def _quotes(layout: Layout) -> list[str]:
    quotes = layout.quotes + layout.data_quotes
    if not quotes:
        return []
    lines = ["## Quotes", ""]
    for quote in quotes:
        words = quote.quote.quote
        if len(words) > _LONGEST_QUOTE:
            words = words[:_LONGEST_QUOTE].rstrip() + f" … ({len(words):,} characters)"
        old = f", superseded by {escaped(quote.superseded_by)}" if quote.superseded_by else ""
        sha256 = code_span(quote.quote.sha256[:12])
        place = f"characters {quote.quote.start:,} to {quote.quote.end:,}, {sha256}{old}"
        # A blank line between them keeps them apart in viewers that know no footnotes.
        lines += [f"{_mark(quote)}: {escaped(quote.where)}: “{escaped(words)}” ({place})", ""]
    return lines


def _sources(layout: Layout) -> list[str]:
    if not layout.sources:
        return []
    rows = []
    for row in layout.sources:
        entry = row.entry
        superseded = f"superseded by {escaped(row.superseded_by)}" if row.superseded_by else ""
        note = "; ".join(part for part in (superseded, row.retrieved) if part)
        version = escaped(entry.version or "")
        cells = (
            escaped(entry.title),
            escaped(row.name),
            escaped(kind_word(entry.media_type)),
            escaped(entry.date or ""),
        )
        rows.append((*cells, version, str(entry.citations), note))
    head = ("Title", "File", "Kind", "Date", "Version", "Cited", "Note")
    return ["## Sources", "", *_table(head, rows), ""]


def _again(layout: Layout) -> list[str]:
    report = layout.report
    cost = "unknown" if report.usage.cost_usd is None else f"{report.usage.cost_usd:.2f} USD"
    tokens = f"{report.usage.input_tokens:,} tokens in, {report.usage.output_tokens:,} out"
    bands = "; ".join(f"*{SUPPORT_WORDS[band]}*: {meaning}" for band, meaning in SUPPORT_MEANINGS.items())
    return [
        "## Check it yourself",
        "",
        f"Every computed number can be run again: {code_span(f'deepresearch replay {report.session_id}')}",
        "",
        f"How far its quotes carry a claim: {bands}.",
        "",
        f"Session {code_span(report.session_id)}, team {code_span(report.team)}, "
        f"{report.usage.seconds:.1f} s, {tokens}, cost {cost}.",
        "",
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]
