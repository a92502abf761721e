"""Why the claims of a report got their verdicts: the words they rest on, read again in the stored texts, what each
measured feature gave, and what would change the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.evidence import Explanation, explain_support, gate, independent_origins
from deepresearch.model.base import Value
from deepresearch.model.documents import Document
from deepresearch.model.errors import SessionError, UsageError
from deepresearch.model.evidence import Claim, Conflict, Quote, Support
from deepresearch.model.mathematics import MathRequest, MathResult
from deepresearch.model.report import Report
from deepresearch.session.archive import Archive
from deepresearch.session.computed import NumberOrigin, numbers_of
from deepresearch.session.mathematics import outcome_of
from deepresearch.session.verification import ALONE, evidence_of
from deepresearch.team.protocol import MathOutcome


class ExplainedQuote(Value):
    """A citation, and whether the stored text still holds these words at this place."""

    quote: Quote
    holds: bool


class ExplainedClaim(Value):
    """A claim with everything its verdict was made of.

    `origins` counts the independent documents that say it. `explanation` is there for claims that rest on quotes
    alone, `numbers` for computed ones: where each number of the sentence comes from. `would_change` says in sentences
    what would change the verdict. `conflicts` are the notes of those it is part of.
    """

    claim: Claim
    quotes: tuple[ExplainedQuote, ...]
    origins: int
    explanation: Explanation | None
    numbers: tuple[NumberOrigin, ...]
    confidence_note: str
    would_change: tuple[str, ...]
    conflicts: tuple[str, ...]


def explain_session(archive: Archive, session_id: str, claim_id: str | None = None) -> list[ExplainedClaim]:
    """Explain one claim of a session's report, or all of them.

    Raises `UnknownSessionError`, `SessionError` while there is no report, `UsageError` for a claim it does not have.
    """
    archive.session(session_id)
    report = archive.report(session_id)
    if report is None:
        raise SessionError(
            f"Session {session_id} has no report yet. Let it finish (`deepresearch sessions resume {session_id}`)."
        )
    claims = report.claims if claim_id is None else tuple(one for one in report.claims if one.id == claim_id)
    if claim_id is not None and not claims:
        known = f"{report.claims[0].id} to {report.claims[-1].id}" if report.claims else "none"
        raise UsageError(f"The report of session {session_id} has no claim {claim_id!r}; it has {known}.")
    cited = sorted({quote.sha256 for claim in claims for quote in claim.citations})
    documents = {document.sha256: document for document in archive.store.documents(session_id, cited)}
    outcomes = _outcomes(archive, session_id)
    return [_explained(claim, report, documents, outcomes) for claim in claims]


def _explained(
    claim: Claim, report: Report, documents: dict[str, Document], outcomes: dict[str, MathOutcome]
) -> ExplainedClaim:
    quotes = tuple(ExplainedQuote(quote=quote, holds=_holds(quote, documents)) for quote in claim.citations)
    outcome = outcomes.get(claim.run_id) if claim.run_id else None
    cited = [documents[quote.sha256] for quote in claim.citations if quote.sha256 in documents]
    voices = independent_origins(cited).count
    explanation = None
    numbers: tuple[NumberOrigin, ...] = ()
    if outcome is not None:
        numbers = numbers_of(claim.text, [quote.quote for quote in claim.citations], outcome)
        changes = _changes_of_computed(claim, numbers)
    elif not claim.citations:
        changes = ["No document is cited: a quote whose words carry the sentence would have to be found."]
    else:
        explanation = explain_support(claim.text, evidence_of(claim.citations))
        changes = list(explanation.would_change)
    if not all(quote.holds for quote in quotes):
        changes.insert(0, "A quote is no longer in the stored text: the document was removed from the store.")
    return ExplainedClaim(
        claim=claim,
        quotes=quotes,
        origins=voices,
        explanation=explanation,
        numbers=numbers,
        confidence_note=_confidence_note(claim, voices, computed=outcome is not None),
        would_change=tuple(changes),
        conflicts=_conflicts(claim, report.conflicts),
    )


def _holds(quote: Quote, documents: dict[str, Document]) -> bool:
    document = documents.get(quote.sha256)
    return document is not None and gate(quote, document)


def _outcomes(archive: Archive, session_id: str) -> dict[str, MathOutcome]:
    found = {}
    for stored in archive.store.result(session_id, "compute") or []:
        request = MathRequest.model_validate(stored)
        result = archive.store.result(session_id, f"compute:{request.id}")
        if result is not None:
            outcome = outcome_of(request, MathResult.model_validate(result))
            found[outcome.result.run_id] = outcome
    return found


def _changes_of_computed(claim: Claim, numbers: Sequence[NumberOrigin]) -> list[str]:
    astray = [number.written for number in numbers if number.kind == "nowhere"]
    if astray:
        return [f"The run did not print {', '.join(astray)}, and no cited cell holds it; that bars support."]
    if claim.support is not Support.SUPPORTED:
        missing = ", ".join(claim.check.missing) if claim.check is not None and claim.check.missing else "its words"
        return [f"The numbers are those of the run, but the sentence says more than the data: {missing}."]
    return [
        "Another value in a cited cell, or another result when the script is run again "
        "(`deepresearch replay`), would end the support."
    ]


def _confidence_note(claim: Claim, voices: int, *, computed: bool) -> str:
    if computed:
        return f"{claim.confidence:.3f}: as the run's numbers stand."
    if claim.check is None:
        return f"{claim.confidence:.3f}"
    if voices > 1:
        return f"{claim.confidence:.3f}: the score itself, since {voices} independent origins say it."
    return f"{claim.confidence:.3f}: the score {claim.check.score:.3f} times {ALONE}, since one origin alone says it."


def _conflicts(claim: Claim, conflicts: Sequence[Conflict]) -> tuple[str, ...]:
    return tuple(conflict.note for conflict in conflicts if claim.id in conflict.claims)
