"""The cast without a model: it chooses sentences and computes series, and never writes a word of its own into them."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim
from deepresearch.model.mathematics import MathRequest, MathStatus
from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.model.retrieval import Hit
from deepresearch.team import questions
from deepresearch.team.computing import requests_for
from deepresearch.team.protocol import Draft, DraftClaim, Finding, MathOutcome, Reading
from deepresearch.team.reading import read_hits
from deepresearch.team.wording import computed_claims

#: Sentences of the report for one sub-question, and how many of them stand in the short answer.
_CLAIMS_EACH = 4
_LEAD_EACH = 2


class ExtractiveTeam:
    """Plans by the question's words, answers with the documents' own sentences and with computed figures."""

    name = "extractive"

    async def close(self) -> None:
        """Nothing is open."""

    async def plan(self, question: str) -> Plan:
        """Parts of the question, typed by their words."""
        return questions.plan(question)

    async def read(self, sub_question: SubQuestion, hits: Sequence[Hit], documents: dict[str, Document]) -> Reading:
        """The sentences of the hits that answer the sub-question."""
        return read_hits(sub_question, hits, documents)

    async def widen(self, sub_question: SubQuestion, reading: Reading) -> SubQuestion | None:
        """Search again for the uncovered terms alone; once they were searched for there is nothing left to try."""
        query = " ".join(reading.uncovered)
        if reading.findings or not query or query in sub_question.queries:
            return None
        return sub_question.model_copy(update={"queries": (*sub_question.queries, query)})

    async def compute(
        self, plan: Plan, documents: Sequence[Document], readings: Sequence[Reading]
    ) -> list[MathRequest]:
        """A script for the series in the documents' tables that each numeric sub-question names."""
        return requests_for(plan, documents)

    async def write(self, plan: Plan, readings: Sequence[Reading], results: Sequence[MathOutcome]) -> Draft:
        """Computed sentences first, then the best sentences found, sub-question by sub-question."""
        claims: list[DraftClaim] = []
        lead: list[int] = []
        by_sub = {reading.sub_question: reading for reading in readings}
        for sub in plan.sub_questions:
            own: list[DraftClaim] = []
            for outcome in results:
                if outcome.request.id.endswith(sub.id) and outcome.result.status is MathStatus.SUCCESS:
                    own.extend(computed_claims(outcome, sub.id, sub.type, sub.text))
            reading = by_sub.get(sub.id)
            if reading is not None:
                own.extend(_as_claim(finding) for finding in reading.findings[:_CLAIMS_EACH])
            computed = sum(claim.run_id is not None for claim in own)
            lead.extend(range(len(claims), len(claims) + min(_LEAD_EACH, computed or len(own))))
            claims.extend(own)
        return Draft(claims=tuple(claims), lead=tuple(lead))

    async def mend(self, request: MathRequest, attempt: int, error: str) -> MathRequest | None:
        """Nothing: its scripts are the same every time."""
        return None

    async def revise(self, draft: Draft, checked: Sequence[Claim], readings: Sequence[Reading]) -> Draft:
        """The same draft: its sentences are the documents' own."""
        return draft


def _as_claim(finding: Finding) -> DraftClaim:
    return DraftClaim(
        text=finding.text,
        sub_question=finding.sub_question,
        citations=finding.quotes,
        relevance=finding.relevance,
    )
