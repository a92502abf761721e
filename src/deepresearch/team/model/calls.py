"""One call of a model, paid once: looked up in the ledger, capped, sent, repeated within bounds, written down."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepresearch.model.errors import DeepResearchError, UsageError
from deepresearch.settings import Settings
from deepresearch.team.model import providers
from deepresearch.team.model.address import Address, Cast, Role
from deepresearch.team.model.budget import Budget, BudgetSpent, Reservation
from deepresearch.team.model.ledger import CallKey, Ledger, Notebook, Outcome, Reply, digest
from deepresearch.team.model.prices import Prices
from deepresearch.telemetry.model_calls import model_call

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model, StreamedResponse

    from deepresearch.team.model.failures import Failure


#: Pieces of a stream after which it is cut: far more than the longest answer that is asked for.
_MOST_PIECES = 200_000


class _EndlessError(Exception):
    """The stream does not end."""


class ModelOutage(Exception):
    """No model answered. The text says why."""


class TooLong(Exception):
    """The request does not fit into the model's context."""


class NoTools(Exception):
    """The model takes no tools."""


class Refused(Exception):
    """The model's provider does not take this request."""


class ModelUnavailableError(DeepResearchError):
    """No model answered and the session is to stop until one does. Exit code 1."""


class ModelSettingError(UsageError):
    """A provider refuses because of a setting: a wrong key, an unknown model, an address that is none. Exit code 2."""


@dataclass(frozen=True)
class Ask:
    """What is asked: the role's instructions, and the material as JSON. With `tool` the answer is a call of it."""

    role: Role
    step: str
    ordinal: int
    system: str
    user: str
    tool: str | None
    description: str
    schema: dict[str, Any]

    def key(self) -> CallKey:
        """The identity of this call."""
        asked = digest(self.role, self.system, self.user, self.tool, self.schema)
        return CallKey(step=self.step, role=self.role, ordinal=self.ordinal, digest=asked)


