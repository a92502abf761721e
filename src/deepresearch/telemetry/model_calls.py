"""What a call to a language model tells the operators: who was asked, what it cost, how long it took.

The names follow the OpenTelemetry semantic conventions for generative AI. Prompts and answers are never recorded.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deepresearch.telemetry.meters import instruments, meter
from deepresearch.telemetry.traces import span

#: Name of the logger and value of `target` in every event.
TARGET = "telemetry.model"

#: Names of models and providers come from settings and requests: past this many, further ones are counted together.
MOST_NAMES = 40

_log = logging.getLogger(TARGET)


class _BoundedNames:
    """Lets the first `MOST_NAMES` names through and calls every later one ``other``."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def bounded(self, provider: str, model: str) -> tuple[str, str]:
        pair = (provider[:80], model[:80])
        with self._lock:
            if pair in self._seen or len(self._seen) < MOST_NAMES:
                self._seen.add(pair)
                return pair
        return ("other", "other")


@instruments
class _Instruments:
    def __init__(self) -> None:
        source = meter("deepresearch.model")
        self.names = _BoundedNames()
        self.calls = source.create_counter(
            "deepresearch.model.calls", unit="{call}", description="Calls to language models by how they ended"
        )
        self.tokens = source.create_counter(
            "deepresearch.model.tokens", unit="{token}", description="Tokens sent to and received from language models"
        )
        self.cost = source.create_counter(
            "deepresearch.model.cost_usd", description="What calls to language models cost, in US dollars, where known"
        )
        self.duration = source.create_histogram(
            "gen_ai.client.operation.duration", unit="s", description="Wall-clock time of a call to a language model"
        )
        self.usage = source.create_histogram(
            "gen_ai.client.token.usage", unit="{token}", description="Tokens of one call to a language model"
        )
        self.cost.add(0)
        for outcome in ("success", "failure"):
            self.calls.add(0, {"outcome": outcome})
        for kind in ("input", "output"):
            self.tokens.add(0, {"gen_ai.token.type": kind})


@dataclass(slots=True)
class ModelCall:
    """What `model_call` hands out: fill in what the answer tells. `cost_usd` stays None where it is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    response_model: str = ""


@contextmanager
def model_call(
    *, provider: str, model: str, operation: str = "chat", agent: str = "", session_id: str = ""
) -> Iterator[ModelCall]:
    """Around one request to a language model.

        with model_call(provider="openai", model="gpt-x", agent="planner", session_id=session) as call:
            answer = await ask(...)
            call.input_tokens, call.output_tokens = answer.usage.input_tokens, answer.usage.output_tokens

    Opens the span ``chat gpt-x``, and at the end emits one event (target ``telemetry.model``) and counts calls,
    tokens, cost in US dollars and seconds. An error passes through and is counted by its type. `operation` is a name
    of the GenAI conventions (chat, embeddings, …), `agent` the role that asks.
    """
    call = ModelCall()
    attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.agent.name": agent,
        "gen_ai.conversation.id": session_id,
    }
    begun = time.monotonic()
    error_type = ""
    with span(f"{operation} {model}", attributes) as opened:
        try:
            yield call
        except BaseException as error:
            error_type = type(error).__name__
            raise
        finally:
            opened.set_attribute("gen_ai.usage.input_tokens", call.input_tokens)
            opened.set_attribute("gen_ai.usage.output_tokens", call.output_tokens)
            if call.response_model:
                opened.set_attribute("gen_ai.response.model", call.response_model)
            record_model_call(
                provider=provider,
                model=model,
                input_tokens=call.input_tokens,
                output_tokens=call.output_tokens,
                cost_usd=call.cost_usd,
                duration_s=time.monotonic() - begun,
                error_type=error_type,
                operation=operation,
                agent=agent,
                session_id=session_id,
            )


def record_model_call(
    *,
    provider: str,
    model: str,
    input_tokens: int,
    output_tokens: int,
    cost_usd: float | None,
    duration_s: float,
    error_type: str = "",
    operation: str = "chat",
    agent: str = "",
    session_id: str = "",
) -> None:
    """Count one finished request and emit its event; `model_call` does this and the span, so use one of the two.

    `duration_s` is in seconds, `error_type` the class name of what went wrong, empty when nothing did.
    """
    made = _Instruments()
    provider_label, model_label = made.names.bounded(provider, model)
    who = {"gen_ai.provider.name": provider_label, "gen_ai.request.model": model_label}
    made.calls.add(1, {**who, "outcome": "failure" if error_type else "success"})
    made.tokens.add(input_tokens, {**who, "gen_ai.token.type": "input"})
    made.tokens.add(output_tokens, {**who, "gen_ai.token.type": "output"})
    if cost_usd:
        made.cost.add(cost_usd, who)
    operated = {**who, "gen_ai.operation.name": operation}
    made.duration.record(duration_s, {**operated, "error.type": error_type} if error_type else operated)
    if not error_type:
        made.usage.record(input_tokens, {**operated, "gen_ai.token.type": "input"})
        made.usage.record(output_tokens, {**operated, "gen_ai.token.type": "output"})
    fields: dict[str, Any] = {
        "event_name": "model.call",
        "provider": provider,
        "model": model,
        "operation": operation,
        "agent": agent,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cost_usd": cost_usd,
        "duration_ms": round(duration_s * 1000),
    }
    if session_id:
        fields["session_id"] = session_id
    if error_type:
        fields["error.type"] = error_type
    _log.log(logging.WARNING if error_type else logging.INFO, "model call finished", extra=fields)
