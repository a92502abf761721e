"""The chat-completions wire format of OpenAI: one answer as a JSON object or as a stream of events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Completion:
    """What a model says: prose, a refusal, or a call of a tool with its arguments as they are sent."""

    model: str
    number: int
    text: str | None = None
    refusal: str | None = None
    tool: str | None = None
    arguments: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usage_known: bool = True

    @property
    def finish_reason(self) -> str:
        """``tool_calls`` or ``stop``."""
        return "tool_calls" if self.tool is not None else "stop"

    def usage(self) -> dict[str, int]:
        """The usage as the wire names it."""
        return {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
        }

    def _call(self) -> dict[str, Any]:
        function = {"name": self.tool, "arguments": self.arguments}
        return {"id": f"call_{self.number}", "type": "function", "function": function}

    def as_object(self) -> dict[str, Any]:
        """The answer in one piece."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        if self.tool is not None:
            message["tool_calls"] = [self._call()]
        whole: dict[str, Any] = {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason, "logprobs": None}],
        }
        if self.usage_known:
            whole["usage"] = self.usage()
        return whole

    def as_events(self, *, with_usage: bool, size: int = 60) -> list[str]:
        """The answer as events of a stream, `size` characters of it in each, without the closing ``[DONE]``."""
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if self.tool is not None:
            deltas.append(
                {"tool_calls": [{"index": 0, **self._call(), "function": {"name": self.tool, "arguments": ""}}]}
            )
            deltas += [
                {"tool_calls": [{"index": 0, "function": {"arguments": part}}]} for part in _parts(self.arguments, size)
            ]
        deltas += [{"content": part} for part in _parts(self.text or "", size)]
        deltas += [{"refusal": part} for part in _parts(self.refusal or "", size)]
        events = [self._event([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
        events.append(self._event([{"index": 0, "delta": {}, "finish_reason": self.finish_reason}]))
        if with_usage and self.usage_known:
            events.append(self.usage_event())
        return events

    def usage_event(self) -> str:
        """The event that tells the usage."""
        return self._event([], usage=self.usage())

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> str:
        return json.dumps({**self._head("chat.completion.chunk"), "choices": choices, **more}, ensure_ascii=False)

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.number}", "object": kind, "created": 1_700_000_000, "model": self.model}


def error_body(status: int, message: str, code: str | None = None) -> dict[str, Any]:
    """An error as the wire tells it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _parts(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]
