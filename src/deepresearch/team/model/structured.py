"""Typed answers: a call of a tool, one repair, JSON in text for models without tools, and then done without."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from deepresearch.team.model.address import Role
from deepresearch.team.model.calls import Ask, Caller, NoTools, Refused
from deepresearch.team.model.ledger import Reply
from deepresearch.team.model.prompting import Prompts

Answer = TypeVar("Answer", bound=BaseModel)

_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)

#: Characters of a wrong answer that are shown to the model when it is asked to mend it.
_SHOWN = 4000


class NoAnswer(Exception):
    """The model gave no usable answer, also when asked again. The text says why."""


class Structured:
    """Asks for typed answers."""

    def __init__(self, caller: Caller, prompts: Prompts) -> None:
        self._caller = caller
        self._prompts = prompts
        self._without_tools = False

    async def ask(self, role: Role, task: str, step: str, material: Mapping[str, Any], wanted: type[Answer]) -> Answer:
        """The answer to a task as `wanted`. Raises `NoAnswer`, and what `Caller.reply` raises but `NoTools`."""
        ordinal = 0
        asked: dict[str, Any] = {"task": task, **material}
        try:
            for repair in (False, True):
                reply, ordinal = await self._reply(role, task, step, ordinal, asked, wanted)
                try:
                    return _parsed(reply, task, wanted)
                except _Unusable as unusable:
                    if repair:
                        raise NoAnswer(unusable.reason) from None
                    given = (reply.arguments or reply.text)[:_SHOWN]
                    asked = {**asked, "repair": {"your_answer": given, "what_is_wrong": unusable.reason}}
        except Refused as refused:
            raise NoAnswer(str(refused)) from None
        raise AssertionError("an answer is asked for at most twice")

    async def _reply(
        self, role: Role, task: str, step: str, ordinal: int, asked: Mapping[str, Any], wanted: type[BaseModel]
    ) -> tuple[Reply, int]:
        """The reply and the ordinal of the next call."""
        if not self._without_tools:
            try:
                return await self._caller.reply(
                    self._composed(role, task, step, ordinal, asked, wanted, True)
                ), ordinal + 1
            except NoTools:
                self._without_tools = True
                ordinal += 1
        return await self._caller.reply(self._composed(role, task, step, ordinal, asked, wanted, False)), ordinal + 1

    def _composed(
        self,
        role: Role,
        task: str,
        step: str,
        ordinal: int,
        asked: Mapping[str, Any],
        wanted: type[BaseModel],
        tools: bool,
    ) -> Ask:
        schema = wanted.model_json_schema()
        shape = json.dumps(schema, ensure_ascii=False)
        how = (
            f"Answer by calling `{task}` once."
            if tools
            else f"Answer with one JSON object of the form `{task}` and nothing else. Its JSON schema:\n{shape}"
        )
        return Ask(
            role=role,
            step=step,
            ordinal=ordinal,
            system=f"{self._prompts[task]}\n\n{how}",
            user=json.dumps(asked, ensure_ascii=False),
            tool=task if tools else None,
            description=(wanted.__doc__ or "").strip().splitlines()[0],
            schema=schema,
        )


class _Unusable(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _parsed(reply: Reply, task: str, wanted: type[Answer]) -> Answer:
    """The answer in a reply. Raises `_Unusable` with a sentence that helps the model to mend it."""
    if reply.tool is not None and reply.tool != task:
        raise _Unusable(f"there is no tool {reply.tool[:60]!r}; the only one is {task!r}")
    text = reply.arguments if reply.tool is not None else reply.text
    if not text.strip():
        raise _Unusable("the answer was refused" if reply.stopped == "content_filter" else "the answer was empty")
    value = _json_in(text)
    if value is None or "INVALID_JSON" in value:
        cut = " (it was cut off at its longest)" if reply.stopped == "length" else ""
        raise _Unusable(
            f"the answer is no JSON object{cut}" if reply.tool else f"the answer is prose, no JSON object{cut}"
        )
    try:
        return wanted.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[:3]
        told = "; ".join(f"{'.'.join(str(part) for part in one['loc']) or 'the answer'}: {one['msg']}" for one in first)
        raise _Unusable(f"the answer has the wrong form: {told}") from None


def _json_in(text: str) -> dict[str, Any] | None:
    """The JSON object of a text: the whole, one in a code fence, or the outermost braces."""
    fenced = _FENCE.search(text)
    candidates = [text, *([fenced[1]] if fenced else [])]
    if "{" in text and "}" in text:
        candidates.append(text[text.index("{") : text.rindex("}") + 1])
    for candidate in candidates:
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            return value
    return None
