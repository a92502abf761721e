"""Closing a gap from the web: a sub-question that nothing answers is searched for once more, in other words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from deepresearch.model.plan import Plan, SubQuestion
from deepresearch.session.material import Indexed, Material
from deepresearch.session.web_pages import Progress, WebPages
from deepresearch.session.web_records import WebGathered, together

#: Rounds for one sub-question, and the pages of each.
_ROUNDS = 2
_PAGES = 5

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")

#: Queries made by leaving out one term of the question.
_RELAXED = 4


class Gaps:
    """The rounds of one session. `first` is what was gathered before the gaps showed; `bound` the pages in all.

    `vocabulary` gives the words that a query may hold, None for any. A cast that has read a person's documents might
    put their words into a query, by mistake or because a document told it to; a search service must not learn them.
    """

    def __init__(
        self,
        web: WebPages,
        material: Material,
        bound: int,
        first: Callable[[], WebGathered],
        progress: Progress,
        vocabulary: Callable[[], frozenset[str] | None],
    ) -> None:
        self._vocabulary = vocabulary
        self._web = web
        self._material = material
        self._bound = bound
        self._first = first
        self._progress = progress
        self._rounds: list[WebGathered] = []

    async def close(
        self, sub: SubQuestion, wider: SubQuestion | None, indexed: Indexed, rounds: list[WebGathered]
    ) -> tuple[SubQuestion, Indexed] | None:
        """Search for what `wider` adds, or for fewer of the question's terms at once when it is None.

        Gives the sub-question with the new queries and the index with the new pages, or None when the web had nothing
        new to give, the rounds are over or the bound is reached. What was gathered is added to `rounds`.
        """
        asked = wider or sub.model_copy(update={"queries": (*sub.queries, *_relaxed(sub))})
        added = _within(self._vocabulary(), [query for query in asked.queries if query not in sub.queries])
        so_far = together([self._first(), *self._rounds])
        left = min(_PAGES, self._bound - len(so_far.pages))
        if not added or left <= 0 or len(rounds) >= _ROUNDS:
            return None
        gathered = await self._web.gather([added], left, self._progress, known=so_far.tried)
        rounds.append(gathered)
        self._rounds.append(gathered)
        fresh = {page.sha256 for page in gathered.pages if page.same_as is None}
        if not fresh:
            return None
        return asked, await asyncio.to_thread(self._material.add, indexed, fresh)


def words_of(plan: Plan) -> frozenset[str]:
    """The words of the question and of the plan, which was made before any document was read."""
    texts = [plan.question]
    for sub in plan.sub_questions:
        texts += [sub.text, *sub.queries, *sub.terms]
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))


def _within(vocabulary: frozenset[str] | None, queries: list[str]) -> list[str]:
    if vocabulary is None:
        return queries
    kept = [[word for word in _WORD.findall(query) if word.casefold() in vocabulary] for query in queries]
    return list(dict.fromkeys(" ".join(words) for words in kept if words))


def _relaxed(sub: SubQuestion) -> list[str]:
    """The terms with one of them left out: a page seldom speaks of a matter in all the words of a question."""
    terms = sub.terms
    if len(terms) < 2:
        return []
    return [" ".join(terms[:at] + terms[at + 1 :]) for at in range(min(len(terms), _RELAXED))]
