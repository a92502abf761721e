"""What each stage of a session does. Every stage reads what it needs from the store and gives JSON back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from deepresearch.evidence import Searched
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim, Conflict
from deepresearch.model.mathematics import Figure, MathRequest, MathResult, MathStatus, MathSummary
from deepresearch.model.plan import Plan, QuestionType, SubQuestion
from deepresearch.model.report import Report, ReportStatus, ScriptRecord, Usage
from deepresearch.model.session import SessionOptions, SessionRecord
from deepresearch.report import write_reports
from deepresearch.session import budgets, derived, mathematics, reviews
from deepresearch.session.answer import short_answer
from deepresearch.session.budgets import Budget, Cut
from deepresearch.session.gaps import Gaps, words_of
from deepresearch.session.limits import limits_of
from deepresearch.session.loading import Loaded
from deepresearch.session.material import Indexed, Material
from deepresearch.session.model_calls import ModelCalls, limits_noted, with_limits_of_calls
from deepresearch.session.progress import Count, Listener
from deepresearch.session.runner import StageRunner
from deepresearch.session.sources import origins_of, source_table
from deepresearch.session.store import Store
from deepresearch.session.verification import Verified, verify
from deepresearch.session.web_limits import web_told
from deepresearch.session.web_pages import WebPages
from deepresearch.session.web_records import WebGathered, together
from deepresearch.settings import Settings
from deepresearch.team.protocol import Draft, MathOutcome, Reading, Team

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
        self._web_pages = self._settings.web_max_pages
        self._gaps = web and Gaps(web, material, self._web_pages, self._gathered, self._web_progress, self._web_words)
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
            queries = [sub.queries for sub in self._plan().sub_questions]
            left = None if self._budget is None else self._budget.seconds_left()
            seconds = None if left is None else left * _WEB_SHARE
            gathered = await web.gather(queries, self._web_pages, self._web_progress, seconds=seconds)
            return gathered.model_dump(mode="json"), web_told(gathered)

        return await self._runner.once("web", work)

    def _web_words(self) -> frozenset[str] | None:
        """The words that queries to the web may hold once a person's own documents have been read."""
        own = self._options.sources or self._options.collection is not None
        return words_of(self._plan()) if own else None

    def _web_progress(self, done: int, total: int, label: str) -> None:
        self._listener.count(Count("web", done, total, label))

    async def index(self) -> Any:
        """Make the passages of the current documents searchable."""

        async def work() -> tuple[Any, dict[str, Any]]:
            def progress(done: int, total: int) -> None:
                self._listener.count(Count("index", done, total))

            indexed = await asyncio.to_thread(self._material.index, self._options, self._plan(), progress)
            told = {"passages": indexed.passages, "superseded": len(indexed.superseded)}
            return indexed.model_dump(mode="json"), told

        return await self._runner.once("index", work)

    async def read(self, sub_question: str) -> Any:
        """Search for one sub-question, read the hits, and search once more when nothing answered it."""

        async def work() -> tuple[Any, dict[str, Any]]:
            plan = self._plan()
            sub: SubQuestion = next(sub for sub in plan.sub_questions if sub.id == sub_question)
            indexed = self._indexed()
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
            plan = self._plan()
            requests = await self._team.compute(plan, self._current_documents(), self._readings())
            value = [request.model_dump(mode="json") for request in requests]
            return value, {"scripts": len(requests)}

        return [request["id"] for request in await self._runner.once("compute", work)]

    async def compute(self, request_id: str) -> Any:
        """Run one script in the sandbox and keep what it printed and drew."""

        async def work() -> tuple[Any, dict[str, Any]]:
            result = await self._computed(next(one for one in self._requests() if one.id == request_id))
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
            draft = await self._writers().write(self._plan(), self._readings(), self._outcomes())
            return draft.model_dump(mode="json"), {"sentences": len(draft.claims)}

        return await self._runner.once("write", work)

    def _writers(self) -> Team:
        """Who writes: the cast, or, when the session was stopped or its time is over, the one that needs nothing."""
        return self._team if self.cut() in (None, Cut.STEPS) else self._plain

    async def verify(self) -> Any:
        """Pass every sentence through the gates and find conflicts."""

        async def work() -> tuple[Any, dict[str, Any]]:
            draft = Draft.model_validate(self._stored("write"))
            material = (self._readings(), self._outcomes(), self._current_documents())
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
        for key in ("reviewed", "report"):
            stored = self._store.result(self._id, key)
            if stored is not None:
                return Report.model_validate(stored)
        return None

    def cut(self) -> Cut | None:
        """Why the session stopped looking before it was through, if it did."""
        stored = self._store.result(self._id, "cut")
        return None if stored is None else Cut(stored)

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
        stored = self._store.result(self._id, "load")
        loaded = Loaded(documents=0, known=0, refused=()) if stored is None else Loaded.model_validate(stored)
        verified = Verified.model_validate(self._stored("verify"))
        plan = self._plan()
        outcomes = self._outcomes()
        documents = self._looked_at()
        superseded = self._indexed().superseded
        in_all = self._store.count_documents(self._id)
        record = self._store.session(self._id)
        math = mathematics.summary(outcomes)
        spent = ModelCalls(self._store, self._id).spent()
        web = self._all_gathered()
        claims: tuple[Claim, ...] = verified.claims
        conflicts: tuple[Conflict, ...] = verified.conflicts
        status, said = self._standing(record, claims, math)
        report = Report(
            session_id=self._id,
            question=self._options.question,
            status=status,
            team=self._options.team,
            answer=short_answer(claims, verified.lead),
            claims=claims,
            conflicts=conflicts,
            limits=with_limits_of_calls(
                said
                + limits_of(
                    plan=self._searched_plan(),
                    searched=self._searched(),
                    readings=self._readings(),
                    claims=claims,
                    documents=documents,
                    in_all=in_all,
                    superseded=superseded,
                    origins=origins_of(claims, documents),
                    loaded=loaded,
                    math=math,
                    today=datetime.fromisoformat(record.created_at).date(),
                    web=web,
                ),
                limits_noted(self._store, self._id),
                spent,
            ),
            figures=_figures(outcomes),
            math=math,
            usage=Usage(
                input_tokens=spent.input_tokens,
                output_tokens=spent.output_tokens,
                cost_usd=None if spent.cost_usd is None else round(spent.cost_usd, 6),
                seconds=round(_seconds_since(record.created_at), 3),
            ),
            paths={},
            created_at=record.created_at,
            sub_questions=plan.sub_questions,
            sources=source_table(
                documents, claims, superseded, {page.source: page.retrieved for page in web.pages} if web else None
            ),
            scripts=tuple(
                ScriptRecord(
                    run_id=outcome.result.run_id,
                    title=outcome.request.title,
                    script=outcome.request.script,
                    files=outcome.request.files,
                    series=outcome.request.series,
                    values=mathematics.shown_values(outcome),
                )
                for outcome in outcomes
            ),
        )
        texts = {document.sha256: document.text for document in documents}
        artefacts = {figure.sha256: self._store.blobs.get(figure.sha256) for figure in report.figures}
        return write_reports(report, texts, artefacts, self._out)

    def _standing(
        self, record: SessionRecord, claims: Sequence[Claim], math: MathSummary
    ) -> tuple[ReportStatus, tuple[str, ...]]:
        """How the session ends, and what the limits say of it before anything else."""
        said = []
        cut = self.cut()
        if cut is not None:
            said.append(budgets.sentence(cut, self._options))
            unread = [sub for sub in self._plan().sub_questions if not self._is_read(sub)]
            said += [f"Not looked for: {sub.text}" for sub in unread]
            left = [one.title for one in self._requests() if self._store.result(self._id, f"compute:{one.id}") is None]
            said += [f"Not computed: {title}" for title in left]
        if record.review is not None and record.review.decision is not None:
            said.insert(0, reviews.sentence(record.review))
            approved = record.review.decision == "approved"
            return (ReportStatus.COMPLETED if approved else ReportStatus.FAILED), tuple(said)
        if cut is Cut.CANCELLED:
            return ReportStatus.CANCELLED, tuple(said)
        reason = reviews.review_reason(self._options, self._settings, claims, math)
        return (ReportStatus.COMPLETED if reason is None else ReportStatus.NEEDS_REVIEW), tuple(said)

    def review_reason(self) -> str | None:
        """Why the finished report needs a review, if it does."""
        report = self.finished_report()
        if report is None or report.status is not ReportStatus.NEEDS_REVIEW:
            return None
        return reviews.review_reason(self._options, self._settings, report.claims, report.math) or "It was asked for."

    def _stored(self, key: str) -> Any:
        value = self._store.result(self._id, key)
        if value is None:
            raise AssertionError(f"stage {key} has no result although a later one runs")
        return value

    def _plan(self) -> Plan:
        stored = self._store.result(self._id, "plan")
        if stored is None and self.cut() is not None:
            question = self._options.question
            return Plan(question=question, type=QuestionType.FACT, sub_questions=(), wants_computation=False)
        return Plan.model_validate(self._stored("plan"))

    def _searched_plan(self) -> Plan:
        """The plan without the parts that a session cut short never looked for."""
        plan = self._plan()
        return plan.model_copy(update={"sub_questions": tuple(self._read_parts())})

    def _read_parts(self) -> list[SubQuestion]:
        """The parts of the question that were looked for: all of them unless the session was cut short."""
        return [sub for sub in self._plan().sub_questions if self.cut() is None or self._is_read(sub)]

    def _is_read(self, sub: SubQuestion) -> bool:
        return self._store.result(self._id, f"read:{sub.id}") is not None

    def _indexed(self) -> Indexed:
        if self.cut() is not None and self._store.result(self._id, "index") is None:
            return Indexed(collection=None, passages=0, superseded={}, chosen=())
        return Indexed.model_validate(self._stored("index"))

    def _gathered(self) -> WebGathered:
        """What the stage of the web brought; nothing for a session without it."""
        stored = self._store.result(self._id, "web")
        return WebGathered() if stored is None else WebGathered.model_validate(stored)

    def _all_gathered(self) -> WebGathered | None:
        """All rounds of searching the web together; None for a session without it, or cut short before it."""
        if self._web is None or self._store.result(self._id, "web") is None:
            return None
        later = [self._stored(f"read:{sub.id}").get("web") or {} for sub in self._read_parts()]
        return together([self._gathered(), *(WebGathered.model_validate(one) for one in later)])

    def _looked_at(self) -> list[Document]:
        """All documents of the session, or of a large collection those that came up, and all that a reading quotes."""
        chosen = self._indexed().chosen
        if chosen is None:
            return self._material.documents(None)
        quoted = {
            quote.sha256
            for reading in self._readings()
            for finding in (*reading.findings, *reading.nearby)
            for quote in finding.quotes
        }
        fetched = {page.sha256 for page in self._gathered().pages}
        steering = {quote.sha256 for reading in self._readings() for quote in reading.instructions}
        return self._material.documents({*chosen, *quoted, *steering, *fetched})

    def _current_documents(self) -> list[Document]:
        superseded = self._indexed().superseded
        return [document for document in self._looked_at() if document.sha256 not in superseded]

    def _readings(self) -> list[Reading]:
        return [Reading.model_validate(self._stored(f"read:{sub.id}")["reading"]) for sub in self._read_parts()]

    def _searched(self) -> list[Searched]:
        readings = {reading.sub_question: reading for reading in self._readings()}
        return [
            Searched(
                sub_question=sub.id,
                queries=tuple(self._stored(f"read:{sub.id}")["queries"]),
                passages=readings[sub.id].passages,
            )
            for sub in self._read_parts()
        ]

    def _requests(self) -> list[MathRequest]:
        if self.cut() is not None and self._store.result(self._id, "compute") is None:
            return []
        return [MathRequest.model_validate(one) for one in self._stored("compute")]

    def _outcomes(self) -> list[MathOutcome]:
        results = {request.id: self._store.result(self._id, f"compute:{request.id}") for request in self._requests()}
        if self.cut() is None and None in results.values():
            raise AssertionError("a computation has no result although a later stage runs")
        return [
            mathematics.outcome_of(request, MathResult.model_validate(results[request.id]))
            for request in self._requests()
            if results[request.id] is not None
        ]


def _figures(outcomes: Sequence[MathOutcome]) -> tuple[Figure, ...]:
    return tuple(
        Figure(
            path=artefact.name,
            title=outcome.request.title,
            run_id=outcome.result.run_id,
            media_type=artefact.media_type,
            sha256=artefact.sha256,
        )
        for outcome in outcomes
        for artefact in outcome.result.artefacts
        if artefact.media_type.startswith("image/")
    )


def _seconds_since(at: str) -> float:
    return max(0.0, time.time() - datetime.fromisoformat(at).timestamp())
