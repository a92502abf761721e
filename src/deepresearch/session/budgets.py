"""What a session may spend. A spent budget ends in a report that says so, never in nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum

from deepresearch.model.session import SessionOptions


class Cut(StrEnum):
    """Why a session stopped looking before it was through."""

    TIME = "time"
    STEPS = "steps"
    TOKENS = "tokens"
    COST = "cost"
    CANCELLED = "cancelled"


class BudgetSpent(Exception):
    """A budget is spent: the session goes over to writing down what it has. Not an error of anybody's."""

    def __init__(self, cut: Cut) -> None:
        super().__init__(cut.value)
        self.cut = cut


class Budget:
    """The budgets of one session in one place.

    `worked_before` are the seconds of work in earlier processes; `clock` counts seconds. Whoever pays for something
    calls `charge` with what it cost, also for what an earlier process paid.
    """

    def __init__(
        self, options: SessionOptions, worked_before: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options = options
        self._clock = clock
        self._begun = clock() - worked_before
        self.tokens = 0
        self.cost_usd = 0.0

    def worked(self) -> float:
        """Seconds of work so far, those of earlier processes with it."""
        return self._clock() - self._begun

    def seconds_left(self) -> float | None:
        """Seconds of work that are left, at least 0; None without such a budget."""
        if self._options.budget_minutes is None:
            return None
        return max(0.0, self._options.budget_minutes * 60 - self.worked())

    def steps(self) -> int | None:
        """How many steps (a search with its reading, a run in the sandbox) are allowed in all; None for any."""
        return self._options.budget_steps

    def charge(self, tokens: int, cost_usd: float | None = None) -> None:
        """Count what was spent. Raises nothing: what was paid for is used."""
        self.tokens += tokens
        self.cost_usd += cost_usd or 0.0

    def check(self) -> None:
        """Raise `BudgetSpent` when nothing more may be paid for. To be called before each payment."""
        left = self.seconds_left()
        if left is not None and left <= 0:
            raise BudgetSpent(Cut.TIME)
        if self._options.budget_tokens is not None and self.tokens >= self._options.budget_tokens:
            raise BudgetSpent(Cut.TOKENS)
        if self._options.budget_cost_usd is not None and self.cost_usd >= self._options.budget_cost_usd:
            raise BudgetSpent(Cut.COST)


def sentence(cut: Cut, options: SessionOptions) -> str:
    """What the report's limits say first."""
    if cut is Cut.CANCELLED:
        return "This session was cancelled; the report holds what was found until then."
    budget = {
        Cut.TIME: f"{options.budget_minutes or 0:g} minutes of work",
        Cut.STEPS: f"{options.budget_steps or 0} steps",
        Cut.TOKENS: f"{options.budget_tokens or 0:,} tokens",
        Cut.COST: f"{options.budget_cost_usd or 0:g} US dollars",
    }[cut]
    return (
        f"The budget of {budget} was spent before everything was looked at; the report holds what was found until then."
    )
