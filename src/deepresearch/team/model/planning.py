"""The planner and the critic: what is searched for. Their words reach the search and nothing else."""

from __future__ import annotations

import re

from deepresearch.model.plan import Plan, QuestionType, SubQuestion
from deepresearch.team import questions
from deepresearch.team.model.address import Role
from deepresearch.team.model.desk import Desk
from deepresearch.team.model.outputs import GapsAnswer, PlanAnswer
from deepresearch.team.model.wording import plain_sentence
from deepresearch.team.protocol import Reading
from deepresearch.team.stemming import stems

MOST_PARTS = 5
_MOST_QUERIES = 4
_LONGEST_QUERY = 160
_NO_QUERY = re.compile(r"://|www\.|@|[{}<>|\\=]|[A-Za-z0-9+/_-]{30,}|\d{7,}")


async def plan(question: str, desk: Desk) -> Plan:
    """The parts of a question as the planner sees them; by its words alone when the planner gives none."""
    own = questions.plan(question)
    answer = await desk.ask(
        Role.PLANNER, "plan", "plan", {"question": question}, PlanAnswer, "the question was taken apart by its words"
    )
    if answer is None:
        return own
    about = set(stems(question))
    subs: list[SubQuestion] = []
    for part in answer.sub_questions:
        text = plain_sentence(part.question)
        # A part that shares no word with the question is not a part of it.
        if text is None or not set(stems(" ".join(questions.content_terms(text)))) & about or len(subs) == MOST_PARTS:
            continue
        if any(text.casefold() == sub.text.casefold() for sub in subs):
            continue
        terms = questions.content_terms(text)
        allowed = [query for one in part.queries if (query := checked_query(one, f"{question} {text}")) is not None]
        queries = list(dict.fromkeys([text, " ".join(terms) or text, *allowed]))[:_MOST_QUERIES]
        subs.append(SubQuestion(id=f"S{len(subs) + 1}", text=text, type=part.type, queries=tuple(queries), terms=terms))
    if not subs:
        desk.limit("The planner's model gave no part of the question; the question was taken apart by its words.")
        return own
    desk.decided("plan", Role.PLANNER, "parts", {"sub_questions": [sub.text for sub in subs]})
    numeric = {QuestionType.TREND, QuestionType.COMPARISON, QuestionType.QUANTITY}
    return Plan(
        question=question,
        type=own.type,
        sub_questions=tuple(subs),
        wants_computation=answer.wants_computation or own.wants_computation or any(sub.type in numeric for sub in subs),
    )


async def further_queries(
    sub: SubQuestion, reading: Reading, round_number: int, desk: Desk, *, private: bool
) -> list[str]:
    """What else to search for, as the critic sees it; empty when the findings cover the question or nothing is new.

    With `private` a query holds no word but those of the question and of former queries.
    """
    step = f"read:{sub.id}"
    material = {
        "sub_question": sub.text,
        "searched": list(sub.queries),
        # Statements passed the gates; the passages themselves are not shown to who decides what is searched.
        "findings": [{"id": f"F{n}", "statement": one.text} for n, one in enumerate(reading.findings[:12], start=1)
                     if all(quote.sha256 not in reading.apart for quote in one.quotes)],
    }  # fmt: skip
    answer = await desk.ask(
        Role.CRITIC, "gaps", f"{step}/gaps{round_number}", material, GapsAnswer, "no further search was made"
    )
    if answer is None:
        return []
    known = {query.casefold() for query in sub.queries}
    allowed = [query for one in answer.queries if (query := checked_query(one, sub.text)) is not None]
    if private:
        spoken = set(stems(" ".join([sub.text, *sub.queries])))
        allowed = [query for query in allowed if set(stems(query)) <= spoken]
    new = [query for query in dict.fromkeys(allowed) if query.casefold() not in known][:3]
    told = {
        "covered": answer.covered,
        "missing": list(answer.missing)[:5],
        "queries": new,
        "refused": len(answer.queries) - len(allowed),
    }
    desk.decided(step, Role.CRITIC, "gaps", told)
    return [] if answer.covered else new


def checked_query(text: str, question: str) -> str | None:
    """A search as it may be sent: a few plain words, one at least of the question's. None for anything else."""
    line = " ".join(text.split())
    if not line or len(line) > _LONGEST_QUERY or len(line.split()) > 14 or _NO_QUERY.search(line):
        return None
    if plain_sentence(line) is None or not set(stems(line)) & _about(question):
        return None
    return line


def _about(question: str) -> set[str]:
    return set(stems(" ".join(questions.content_terms(question)) or question))
