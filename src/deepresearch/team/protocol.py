"""The protocol of a cast, and what its members hand to one another.

A cast only thinks. It neither searches nor runs nor stores anything: the session does that and hands it the
material. Whatever a cast says is checked afterwards by the same gates, so it cannot talk its way past them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deepresearch.model.base import Value
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Quote
from deepresearch.model.mathematics import MathRequest, MathResult
from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.model.retrieval import Hit


class Finding(Value):
    """A statement found for a sub-question, with the words it rests on. `relevance` is between 0 and 1."""

    sub_question: str
    text: str
    quotes: tuple[Quote, ...]
    relevance: float


class Reading(Value):
    """What reading the hits of one sub-question brought.

    `findings` answer it, best first; `nearby` are other statements on the matter, kept because one of them may
    contradict a finding. `uncovered` are terms of the question that nothing found speaks of. `instructions` are
    sentences that try to steer a language model: they were left out.
    """

    sub_question: str
    findings: tuple[Finding, ...]
    nearby: tuple[Finding, ...]
    passages: int
    documents: int
    uncovered: tuple[str, ...]
    instructions: tuple[Quote, ...] = ()


class DraftClaim(Value):
    """A sentence meant for the report, before any gate. Computed sentences name their run."""

    text: str
    sub_question: str
    citations: tuple[Quote, ...]
    run_id: str | None = None
    relevance: float = 1.0


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


class MathOutcome(Value):
    """A request with what came of it."""

    request: MathRequest
    result: MathResult
