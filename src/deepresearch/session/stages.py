"""What each stage of a session does. Every stage reads what it needs from the store and gives JSON back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from deepresearch.model.mathematics import MathRequest, MathResult, MathStatus
from deepresearch.model.plan import SubQuestion
from deepresearch.model.report import Report
from deepresearch.model.session import SessionOptions
from deepresearch.session import derived, mathematics
from deepresearch.session.budgets import Budget, Cut
from deepresearch.session.gaps import Gaps, words_of
from deepresearch.session.kept import Kept
from deepresearch.session.material import Material
from deepresearch.session.progress import Count, Listener
from deepresearch.session.reporting import Reporting
from deepresearch.session.runner import StageRunner
from deepresearch.session.store import Store
from deepresearch.session.verification import verify
from deepresearch.session.web_limits import web_told
from deepresearch.session.web_pages import WebPages
from deepresearch.session.web_records import WebGathered, together
from deepresearch.settings import Settings
from deepresearch.team.protocol import Draft, Team

#: The share of the time left that the web may take: what was found has to be read, too.
_WEB_SHARE = 0.5

#: A sentence that fails is written again once; what fails again is left out, and what stands instead is checked too.
_MOST_REVISIONS = 3


class Stages:
    """The stages of one session, bound to what they work with.

    `sandbox` runs one request and never raises for a script's or the sandbox's failure: that is a result. `plain` is
    a cast that needs nothing: it writes when a budget is spent or the session is cancelled. Everything is stored in
    the name of `owner`.
    """

    def __init__(
        self,
        *,
        session_id: str,
        store: Store,
        team: Team,
        material: Material,
        sandbox: mathematics.RunRequest,
        listener: Listener,
        reports: Path,
        plain: Team,
        owner: str | None = None,
        budget: Budget | None = None,
        settings: Settings | None = None,
        web: WebPages | None = None,
    ) -> None:
        self._id = session_id
        self._store = store
        self._team = team
        self._material = material
        self._sandbox = sandbox
        self._listener = listener
        self._web = web
        self._budget = budget
        self._options: SessionOptions = store.session(session_id).options
        self._out = Path(self._options.out) if self._options.out else reports / session_id
        self._plain = plain
        self._settings = settings or Settings()
        self._kept = Kept(session_id, self._options, store, material)
        self._reporting = Reporting(session_id, self._options, store, self._kept, self._settings, self._out)
        self._web_pages = self._settings.web_max_pages
        self._gaps = web and Gaps(
            web, material, self._web_pages, self._kept.gathered, self._web_progress, self._web_words
        )
        self._patience = self._settings.store_patience_seconds
        self._runner = StageRunner(store, session_id, listener, owner=owner, budget=budget, patience=self._patience)

    async def close(self) -> None:
        """Give back what the cast holds open."""
        await self._team.close()

    async def load(self) -> Any:
        """Read the sources into the store."""

        async def work() -> tuple[Any, dict[str, Any]]:
            def progress(done: int, total: int, label: str) -> None:
                self._listener.count(Count("load", done, total, label))

            loaded = await asyncio.to_thread(self._material.load, self._options, progress)
            told = {"documents": loaded.documents, "refused": [one.model_dump() for one in loaded.refused]}
            return loaded.model_dump(mode="json"), told

        return await self._runner.once("load", work)

    async def plan(self) -> Any:
        """Take the question apart."""

        async def work() -> tuple[Any, dict[str, Any]]:
            plan = await self._team.plan(self._options.question)
            told = {"sub_questions": [{"id": sub.id, "text": sub.text} for sub in plan.sub_questions]}
            return plan.model_dump(mode="json"), told

        return await self._runner.once("plan", work)

    async def web(self) -> Any:
        """Search the web for every sub-question and keep the pages found; nothing in a session without it."""
        web = self._web
        if web is None:
            return None

        async def work() -> tuple[Any, dict[str, Any]]:
            queries = [sub.queries for sub in self._kept.plan().sub_questions]
            left = None if self._budget is None else self._budget.seconds_left()
            seconds = None if left is None else left * _WEB_SHARE
            gathered = await web.gather(queries, self._web_pages, self._web_progress, seconds=seconds)
            return gathered.model_dump(mode="json"), web_told(gathered)

        return await self._runner.once("web", work)

    def _web_words(self) -> frozenset[str] | None:
        """The words that queries to the web may hold once a person's own documents have been read."""
        own = self._options.sources or self._options.collection is not None
        return words_of(self._kept.plan()) if own else None

    def _web_progress(self, done: int, total: int, label: str) -> None:
        self._listener.count(Count("web", done, total, label))

    async def index(self) -> Any:
        """Make the passages of the current documents searchable."""

        async def work() -> tuple[Any, dict[str, Any]]:
            def progress(done: int, total: int) -> None:
                self._listener.count(Count("index", done, total))

            indexed = await asyncio.to_thread(self._material.index, self._options, self._kept.plan(), progress)
            told = {"passages": indexed.passages, "superseded": len(indexed.superseded)}
            return indexed.model_dump(mode="json"), told

        return await self._runner.once("index", work)

    async def read(self, sub_question: str) -> Any:
        """Search for one sub-question, read the hits, and search once more when nothing answered it."""

        async def work() -> tuple[Any, dict[str, Any]]:
            plan = self._kept.plan()
            sub: SubQuestion = next(sub for sub in plan.sub_questions if sub.id == sub_question)
            indexed = self._kept.indexed()
            rounds: list[WebGathered] = []
            while True:
                hits = await asyncio.to_thread(self._material.search, indexed, sub.queries)
                found = {hit.passage.sha256 for hit in hits}
                documents = await asyncio.to_thread(self._material.documents, found)
                concerned = {document.sha256: document for document in documents}
                reading = await self._team.read(sub, hits, concerned)
                wider = await self._team.widen(sub, reading)
                closed = (
                    await self._gaps.close(sub, wider, indexed, rounds) if self._gaps and not reading.findings else None
                )
                if closed is not None:
                    sub, indexed = closed
                elif wider is not None:
                    sub = wider
                else:
                    break
            searches = list(sub.queries)
            value = {
                "reading": reading.model_dump(mode="json"),
                "queries": searches,
                "web": together(rounds).model_dump(mode="json"),
                "indexes": list(indexed.more),
            }
            told = {"passages": reading.passages, "documents": reading.documents, "findings": len(reading.findings)}
            return value, told

        return await self._runner.once(f"read:{sub_question}", work)

    async def choose_computations(self) -> Any:
        """Decide which scripts would answer the question; gives their ids."""

        async def work() -> tuple[Any, dict[str, Any]]:
            plan = self._kept.plan()
            requests = await self._team.compute(plan, self._kept.current_documents(), self._kept.readings())
            value = [request.model_dump(mode="json") for request in requests]
            return value, {"scripts": len(requests)}

        return [request["id"] for request in await self._runner.once("compute", work)]

    async def compute(self, request_id: str) -> Any:
        """Run one script in the sandbox and keep what it printed and drew."""

        async def work() -> tuple[Any, dict[str, Any]]:
            result = await self._computed(next(one for one in self._kept.requests() if one.id == request_id))
            told = {"status": result.status, "reason": result.reason, "run_id": result.run_id, "note": result.note}
            return result.model_dump(mode="json"), told

        return await self._runner.once(f"compute:{request_id}", work)

    async def _computed(self, request: MathRequest) -> MathResult:
        """Run a request; the cast may mend a script that failed, each try under a run id of its own."""
        attempt = 0
        first = request.script
        while True:
            run_id = f"{self._id}-{request.id}" + (f"-{attempt + 1}" if attempt else "")
            result, error = await mathematics.run(request, run_id, self._id, self._sandbox, self._store, self._patience)
            if request.by_model and result.status is MathStatus.SUCCESS:
                result, error = await self._proved(request, result)
            if request.script != first:
                result = result.model_copy(update={"script": request.script})
            if not mathematics.was_the_scripts_fault(result):
                return result
            attempt += 1
            mended = await self._team.mend(request, attempt, error)
            if mended is None:
                return result
            request = mended

    async def _proved(self, request: MathRequest, result: MathResult) -> tuple[MathResult, str]:
        """The result with only what comes from the data, and what is wrong when nothing does."""
        again, error = await mathematics.run(
            derived.moved(request), f"{result.run_id}-moved", self._id, self._sandbox, self._store, self._patience
        )
        if again.status is not MathStatus.SUCCESS and not mathematics.was_the_scripts_fault(again):
            return again.model_copy(update={"run_id": result.run_id}), error
        proved = derived.derived(result, again.values)
        if proved.status is MathStatus.SUCCESS:
            return proved, ""
        note = f"“{request.title}” was not computed: {proved.note}."
        return proved.model_copy(update={"note": note}), f"On other data {proved.note}. {error}"

    async def write(self) -> Any:
        """Choose and order the sentences."""

        async def work() -> tuple[Any, dict[str, Any]]:
            draft = await self._writers().write(self._kept.plan(), self._kept.readings(), self._kept.outcomes())
            return draft.model_dump(mode="json"), {"sentences": len(draft.claims)}

        return await self._runner.once("write", work)

    def _writers(self) -> Team:
        """Who writes: the cast, or, when the session was stopped or its time is over, the one that needs nothing."""
        return self._team if self.cut() in (None, Cut.STEPS) else self._plain

    async def verify(self) -> Any:
        """Pass every sentence through the gates and find conflicts."""

        async def work() -> tuple[Any, dict[str, Any]]:
            draft = Draft.model_validate(self._kept.stored("write"))
            material = (self._kept.readings(), self._kept.outcomes(), self._kept.current_documents())
            verified = await asyncio.to_thread(verify, draft, *material)
            for _ in range(_MOST_REVISIONS):
                revised = await self._writers().revise(draft, verified.claims, material[0])
                if revised == draft:
                    break
                draft = revised
                verified = await asyncio.to_thread(verify, draft, *material)
            bands: dict[str, int] = {}
            for claim in verified.claims:
                bands[claim.support] = bands.get(claim.support, 0) + 1
            return verified.model_dump(mode="json"), {"claims": bands, "conflicts": len(verified.conflicts)}

        return await self._runner.once("verify", work)

    async def report(self) -> Any:
        """Put the report together and write it."""

        async def work() -> tuple[Any, dict[str, Any]]:
            report = await asyncio.to_thread(self.write_report)
            return report.model_dump(mode="json"), {"paths": report.paths, "claims": len(report.claims)}

        return await self._runner.once("report", work)

    def finished_report(self) -> Report | None:
        """The report when the session has one."""
        return self._kept.finished_report()

    def cut(self) -> Cut | None:
        """Why the session stopped looking before it was through, if it did."""
        return self._kept.cut()

    async def cut_short(self, cut: Cut) -> None:
        """Note for ever that the session stops looking here, and why."""
        await self._runner.keep("cut", cut.value, "session.cut_short", {"reason": cut.value})

    async def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Store an event of the session."""
        await self._runner.tell(kind, data)

    async def review(self) -> Any:
        """Put the report together once more, as a person decided on it."""

        async def work() -> tuple[Any, dict[str, Any]]:
            report = await asyncio.to_thread(self.write_report)
            return report.model_dump(mode="json"), {"paths": report.paths, "status": report.status}

        return await self._runner.once("reviewed", work)

    def write_report(self) -> Report:
        """Put the report together from the stored results and write its files, again if they were removed."""
        return self._reporting.write()

    def review_reason(self) -> str | None:
        """Why the finished report needs a review, if it does."""
        return self._reporting.review_reason()
