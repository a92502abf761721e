"""Caps on what a session may use, kept before a call is sent rather than after."""

from __future__ import annotations

import time
from dataclasses import dataclass

from deepresearch.team.model.ledger import Spent

#: Bytes of a request (UTF-8) that count as one token before it is sent: fewer than common languages have, so that the
#: estimate is rather too high than too low.
_BYTES_PER_TOKEN = 2.5

#: A call that could not even answer in so many tokens is not begun.
_LEAST_OUTPUT = 200


class BudgetSpent(Exception):
    """The next call would go beyond a cap. The text says which, in words for the report."""


@dataclass(frozen=True)
class Caps:
    """The most that a session may use; None is no cap. `minutes` count from the moment this process took it up."""

    tokens: int | None = None
    cost_usd: float | None = None
    calls: int | None = None
    minutes: float | None = None


class Budget:
    """The caps and what is used, with what calls under way may yet use set aside."""

    def __init__(self, caps: Caps, spent: Spent) -> None:
        self._caps = caps
        self._begun = time.monotonic()
        self.spent = spent
        self._aside_tokens = 0
        self._aside_calls = 0
        self._aside_cost = 0.0

    def reserve(self, size: int, most_output: int, price: tuple[float, float] | None) -> Reservation:
        """Room for one call of `size` bytes and so many output tokens; its output is shortened to what is left.

        `price` is dollars for a token of input and of output, None when unknown. Raises `BudgetSpent`.
        """
        caps = self._caps
        if caps.minutes is not None and self.seconds_left() <= 0:
            raise BudgetSpent(f"the budget of {caps.minutes:g} minutes is used up")
        if caps.calls is not None and self.spent.calls + self._aside_calls >= caps.calls:
            raise BudgetSpent(f"the budget of {caps.calls:,} model calls is used up")
        estimate = int(size / _BYTES_PER_TOKEN) + 1
        output = most_output
        if caps.tokens is not None:
            left = caps.tokens - self.spent.tokens - self._aside_tokens - estimate
            if left < _LEAST_OUTPUT:
                raise BudgetSpent(f"the budget of {caps.tokens:,} tokens is used up ({self.spent.tokens:,} used)")
            output = min(output, left)
        cost = 0.0
        if caps.cost_usd is not None:
            if price is None or self.spent.cost_usd is None:
                raise BudgetSpent(
                    f"a budget of ${caps.cost_usd:g} is set but the price of the model is unknown; "
                    "give it in DEEPRESEARCH_MODEL_PRICES"
                )
            left_usd = caps.cost_usd - self.spent.cost_usd - self._aside_cost - estimate * price[0]
            if left_usd < _LEAST_OUTPUT * price[1] or left_usd < 0:
                raise BudgetSpent(f"the budget of ${caps.cost_usd:g} is used up (${self.spent.cost_usd:.4f} used)")
            if price[1] > 0:
                output = min(output, int(left_usd / price[1]))
            cost = estimate * price[0] + output * price[1]
        self._aside_tokens += estimate + output
        self._aside_calls += 1
        self._aside_cost += cost
        return Reservation(self, estimate + output, output, cost)

    def release(self, reservation: Reservation, usage: tuple[int, int] | None, cost_usd: float | None) -> None:
        """Count a call that has ended by what it reported (None: nothing), in place of what was set aside for it."""
        before = self.spent
        known = before.cost_usd if usage is None else None
        if usage is not None and before.cost_usd is not None and cost_usd is not None:
            known = before.cost_usd + cost_usd
        self.spent = Spent(
            calls=before.calls + 1,
            input_tokens=before.input_tokens + (usage[0] if usage is not None else 0),
            output_tokens=before.output_tokens + (usage[1] if usage is not None else 0),
            cost_usd=known,
            unreported=before.unreported + (usage is None),
        )
        self._aside_tokens -= reservation.tokens
        self._aside_calls -= 1
        self._aside_cost -= reservation.cost

    def seconds_left(self) -> float:
        """Seconds until the time is up; a great many without a cap."""
        if self._caps.minutes is None:
            return 1e9
        return self._caps.minutes * 60 - (time.monotonic() - self._begun)


@dataclass(frozen=True)
class Reservation:
    """What is set aside for one call. `output` is the most it may answer, in tokens."""

    budget: Budget
    tokens: int
    output: int
    cost: float
