"""What the report has to admit: what was not found, what rests on little, what was left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim, Support
from deepresearch.model.mathematics import MathSummary
from deepresearch.model.plan import Plan
from deepresearch.session.loading import Loaded
from deepresearch.team.protocol import Reading

_MOST_QUERIES = 4


def limits_of(
    plan: Plan,
    queries: Sequence[str],
    readings: Sequence[Reading],
    claims: Sequence[Claim],
    documents: Sequence[Document],
    superseded: Mapping[str, str],
    loaded: Loaded,
    math: MathSummary,
) -> tuple[str, ...]:
    """Sentences of the limits section, the gravest first."""
    by_sub = {reading.sub_question: reading for reading in readings}
    names = {document.sha256: PurePath(document.source).name for document in documents}
    said: list[str] = []
    for sub in plan.sub_questions:
        own = [claim for claim in claims if claim.sub_question == sub.id]
        if not own:
            said.append(_not_found(sub.text, by_sub.get(sub.id), queries, len(documents)))
    if math.degradation_note:
        said.append(math.degradation_note)
    for claim in claims:
        if claim.support in (Support.UNSUPPORTED, Support.UNDECIDED):
            said.append(f"{claim.id} is {claim.support} by what it cites.")
    said.extend(_single_source(claims))
    for old, new in superseded.items():
        if old in names:
            said.append(f"{names[old]} was left out: {names.get(new, 'a newer version')} replaces it.")
    for refused in loaded.refused:
        said.append(f"{refused.source} could not be read: {refused.reason}.")
    steering = {names.get(quote.sha256, "?") for reading in readings for quote in reading.instructions}
    for name in sorted(steering):
        said.append(f"{name} holds text that addresses a language model. It was treated as data and left out.")
    return tuple(dict.fromkeys(said))


def _not_found(question: str, reading: Reading | None, queries: Sequence[str], documents: int) -> str:
    searched = "; ".join(f"“{query}”" for query in queries[:_MOST_QUERIES])
    passages = reading.passages if reading else 0
    return (
        f"Not in these sources: {question.rstrip(' ?.')}. Searched {documents} document(s) for {searched} "
        f"and read the {passages} nearest passages."
    )


def _single_source(claims: Sequence[Claim]) -> list[str]:
    alone = [
        claim.id for claim in claims if claim.run_id is None and len({quote.sha256 for quote in claim.citations}) == 1
    ]
    if not alone:
        return []
    which = ", ".join(alone) if len(alone) <= 6 else f"{len(alone)} claims"
    return [f"{which} rest{'s' if len(alone) == 1 else ''} on one source."]
