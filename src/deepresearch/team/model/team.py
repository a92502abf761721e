"""The cast with a model. Its members say what to do; the same gates as ever say what of it stands."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim
from deepresearch.model.mathematics import MathRequest
from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.model.retrieval import Hit
from deepresearch.settings import Settings
from deepresearch.team.model import computing, planning, providers, reading, writing
from deepresearch.team.model.address import cast_of
from deepresearch.team.model.budget import Budget, Caps
from deepresearch.team.model.calls import Caller
from deepresearch.team.model.desk import Desk
from deepresearch.team.model.ledger import Ledger, Notebook
from deepresearch.team.model.prices import load_prices
from deepresearch.team.model.prompting import Prompts
from deepresearch.team.model.structured import Structured
from deepresearch.team.protocol import Draft, MathOutcome, Reading


class ModelTeam:
    """Planner, reader, mathematician, writer and critic, each a language model asked for a typed answer.

    Where a model gives none, the extractive way takes the step over and the report says so.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        ledger: Ledger,
        notebook: Notebook,
        caps: Caps,
        *,
        session_id: str = "",
        private: bool = False,
    ) -> None:
        """With `private` no word of the documents goes into a search: the web searches along.

        Raises `UsageError` for a wrong name, key, address, price table or folder of prompts.
        """
        cast = cast_of(name, settings)
        providers.check_cast(cast, settings)
        self._name = name
        self._private = private
        self._rounds = settings.model_rounds
        budget = Budget(caps, ledger.spent())
        self._caller = Caller(cast, settings, ledger, notebook, budget, load_prices(settings.model_prices), session_id)
        structured = Structured(self._caller, Prompts(settings.prompts))
        self._desk = Desk(structured, notebook, cast, stop_on_outage=settings.model_outage == "stop")
        self._first: dict[str, tuple[str, ...]] = {}
        self._seen: dict[str, set[str]] = {}
        self._before: dict[str, Reading] = {}
        self._round: dict[str, int] = {}

    @property
    def name(self) -> str:
        """``PROVIDER:MODEL``."""
        return self._name

    async def close(self) -> None:
        """Give the connections back."""
        await self._caller.close()

    async def plan(self, question: str) -> Plan:
        """The parts of the question as the planner sees them."""
        return await planning.plan(question, self._desk)

    async def read(self, sub_question: SubQuestion, hits: Sequence[Hit], documents: dict[str, Document]) -> Reading:
        """What the reader finds in the hits that it has not seen yet, added to what it found before."""
        if sub_question.queries == self._first.setdefault(sub_question.id, sub_question.queries):
            # The stage begins, perhaps once more because the database was away: what was paid for is not paid again.
            for kept in (self._seen, self._before, self._round):
                kept.pop(sub_question.id, None)
        seen = self._seen.setdefault(sub_question.id, set())
        before = self._before.get(sub_question.id)
        found = await reading.read(sub_question, hits, documents, seen, before, self._desk)
        self._before[sub_question.id] = found
        return found

    async def widen(self, sub_question: SubQuestion, reading: Reading) -> SubQuestion | None:
        """The critic's further searches, in bounded rounds; None when the question is covered."""
        done = self._round.get(sub_question.id, 0)
        if done >= self._rounds:
            return None
        self._round[sub_question.id] = done + 1
        queries = await planning.further_queries(sub_question, reading, done + 1, self._desk, private=self._private)
        if not queries:
            return None
        return sub_question.model_copy(update={"queries": (*sub_question.queries, *queries)})

    async def compute(
        self, plan: Plan, documents: Sequence[Document], readings: Sequence[Reading]
    ) -> list[MathRequest]:
        """The mathematician's scripts over cited cells."""
        return await computing.requests(plan, documents, readings, self._desk)

    async def mend(self, request: MathRequest, attempt: int, error: str) -> MathRequest | None:
        """The mathematician's script after an error, at most twice; scripts of the other cast are left as they are."""
        if not request.by_model or attempt > 2:
            return None
        return await computing.mended(request, attempt, error, self._desk)

    async def write(self, plan: Plan, readings: Sequence[Reading], results: Sequence[MathOutcome]) -> Draft:
        """The writer's sentences, each tied to what it rests on."""
        return await writing.write(plan, readings, results, self._desk)

    async def revise(self, draft: Draft, checked: Sequence[Claim], readings: Sequence[Reading]) -> Draft:
        """Failing sentences written again once, then left out."""
        return await writing.revise(draft, checked, readings, self._desk)
