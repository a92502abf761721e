"""What the stages of a session have stored, read back."""

from __future__ import annotations

from typing import Any

from deepresearch.evidence import Searched
from deepresearch.model.documents import Document
from deepresearch.model.mathematics import MathRequest, MathResult
from deepresearch.model.plan import Plan, QuestionType, SubQuestion
from deepresearch.model.report import Report
from deepresearch.model.session import SessionOptions
from deepresearch.session import mathematics
from deepresearch.session.budgets import Cut
from deepresearch.session.material import Indexed, Material
from deepresearch.session.store import Store
from deepresearch.session.web_records import WebGathered, together
from deepresearch.team.protocol import MathOutcome, Reading


class Kept:
    """Reads the results of one session's stages. A session that was cut short lacks some, and may."""

    def __init__(self, session_id: str, options: SessionOptions, store: Store, material: Material) -> None:
        self._id = session_id
        self._options = options
        self._store = store
        self._material = material

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

    def stored(self, key: str) -> Any:
        """The stored result of a stage that has to be there. Raises `AssertionError` when it is not."""
        value = self._store.result(self._id, key)
        if value is None:
            raise AssertionError(f"stage {key} has no result although a later one runs")
        return value

    def plan(self) -> Plan:
        """The plan; an empty one when the session was cut short before it."""
        stored = self._store.result(self._id, "plan")
        if stored is None and self.cut() is not None:
            question = self._options.question
            return Plan(question=question, type=QuestionType.FACT, sub_questions=(), wants_computation=False)
        return Plan.model_validate(self.stored("plan"))

    def searched_plan(self) -> Plan:
        """The plan without the parts that a session cut short never looked for."""
        plan = self.plan()
        return plan.model_copy(update={"sub_questions": tuple(self.read_parts())})

    def read_parts(self) -> list[SubQuestion]:
        """The parts of the question that were looked for: all of them unless the session was cut short."""
        return [sub for sub in self.plan().sub_questions if self.cut() is None or self.is_read(sub)]

    def is_read(self, sub: SubQuestion) -> bool:
        """Whether this part of the question was looked for."""
        return self._store.result(self._id, f"read:{sub.id}") is not None

    def indexed(self) -> Indexed:
        """What was made searchable; nothing when the session was cut short before it."""
        if self.cut() is not None and self._store.result(self._id, "index") is None:
            return Indexed(collection=None, passages=0, superseded={}, chosen=())
        return Indexed.model_validate(self.stored("index"))

    def gathered(self) -> WebGathered:
        """What the stage of the web brought; nothing for a session without it."""
        stored = self._store.result(self._id, "web")
        return WebGathered() if stored is None else WebGathered.model_validate(stored)

    def all_gathered(self) -> WebGathered | None:
        """All rounds of searching the web together; None for a session without it, or cut short before it."""
        if not self._options.web or self._store.result(self._id, "web") is None:
            return None
        later = [self.stored(f"read:{sub.id}").get("web") or {} for sub in self.read_parts()]
        return together([self.gathered(), *(WebGathered.model_validate(one) for one in later)])

    def looked_at(self) -> list[Document]:
        """All documents of the session, or of a large collection those that came up, and all that a reading quotes."""
        chosen = self.indexed().chosen
        if chosen is None:
            return self._material.documents(None)
        quoted = {
            quote.sha256
            for reading in self.readings()
            for finding in (*reading.findings, *reading.nearby)
            for quote in finding.quotes
        }
        fetched = {page.sha256 for page in self.gathered().pages}
        steering = {quote.sha256 for reading in self.readings() for quote in reading.instructions}
        return self._material.documents({*chosen, *quoted, *steering, *fetched})

    def current_documents(self) -> list[Document]:
        """Those that no newer version replaces."""
        superseded = self.indexed().superseded
        return [document for document in self.looked_at() if document.sha256 not in superseded]

    def readings(self) -> list[Reading]:
        """What reading brought, in the order of the parts."""
        return [Reading.model_validate(self.stored(f"read:{sub.id}")["reading"]) for sub in self.read_parts()]

    def searched(self) -> list[Searched]:
        """What was searched for each part."""
        readings = {reading.sub_question: reading for reading in self.readings()}
        return [
            Searched(
                sub_question=sub.id,
                queries=tuple(self.stored(f"read:{sub.id}")["queries"]),
                passages=readings[sub.id].passages,
            )
            for sub in self.read_parts()
        ]

    def requests(self) -> list[MathRequest]:
        """The scripts that were chosen."""
        if self.cut() is not None and self._store.result(self._id, "compute") is None:
            return []
        return [MathRequest.model_validate(one) for one in self.stored("compute")]

    def outcomes(self) -> list[MathOutcome]:
        """The scripts that ran, with what came of them."""
        requests = self.requests()
        results = {request.id: self._store.result(self._id, f"compute:{request.id}") for request in requests}
        if self.cut() is None and None in results.values():
            raise AssertionError("a computation has no result although a later stage runs")
        return [
            mathematics.outcome_of(request, MathResult.model_validate(results[request.id]))
            for request in requests
            if results[request.id] is not None
        ]
