"""The protocol of a cast, and what its members hand to one another.

A cast only thinks. It neither searches nor runs nor stores anything: the session does that and hands it the
material. Whatever a cast says is checked afterwards by the same gates, so it cannot talk its way past them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deepresearch.model.base import Value
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim, Quote
from deepresearch.model.mathematics import MathRequest, MathResult
from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.model.retrieval import Hit


class Finding(Value):
    """A statement found for a sub-question, with the words it rests on. `relevance` is between 0 and 1."""

    sub_question: str
    text: str
    quotes: tuple[Quote, ...]
    relevance: float


class ShownPassage(Value):
    """A stretch of a document that a language model was shown."""

    sha256: str
    start: int
    end: int


class Reading(Value):
    """What reading the hits of one sub-question brought.

    `findings` answer it, best first; `nearby` are other statements on the matter, kept because one of them may
    contradict a finding. `uncovered` are terms of the question that nothing found speaks of. `instructions` are
    sentences that try to steer a language model: they were left out. `shown` is what a model saw, `apart` the
    documents (by SHA-256) that were kept from it because they address it.
    """

    sub_question: str
    findings: tuple[Finding, ...]
    nearby: tuple[Finding, ...]
    passages: int
    documents: int
    uncovered: tuple[str, ...]
    instructions: tuple[Quote, ...] = ()
    shown: tuple[ShownPassage, ...] = ()
    apart: tuple[str, ...] = ()


class DraftClaim(Value):
    """A sentence meant for the report, before any gate. Computed sentences name their run.

    `by_model` says that a language model worded it; `rewritten` that it had its second chance.
    """

    text: str
    sub_question: str
    citations: tuple[Quote, ...]
    run_id: str | None = None
    relevance: float = 1.0
    by_model: bool = False
    rewritten: bool = False


class Draft(Value):
    """The sentences of the report in order; `lead` are the positions of those that make the short answer."""

    claims: tuple[DraftClaim, ...]
    lead: tuple[int, ...]


class Team(Protocol):
    """A cast. Every method is deterministic for a cast without a model."""

    @property
    def name(self) -> str:
        """``extractive`` or ``PROVIDER:MODEL``."""
        ...

    async def close(self) -> None:
        """Give back what is held open; the cast is not used any more."""
        ...

    async def plan(self, question: str) -> Plan:
        """Take a question apart into at least one sub-question."""
        ...

    async def read(self, sub_question: SubQuestion, hits: Sequence[Hit], documents: dict[str, Document]) -> Reading:
        """Choose what answers the sub-question from the hits. `documents` maps SHA-256 to the hits' documents."""
        ...

    async def widen(self, sub_question: SubQuestion, reading: Reading) -> SubQuestion | None:
        """Other queries for a sub-question that is not answered yet, or None when there is nothing to try."""
        ...

    async def compute(
        self, plan: Plan, documents: Sequence[Document], readings: Sequence[Reading]
    ) -> list[MathRequest]:
        """The scripts that would answer the question with numbers or a figure; empty when nothing can be computed.

        The id of a request ends with the sub-question's.
        """
        ...

    async def write(self, plan: Plan, readings: Sequence[Reading], results: Sequence[MathOutcome]) -> Draft:
        """Choose and order the sentences of the report."""
        ...

    async def mend(self, request: MathRequest, attempt: int, error: str) -> MathRequest | None:
        """The request with another script after a run failed with `error`; None to leave it. `attempt` is from 1."""
        ...

    async def revise(self, draft: Draft, checked: Sequence[Claim], readings: Sequence[Reading]) -> Draft:
        """The draft after its check: failing sentences rewritten or left out; the same draft when all is well.

        `checked` are the claims made of the draft's sentences, in the same order, perhaps with more after them.
        """
        ...


class MathOutcome(Value):
    """A request with what came of it."""

    request: MathRequest
    result: MathResult
