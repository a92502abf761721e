"""The writer: sentences from findings and results, each tied to what it rests on; and its one second chance."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deepresearch.evidence import check_support
from deepresearch.evidence.turned import TURNED, turned_round
from deepresearch.model.evidence import Claim, Quote, Support
from deepresearch.model.mathematics import DataPoint, MathStatus
from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.team.model.address import Role
from deepresearch.team.model.desk import Desk
from deepresearch.team.model.outputs import RewriteAnswer, WriteAnswer, WrittenSentence
from deepresearch.team.model.wording import plain_sentence
from deepresearch.team.protocol import Draft, DraftClaim, Finding, MathOutcome, Reading
from deepresearch.team.reading import clean
from deepresearch.team.wording import computed_claims

_MOST_FINDINGS = 8
_MOST_SENTENCES = 6
_MOST_LEAD = 2
_PLAIN_EACH = 3
_MOST_POINTS = 12
_MOST_RESULTS = 4
_OPERATION = re.compile(
    r"(?:(?:absolute|total|overall|change|difference|sum|mean|average|median|ratio|share|annual|percent|percentage)"
    r"(?:_|\b))+",
    re.IGNORECASE,
)
#: Characters of a quotation that can stand as a sentence.
_SHORTEST = 20


@dataclass(frozen=True)
class _Part:
    """What is written for one part of the question."""

    sub: SubQuestion
    findings: tuple[Finding, ...]
    apart: tuple[Finding, ...]
    outcomes: tuple[MathOutcome, ...]

    def halved(self) -> _Part | None:
        """The better half of the findings; None when only one is left."""
        if len(self.findings) < 2:
            return None
        return _Part(self.sub, self.findings[: -(-len(self.findings) // 2)], self.apart, self.outcomes)

    def material(self) -> dict[str, Any]:
        return {
            "sub_question": self.sub.text,
            "findings": [
                {"id": f"F{n}", "statement": one.text, "quotes": [quote.quote for quote in one.quotes]}
                for n, one in enumerate(self.findings, start=1)
            ],
            "results": [
                {
                    "id": f"R{n}",
                    "title": one.request.title,
                    "data": [
                        {"name": series.name, "unit": series.unit, "labels": [point.label for point in series.points]}
                        for series in one.request.series
                    ],
                    "values": one.result.values,
                }
                for n, one in enumerate(self.outcomes, start=1)
            ],
        }


async def write(plan: Plan, readings: Sequence[Reading], results: Sequence[MathOutcome], desk: Desk) -> Draft:
    """The draft, part by part. A part without usable sentences gets those of the cast without a model."""
    by_sub = {reading.sub_question: reading for reading in readings}
    parts = [_part(sub, by_sub.get(sub.id), results) for sub in plan.sub_questions]
    written = await asyncio.gather(*(_written(part, desk) for part in parts), return_exceptions=True)
    claims: list[DraftClaim] = []
    lead: list[int] = []
    for result in written:
        if isinstance(result, BaseException):
            raise result
        own, leading = result
        lead.extend(len(claims) + position for position in leading)
        claims.extend(own)
    return Draft(claims=tuple(claims), lead=tuple(lead))


def _part(sub: SubQuestion, reading: Reading | None, results: Sequence[MathOutcome]) -> _Part:
    findings = reading.findings if reading is not None else ()
    apart = set(reading.apart) if reading is not None else set()
    hidden = tuple(one for one in findings if {quote.sha256 for quote in one.quotes} & apart)
    outcomes = tuple(
        one for one in results if one.request.id.endswith(f"-{sub.id}") and one.result.status is MathStatus.SUCCESS
    )
    kept = tuple(one for one in findings if one not in hidden)[:_MOST_FINDINGS]
    return _Part(sub, kept, hidden, outcomes)


async def _written(part: _Part, desk: Desk) -> tuple[list[DraftClaim], list[int]]:
    """The sentences of one part and the positions of those that lead."""
    sentences: list[tuple[DraftClaim, bool]] = []
    answer: WriteAnswer | None = None
    if part.findings or part.outcomes:
        step = f"write:{part.sub.id}"
        answer = await desk.ask_shorter(
            Role.WRITER,
            "write",
            step,
            part,
            _Part.material,
            _Part.halved,
            WriteAnswer,
            "the documents' own sentences stand in its place",
        )
    if answer is not None:
        for sentence in answer.sentences[:_MOST_SENTENCES]:
            if (claim := _claim(sentence, part)) is not None:
                sentences.append((claim, sentence.lead))
        told = {"given": len(answer.sentences), "kept": len(sentences)}
        desk.decided(f"write:{part.sub.id}", Role.WRITER, "sentences", told)
    computed = [
        (claim, True)
        for outcome in part.outcomes
        if not outcome.request.by_model and not any(one.run_id == outcome.result.run_id for one, _ in sentences)
        for claim in computed_claims(outcome, part.sub.id, part.sub.type, part.sub.text)
    ]
    if answer is None:
        plain = [_plainly(one, part.sub.id) for one in part.outcomes if one.request.by_model]
        computed += [(claim, True) for claim in plain if claim is not None]
    if not sentences:
        sentences = [(as_claim(one), not computed and n == 0) for n, one in enumerate(part.findings[:_PLAIN_EACH])]
    sentences = [*computed, *sentences, *((as_claim(one), False) for one in part.apart[:_PLAIN_EACH])]
    leading = [position for position, (_, leads) in enumerate(sentences) if leads][:_MOST_LEAD]
    if not leading and sentences:
        leading = [0]
    return [claim for claim, _ in sentences], leading


def _claim(sentence: WrittenSentence, part: _Part) -> DraftClaim | None:
    """The sentence with the quotations and the run it rests on; None for one that rests on nothing or may not stand."""
    text = plain_sentence(sentence.text)
    findings = {f"F{n}": one for n, one in enumerate(part.findings, start=1)}
    outcomes = {f"R{n}": one for n, one in enumerate(part.outcomes, start=1)}
    cited = [findings[name] for name in dict.fromkeys(sentence.findings) if name in findings]
    outcome = outcomes.get(sentence.result or "")
    quotes = [quote for one in cited for quote in one.quotes]
    if outcome is not None and text is not None:
        quotes.extend(point.quote for point in _points_in(text, outcome))
    if text is None or not quotes:
        return None
    return DraftClaim(
        text=text,
        sub_question=part.sub.id,
        citations=tuple(dict.fromkeys(quotes)),
        run_id=outcome.result.run_id if outcome is not None else None,
        relevance=max((one.relevance for one in cited), default=1.0),
        by_model=True,
    )


def _plainly(outcome: MathOutcome, sub_question: str) -> DraftClaim | None:
    """The results of a run without a writer: what it is about, over which labels, and its numbers by their names.

    Only names that say an operation and nothing else; None when there is none.
    """
    series = outcome.request.series[0]
    first, last = series.points[0], series.points[-1]
    numbers = [
        (name, value)
        for name, value in outcome.result.values.items()
        if isinstance(value, float) and _OPERATION.fullmatch(name)
    ]
    if not numbers:
        return None
    told = ", ".join(
        f"{name.replace('_', ' ')} {value:,.{0 if value == int(value) else 2}f}"
        for name, value in numbers[:_MOST_RESULTS]
    )
    return DraftClaim(
        text=f"{series.name}, {first.label} to {last.label}: {told}.",
        sub_question=sub_question,
        citations=tuple(dict.fromkeys((first.quote, last.quote))),
        run_id=outcome.result.run_id,
        by_model=True,
        rewritten=True,
    )


def _points_in(text: str, outcome: MathOutcome) -> list[DataPoint]:
    """The values a sentence names by their label or their figure; the first ones of each series when it names none."""
    points = [point for series in outcome.request.series for point in series.points]
    named = [point for point in points if point.label in text or point.quote.quote.strip() in text]
    return (named or points)[:_MOST_POINTS]


def as_claim(finding: Finding) -> DraftClaim:
    """A finding as a sentence of the report."""
    return DraftClaim(
        text=finding.text, sub_question=finding.sub_question, citations=finding.quotes, relevance=finding.relevance
    )


async def revise(draft: Draft, checked: Sequence[Claim], readings: Sequence[Reading], desk: Desk) -> Draft:
    """The draft with failing sentences written again once; with those that failed twice left out.

    A part that loses all its sentences gets its findings in their own words.
    """
    failing = [
        position
        for position, claim in enumerate(draft.claims)
        if claim.by_model and checked[position].support is not Support.SUPPORTED
    ]
    fresh = [position for position in failing if not draft.claims[position].rewritten]
    claims: list[DraftClaim | None] = list(draft.claims)
    if fresh:
        texts = await _rewritten(draft, checked, fresh, desk)
        for position in fresh:
            claims[position] = _better(draft.claims[position], checked[position], texts.get(position))
        return _assembled(draft, claims, readings)
    for position in failing:
        if checked[position].support is Support.UNSUPPORTED or _is_wrong(checked[position]):
            claims[position] = _in_its_own_words(draft.claims[position], readings)
            what = "sentence left out" if claims[position] is None else "sentence put in the document's own words"
            desk.decided("verify", "gate", what, {"text": draft.claims[position].text[:300]})
    return draft if claims == list(draft.claims) else _assembled(draft, claims, readings)


async def _rewritten(draft: Draft, checked: Sequence[Claim], positions: Sequence[int], desk: Desk) -> dict[int, str]:
    """New texts by position, as the writer gives them; each part of the question in a call of its own."""
    texts: dict[int, str] = {}
    for sub in dict.fromkeys(draft.claims[position].sub_question for position in positions):
        own = [position for position in positions if draft.claims[position].sub_question == sub]
        material = {
            "sentences": [
                {
                    "id": f"C{position + 1}",
                    "text": draft.claims[position].text,
                    "evidence": [quote.quote for quote in _evidence(checked[position])],
                    "lacking": list(_missing(checked[position]))[:10],
                }
                for position in own
            ]
        }
        answer = await desk.ask(
            Role.WRITER, "rewrite", f"verify:{sub}", material, RewriteAnswer, "failing sentences were left out"
        )
        given = {one.id: one.text for one in answer.sentences} if answer is not None else {}
        texts.update({position: given[f"C{position + 1}"] for position in own if f"C{position + 1}" in given})
        told = {"failing": len(own), "rewritten": sum(bool(texts.get(position)) for position in own)}
        desk.decided(f"verify:{sub}", Role.WRITER, "rewritten", told)
    return texts


def _better(claim: DraftClaim, checked: Claim, text: str | None) -> DraftClaim | None:
    """The new text where it is carried better than the old; None where neither may stand."""
    old = claim.model_copy(update={"rewritten": True})
    line = plain_sentence(text) if text else None
    evidence = _evidence(checked)
    if line is None or not evidence:
        return old
    new = claim.model_copy(update={"text": line, "rewritten": True})
    if claim.run_id is not None:
        return new
    words = [quote.quote for quote in evidence]
    if turned_round(line, words) is not None:
        return old
    after = check_support(line, words)
    rank = {Support.UNSUPPORTED: 0, Support.UNDECIDED: 1, Support.PARTIAL: 1, Support.SUPPORTED: 2}
    return new if (rank[after.support], after.score) > (rank[checked.support], checked.confidence) else old


def _assembled(draft: Draft, claims: Sequence[DraftClaim | None], readings: Sequence[Reading]) -> Draft:
    """The draft without what was left out; every part of the question that had a sentence still has one."""
    kept: list[DraftClaim] = []
    lead: list[int] = []
    for position, claim in enumerate(claims):
        if claim is None or (position and any(claim.text == other.text for other in kept)):
            continue
        if position in draft.lead:
            lead.append(len(kept))
        kept.append(claim)
    for reading in readings:
        had = any(claim.sub_question == reading.sub_question for claim in draft.claims)
        if had and not any(claim.sub_question == reading.sub_question for claim in kept):
            lead.append(len(kept))
            kept.extend(as_claim(one) for one in reading.findings[:_PLAIN_EACH])
    return Draft(claims=tuple(kept), lead=tuple(position for position in lead if position < len(kept)))


def _in_its_own_words(claim: DraftClaim, readings: Sequence[Reading]) -> DraftClaim | None:
    """The document's own words where one quotation alone carried the sentence; None for any other."""
    if claim.run_id is not None:
        return None
    cited = set(claim.citations)
    for reading in readings:
        for finding in reading.findings:
            if reading.sub_question == claim.sub_question and set(finding.quotes) <= cited:
                text = clean(finding.quotes[0].quote)
                if len(text) >= _SHORTEST and plain_sentence(text) is not None:
                    return claim.model_copy(
                        update={"text": text, "citations": finding.quotes[:1], "by_model": False, "rewritten": True}
                    )
    return None


def _is_wrong(checked: Claim) -> bool:
    """Whether it has a number that the evidence lacks, or turns the evidence round."""
    if checked.check is not None and checked.check.features.get(TURNED):
        return True
    return any(any(character.isdigit() for character in word) for word in _missing(checked))


def _evidence(checked: Claim) -> tuple[Quote, ...]:
    return checked.citations


def _missing(checked: Claim) -> tuple[str, ...]:
    return checked.check.missing if checked.check is not None else ()
