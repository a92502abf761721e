"""Every call of a language model, kept before and after it is sent, so that none is paid for twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from deepresearch.model.base import Value
from deepresearch.model.session import SessionEvent
from deepresearch.session import tables
from deepresearch.session.store import Store, now
from deepresearch.team.model.ledger import CallKey, Outcome, Reply, Spent


class ModelCall(Value):
    """One call as it is kept. `status` is ``sent`` (its end is not known), ``answered`` or ``failed``.

    Tokens and cost are None where the provider told no usage or the price is unknown.
    """

    number: int
    step: str
    role: str
    ordinal: int
    digest: str
    model: str
    status: str
    error: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    begun_at: str
    ended_at: str | None


class ModelCalls:
    """The calls of one session. May raise `sqlalchemy.exc.SQLAlchemyError` when the database refuses."""

    def __init__(self, store: Store, session_id: str) -> None:
        self._engine = store.engine
        self._id = session_id

    def answered(self, key: CallKey) -> Reply | None:
        """The reply to this very call, when one is kept."""
        calls = tables.model_calls
        query = (
            sa.select(calls.c.reply)
            .where(
                calls.c.session_id == self._id,
                calls.c.step == key.step,
                calls.c.role == key.role,
                calls.c.ordinal == key.ordinal,
                calls.c.digest == key.digest,
                calls.c.status == "answered",
            )
            .order_by(calls.c.number)
            .limit(1)
        )
        with self._engine.connect() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else Reply.model_validate_json(found)

    def begin(self, key: CallKey, model: str) -> int:
        """Keep that a call is about to be sent; gives its number."""
        calls = tables.model_calls
        with self._engine.begin() as connection:
            # The session's row is the lock under which numbers are given, as for events.
            connection.execute(
                sa.update(tables.sessions).where(tables.sessions.c.id == self._id).values(updated_at=now())
            )
            last = connection.execute(sa.select(sa.func.max(calls.c.number)).where(calls.c.session_id == self._id))
            number = (last.scalar() or 0) + 1
            connection.execute(
                sa.insert(calls).values(
                    session_id=self._id, number=number, step=key.step, role=key.role, ordinal=key.ordinal,
                    digest=key.digest, model=model, status="sent", error="", begun_at=now(),
                )
            )  # fmt: skip
        return number

    def end(self, number: int, outcome: Outcome) -> None:
        """Keep how a call ended."""
        calls = tables.model_calls
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(calls)
                .where(calls.c.session_id == self._id, calls.c.number == number)
                .values(
                    status="answered" if outcome.reply is not None else "failed",
                    reply=None if outcome.reply is None else outcome.reply.model_dump_json(),
                    model=calls.c.model if outcome.reply is None else outcome.reply.model,
                    error=outcome.error,
                    input_tokens=outcome.input_tokens,
                    output_tokens=outcome.output_tokens,
                    cost_usd=outcome.cost_usd,
                    ended_at=now(),
                )
            )

    def spent(self) -> Spent:
        """All calls together. A call whose end is not known, or that told no usage, counts as unreported."""
        calls = self.calls()
        told = [call for call in calls if call.input_tokens is not None]
        unknown = any(call.cost_usd is None for call in told)
        cost = None if unknown else math.fsum(call.cost_usd or 0.0 for call in told)
        return Spent(
            calls=len(calls),
            input_tokens=sum(call.input_tokens or 0 for call in told),
            output_tokens=sum(call.output_tokens or 0 for call in told),
            cost_usd=cost,
            unreported=len(calls) - len(told),
        )

    def calls(self) -> list[ModelCall]:
        """All calls in the order in which they were sent."""
        calls = tables.model_calls
        shown = [column for column in calls.c if column.name not in ("session_id", "reply")]
        query = sa.select(*shown).where(calls.c.session_id == self._id).order_by(calls.c.number)
        with self._engine.connect() as connection:
            return [ModelCall.model_validate(dict(row._mapping)) for row in connection.execute(query)]


class SessionNotebook:
    """Takes the cast's decisions down as events of a session and shows what is used.

    `tell` gets every event; `show` the sums.
    """

    def __init__(
        self,
        store: Store,
        session_id: str,
        owner: str,
        tell: Callable[[SessionEvent], None],
        show: Callable[[Spent], None],
    ) -> None:
        self._store = store
        self._id = session_id
        self._owner = owner
        self._tell = tell
        self._show = show

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Keep one decision as an event."""
        self._tell(self._store.add_event(self._id, kind, dict(data), owner=self._owner))

    def used(self, spent: Spent) -> None:
        """Show what is used so far."""
        self._show(spent)


def limits_noted(store: Store, session_id: str) -> list[str]:
    """What the cast has to admit, in words for the report, in the order in which it came up."""
    noted = [event for event in store.events(session_id) if event.kind == "team.limit"]
    return list(dict.fromkeys(str(event.data["text"]) for event in noted))


def with_limits_of_calls(limits: Sequence[str], noted: Sequence[str], spent: Spent) -> tuple[str, ...]:
    """The report's limits with those of the cast and of the count of what was used, each once."""
    counted = []
    if spent.unreported:
        one = spent.unreported == 1
        calls = "1 call" if one else f"{spent.unreported:,} calls"
        counted.append(
            f"{calls} of a language model told no usage; what {'it' if one else 'they'} used is not in the count."
        )
    if spent.cost_usd is None:
        counted.append("The price of a language model that was asked is unknown, so the cost of this report is too.")
    return tuple(dict.fromkeys([*limits, *noted, *counted]))


def told_of(spent: Spent) -> str:
    """What is used so far, for people."""
    cost = "cost unknown" if spent.cost_usd is None else f"${spent.cost_usd:.4f}"
    return f"{spent.tokens:,} tokens, {cost}"