class Caller:
    """Asks models for one session. Bound to the event loop of its first call."""

    def __init__(
        self,
        cast: Cast,
        settings: Settings,
        ledger: Ledger,
        notebook: Notebook,
        budget: Budget,
        prices: Prices,
        session_id: str = "",
    ) -> None:
        self._cast = cast
        self._session_id = session_id
        self._settings = settings
        self._ledger = ledger
        self._notebook = notebook
        self._budget = budget
        self._prices = prices
        self._keys = providers.secrets(settings)
        self._gate = asyncio.Semaphore(settings.model_concurrency)
        self._client: httpx2.AsyncClient | None = None
        self._models: dict[Address, Model] = {}
        self._down: set[Address] = set()
        self._bare: set[Address] = set()

    async def close(self) -> None:
        """Give the connections back."""
        client, self._client = self._client, None
        self._models.clear()
        if client is not None:
            with suppress(Exception):
                await client.aclose()

    async def reply(self, ask: Ask) -> Reply:
        """The reply to `ask`: the one that was paid for already, else a new one.

        Raises `BudgetSpent`, `ModelOutage`, `TooLong`, `NoTools`, `Refused`, and `ModelSettingError` when a person
        has to mend something first.
        """
        key = ask.key()
        known = await asyncio.to_thread(self._ledger.answered, key)
        if known is not None:
            return known
        reasons: list[str] = []
        settings_at_fault = True
        for address in self._cast.of(ask.role):
            try:
                return await self._of(address, ask, key)
            except _Unanswered as unanswered:
                reasons.append(unanswered.reason)
                settings_at_fault = settings_at_fault and unanswered.setting
        if settings_at_fault:
            raise ModelSettingError(f"{reasons[0]}.")
        raise ModelOutage("; then ".join(reasons))

    async def _of(self, address: Address, ask: Ask, key: CallKey) -> Reply:
        """The reply of one model. Raises `_Unanswered` when it gives none."""
        from deepresearch.team.model.failures import Remedy

        # A model that did not answer before gets one more try for each question, not all of them again.
        attempts = 1 if address in self._down else self._settings.model_attempts
        pause = self._settings.model_backoff_seconds
        for attempt in range(1, attempts + 1):
            result = await self._once(address, ask, key)
            if isinstance(result, Reply):
                self._down.discard(address)
                return result
            if result.remedy is Remedy.BARE and address not in self._bare:
                self._bare.add(address)
                return await self._of(address, ask, key)
            match result.remedy:
                case Remedy.SHORTER:
                    raise TooLong(result.reason)
                case Remedy.TEXT if ask.tool is not None:
                    raise NoTools(result.reason)
                case Remedy.REFUSED | Remedy.TEXT | Remedy.BARE:
                    raise Refused(result.reason)
                case Remedy.CONFIGURATION:
                    raise _Unanswered(result.reason, setting=True)
                case _:
                    pass
            wait = pause if result.wait is None else result.wait
            too_long = wait > min(self._settings.model_patience_seconds, self._budget.seconds_left())
            if attempt == attempts or result.remedy is Remedy.OTHER or too_long:
                self._down.add(address)
                times = f" {attempt} times" if attempt > 1 else ""
                asked = f", which asked to wait {wait:.0f} s" if too_long and result.wait is not None else ""
                raise _Unanswered(f"{address} gave no answer{times}: {result.reason}{asked}", setting=False)
            await asyncio.sleep(wait)
            pause = min(pause * 2, 30.0)
        raise AssertionError("a model is asked at least once")

    async def _once(self, address: Address, ask: Ask, key: CallKey) -> Reply | Failure:
        """Send the call once and write down what came of it."""
        from deepresearch.team.model.failures import failure_of, redacted, was_turned_away

        price = self._prices.of(str(address))
        per_token = None if price is None else (price.input / 1e6, price.output / 1e6)
        async with self._gate:
            asked = len(f"{ask.system}{ask.user}{ask.schema}".encode("utf-8", "replace"))
            room = self._budget.reserve(asked, self._settings.model_max_output_tokens, per_token)
            number = await asyncio.to_thread(self._ledger.begin, key, str(address))
            reply: Reply | None = None
            failure: Failure | None = None
            usage: tuple[int, int] | None = None
            try:
                reply, usage = await self._told(address, ask, room)
            except _Broken as broken:
                usage = broken.usage or ((0, 0) if was_turned_away(broken.error) else None)
                failure = failure_of(broken.error, address, self._keys)
            finally:
                tokens = usage or (None, None)
                cost = None if usage is None else self._prices.cost(str(address), *usage)
                error = "" if failure is None else redacted(failure.reason, self._keys)
                if reply is not None or failure is not None:
                    outcome = Outcome(
                        reply=reply, error=error, input_tokens=tokens[0], output_tokens=tokens[1], cost_usd=cost
                    )
                    await asyncio.to_thread(self._ledger.end, number, outcome)
                self._budget.release(room, usage, cost)
        self._notebook.used(self._budget.spent)
        result = reply if reply is not None else failure
        assert result is not None
        return result

    async def _told(self, address: Address, ask: Ask, room: Reservation) -> tuple[Reply, tuple[int, int] | None]:
        """`_sent`, told to the operators."""
        usage: tuple[int, int] | None = None
        broken: _Broken | None = None
        with (
            suppress(_Ended),
            model_call(
                provider=address.provider, model=address.model, agent=ask.role, session_id=self._session_id
            ) as told,
        ):
            try:
                reply, usage = await self._sent(address, ask, room)
            except _Broken as error:
                broken, usage = error, error.usage
            if usage is not None:
                told.input_tokens, told.output_tokens = usage
                told.cost_usd = self._prices.cost(str(address), *usage)
            if broken is not None:
                raise _ended(broken.error)
        if broken is not None:
            raise broken
        return reply, usage

    async def _sent(self, address: Address, ask: Ask, room: Reservation) -> tuple[Reply, tuple[int, int] | None]:
        """The reply and its usage (input, output), None where the provider told none. Raises `_Broken`."""
        from pydantic_ai import direct
        from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.settings import ModelSettings
        from pydantic_ai.tools import ToolDefinition

        messages = [ModelRequest(parts=[SystemPromptPart(content=ask.system), UserPromptPart(content=ask.user)])]
        parameters = ModelRequestParameters(
            output_mode="text" if ask.tool is None else "tool",
            output_tools=[]
            if ask.tool is None
            else [
                ToolDefinition(
                    name=ask.tool, parameters_json_schema=ask.schema, description=ask.description, kind="output",
                    strict=False,
                )
            ],
            allow_text_output=ask.tool is None,
        )  # fmt: skip
        settings = ModelSettings(max_tokens=room.output)
        if address not in self._bare:
            settings["temperature"] = 0.0
        stream: StreamedResponse | None = None
        limit = min(self._settings.model_timeout_seconds * 4, max(1.0, self._budget.seconds_left()))
        try:
            model = self._model(address)
            async with (
                asyncio.timeout(limit),
                direct.model_request_stream(
                    model,
                    messages,
                    model_settings=settings,
                    model_request_parameters=parameters,
                    instrument=False,
                ) as stream,
            ):
                pieces = 0
                async for _ in stream:
                    pieces += 1
                    if pieces > _MOST_PIECES:
                        raise _EndlessError
                response = stream.get()
        except Exception as error:
            raise _Broken(error, None if stream is None else _usage(stream)) from error
        return _reply(address, response), _usage(stream)

    def _model(self, address: Address) -> Model:
        if self._client is None:
            self._client = providers.http_client(self._settings)
        if address not in self._models:
            self._models[address] = providers.build(address, self._settings, self._client)
        return self._models[address]


class _Unanswered(Exception):
    def __init__(self, reason: str, *, setting: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.setting = setting


class _Broken(Exception):
    def __init__(self, error: Exception, usage: tuple[int, int] | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.usage = usage


class _Ended(Exception):
    """What the operators are told instead of the error itself: its class, not its words."""


def _ended(error: Exception) -> _Ended:
    kind: type[_Ended] = type(type(error).__name__.lstrip("_"), (_Ended,), {})
    return kind()


def _usage(stream: StreamedResponse) -> tuple[int, int] | None:
    used = stream.usage() if callable(stream.usage) else stream.usage
    if not used.input_tokens and not used.output_tokens:
        return None
    return used.input_tokens, used.output_tokens


def _reply(address: Address, response: Any) -> Reply:
    """What the model said, from the parts of its response: the first call of a tool, else its text."""
    from pydantic_ai.messages import TextPart, ToolCallPart

    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    stopped = str(response.finish_reason or "")
    for part in response.parts:
        if isinstance(part, ToolCallPart):
            return Reply(
                model=str(address), tool=part.tool_name, arguments=part.args_as_json_str(), text=text, stopped=stopped
            )
    return Reply(model=str(address), text=text, stopped=stopped)


__all__ = [
    "Ask",
    "BudgetSpent",
    "Caller",
    "ModelOutage",
    "ModelSettingError",
    "ModelUnavailableError",
    "NoTools",
    "Refused",
    "TooLong",
]
