"""A chat request as the scripted model sees it: what it is asked to do, with which material."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_ASKED_IN_TEXT = re.compile(r"JSON object of the form `(\w+)`")


@dataclass(frozen=True)
class RequestView:
    """One request of the wire format, taken apart.

    `task` and `material` come from the JSON object in the last user message; both are empty for a request that holds
    none. `tool` is the tool the model shall call, None when the answer is wanted as JSON in text.
    """

    model: str
    stream: bool
    wants_usage: bool
    tool: str | None
    task: str
    material: dict[str, Any]
    text: str
    sets_temperature: bool = False

    @property
    def repair(self) -> bool:
        """Whether it asks to mend an answer."""
        return "repair" in self.material

    @property
    def tokens(self) -> int:
        """The tokens of the request as this server counts them: four characters each, rounded up."""
        return count_tokens(self.text)


def count_tokens(text: str) -> int:
    """Four characters a token, rounded up: no model's count, but the same every time."""
    return -(-len(text) // 4)


def view(body: dict[str, Any]) -> RequestView:
    """Take a request body apart."""
    messages = [message for message in body.get("messages", []) if isinstance(message, dict)]
    texts = [_text(message.get("content")) for message in messages]
    tools = [tool.get("function", {}).get("name") for tool in body.get("tools") or [] if isinstance(tool, dict)]
    material: dict[str, Any] = {}
    for message, text in zip(messages, texts, strict=True):
        if message.get("role") == "user":
            material = _object(text) or material
    asked = _ASKED_IN_TEXT.search("\n".join(texts))
    return RequestView(
        model=str(body.get("model", "")),
        stream=bool(body.get("stream")),
        wants_usage=bool((body.get("stream_options") or {}).get("include_usage")),
        tool=tools[0] if tools else None,
        task=str(material.get("task") or (asked[1] if asked else (tools[0] if tools else ""))),
        material=material,
        text="\n".join(texts),
        sets_temperature=body.get("temperature") is not None,
    )


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
