"""The finished report of a session, put together from what its stages stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from deepresearch.model.evidence import Claim, Conflict
from deepresearch.model.mathematics import Figure, MathSummary
from deepresearch.model.report import Report, ReportStatus, ScriptRecord, Usage
from deepresearch.model.session import SessionOptions, SessionRecord
from deepresearch.report import write_reports
from deepresearch.session import budgets, mathematics, reviews
from deepresearch.session.answer import short_answer
from deepresearch.session.budgets import Cut
from deepresearch.session.kept import Kept
from deepresearch.session.limits import limits_of
from deepresearch.session.loading import Loaded
from deepresearch.session.model_calls import ModelCalls, limits_noted, with_limits_of_calls
from deepresearch.session.sources import origins_of, source_table
from deepresearch.session.store import Store
from deepresearch.session.verification import Verified
from deepresearch.settings import Settings
from deepresearch.team.protocol import MathOutcome


class Reporting:
    """Puts the report of one session together, as often as it is asked for, and writes its files into `out`."""

    def __init__(
        self, session_id: str, options: SessionOptions, store: Store, kept: Kept, settings: Settings, out: Path
    ) -> None:
        self._id = session_id
        self._options = options
        self._store = store
        self._kept = kept
        self._settings = settings
        self._out = out

    def write(self) -> Report:
        """Put the report together from the stored results and write its files, again if they were removed."""
        stored = self._store.result(self._id, "load")
        loaded = Loaded(documents=0, known=0, refused=()) if stored is None else Loaded.model_validate(stored)
        verified = Verified.model_validate(self._kept.stored("verify"))
        plan = self._kept.plan()
        outcomes = self._kept.outcomes()
        documents = self._kept.looked_at()
        superseded = self._kept.indexed().superseded
        in_all = self._store.count_documents(self._id)
        record = self._store.session(self._id)
        math = mathematics.summary(outcomes)
        spent = ModelCalls(self._store, self._id).spent()
        web = self._kept.all_gathered()
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
                    plan=self._kept.searched_plan(),
                    searched=self._kept.searched(),
                    readings=self._kept.readings(),
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
        cut = self._kept.cut()
        if cut is not None:
            said.append(budgets.sentence(cut, self._options))
            unread = [sub for sub in self._kept.plan().sub_questions if not self._kept.is_read(sub)]
            said += [f"Not looked for: {sub.text}" for sub in unread]
            left = [
                one.title for one in self._kept.requests() if self._store.result(self._id, f"compute:{one.id}") is None
            ]
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
        report = self._kept.finished_report()
        if report is None or report.status is not ReportStatus.NEEDS_REVIEW:
            return None
        return reviews.review_reason(self._options, self._settings, report.claims, report.math) or "It was asked for."


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
