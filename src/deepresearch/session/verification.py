"""Every sentence through the gates: exact quotes, support, computed numbers, conflicts."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.evidence import Origins, check_support, gate, independent_origins
from deepresearch.model.base import Value
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim, Conflict, Quote, Support, SupportCheck
from deepresearch.session.computed import check_computed
from deepresearch.session.disagreement import with_other_sides
from deepresearch.session.told import check_told, untwisted
from deepresearch.team.protocol import Draft, DraftClaim, MathOutcome, Reading

#: Without any quote or run a sentence is no claim of the documents.
_BARE = SupportCheck(support=Support.UNSUPPORTED, score=0.0, features={"citations": 0.0})


#: What the confidence in a claim is multiplied with when one independent source alone says it and nothing was computed.
ALONE = 0.9


class Verified(Value):
    """Checked claims in the report's order, the ids that lead the answer, and where they disagree."""

    claims: tuple[Claim, ...]
    lead: tuple[str, ...]
    conflicts: tuple[Conflict, ...]


def verify(
    draft: Draft, readings: Sequence[Reading], outcomes: Sequence[MathOutcome], documents: Sequence[Document]
) -> Verified:
    """Check every sentence of the draft; add the other side of a conflict where the draft only has one."""
    by_hash = {document.sha256: document for document in documents}
    runs = {outcome.result.run_id: outcome for outcome in outcomes}
    complete, conflicts = with_other_sides(draft, readings, by_hash)
    cited = {quote.sha256 for claim in complete.claims for quote in claim.citations}
    origins = independent_origins(by_hash[sha256] for sha256 in cited if sha256 in by_hash)
    claims = tuple(
        _checked(f"C{number}", claim, by_hash, runs, origins) for number, claim in enumerate(complete.claims, start=1)
    )
    return Verified(
        claims=claims,
        lead=tuple(claims[position].id for position in complete.lead),
        conflicts=tuple(
            Conflict(claims=tuple(claims[at].id for at in conflict.positions), kind=conflict.kind, note=conflict.note)
            for conflict in conflicts
        ),
    )


def _checked(
    claim_id: str,
    claim: DraftClaim,
    documents: dict[str, Document],
    runs: dict[str, MathOutcome],
    origins: Origins,
) -> Claim:
    """One sentence: quotes that are not the document's words are dropped, the rest decides its band."""
    citations: tuple[Quote, ...] = tuple(
        quote for quote in claim.citations if quote.sha256 in documents and gate(quote, documents[quote.sha256])
    )
    outcome = runs.get(claim.run_id) if claim.run_id else None
    if outcome is not None:
        check = check_computed(claim.model_copy(update={"citations": citations}), outcome)
        if claim.by_model and check.support is Support.SUPPORTED:
            titles = [documents[quote.sha256].title for quote in citations]
            check = check_told(claim.text, outcome, [quote.quote for quote in citations], titles)
    elif not citations:
        check = _BARE
    else:
        check = check_support(claim.text, evidence_of(citations))
        if claim.by_model:
            check = untwisted(claim.text, evidence_of(citations), check)
    voices = origins.among(quote.sha256 for quote in citations)
    return Claim(
        id=claim_id,
        text=claim.text,
        sub_question=claim.sub_question,
        support=check.support,
        confidence=_confidence(check, voices, computed=outcome is not None),
        citations=citations,
        run_id=claim.run_id,
        check=check,
    )


def evidence_of(citations: Sequence[Quote]) -> list[str]:
    """What the support of a claim is checked against. Each quote, and all of one document together: the cells of a row only make sense side by side."""
    together: dict[str, list[str]] = {}
    for quote in citations:
        together.setdefault(quote.sha256, []).append(quote.quote)
    return [" ".join(quotes) for quotes in together.values()]


def _confidence(check: SupportCheck, voices: int, *, computed: bool) -> float:
    """The check's score, less a little where one independent source alone says it and nothing was computed."""
    return round(check.score * (1.0 if computed or voices > 1 else ALONE), 3)
