"""What goes wrong with a model, sorted by what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic_ai import exceptions as ai

from deepresearch.team.model.address import Address
from deepresearch.team.model.providers import NotAnApi

_TOOLS = re.compile(
    r"\b(?:tools?|tool_choice|functions?|function[ _-]calling|response_format|structured)\b", re.IGNORECASE
)
_TEMPERATURE = re.compile(r"\btemperature\b", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum (?:prompt|context|number of tokens)|too (?:long|many tokens)|"
    r"prompt is too|input (?:is )?too|reduce the length|exceeds? the (?:maximum|limit)",
    re.IGNORECASE,
)


class Remedy(StrEnum):
    """What to do about a failed call."""

    AGAIN = "again"
    """Send it again after a pause."""
    OTHER = "other"
    """This model will not answer soon: ask the second one."""
    CONFIGURATION = "configuration"
    """A person has to mend a setting."""
    SHORTER = "shorter"
    """The request is too long for the model."""
    TEXT = "text"
    """The model takes no tools: ask for JSON in text."""
    BARE = "bare"
    """The model takes no temperature: send it without."""
    REFUSED = "refused"
    """The model will not take this request."""


@dataclass(frozen=True)
class Failure:
    """A failed call: what to do, why in words, and the seconds the provider asked to wait."""

    remedy: Remedy
    reason: str
    wait: float | None = None


def failure_of(error: Exception, address: Address, keys: Iterable[str]) -> Failure:
    """Sort an error. No key is in the reason, whatever the provider wrote."""
    page = _cause(error, NotAnApi)
    if page is not None:
        return Failure(
            Remedy.CONFIGURATION,
            f"{page} answered with a web page, not as the API of a model. Check DEEPRESEARCH_MODEL_BASE_URL: it often "
            "ends with /v1",
        )
    said = _said(error, keys)
    wait = getattr(error, "retry_after", None)
    match error:
        case ai.ModelContextWindowExceededError():
            return Failure(Remedy.SHORTER, "the request was too long for the model")
        case ai.ModelAuthenticationError():
            return Failure(
                Remedy.CONFIGURATION,
                f"{address} refused the API key. Check the key that is set for {address.provider} and what it may use",
            )
        case ai.ModelNotFoundError():
            return Failure(
                Remedy.CONFIGURATION,
                f"There is no model {address.model!r} at {address.provider}, or this key may not use it. "
                "Check the name after the colon and DEEPRESEARCH_MODEL_BASE_URL",
            )
        case ai.ModelQuotaExceededError():
            return Failure(Remedy.OTHER, f"the quota at {address.provider} is used up")
        case ai.ModelRateLimitError():
            return Failure(Remedy.AGAIN, "the provider asked to wait (429)", wait)
        case ai.ModelRequestRejectedError():
            if _TOO_LONG.search(said):
                return Failure(Remedy.SHORTER, "the request was too long for the model")
            if _TEMPERATURE.search(said):
                return Failure(Remedy.BARE, "the model takes no temperature")
            return Failure(Remedy.TEXT if _TOOLS.search(said) else Remedy.REFUSED, f"the request was refused: {said}")
        case ai.ModelHTTPError() if 300 <= error.status_code < 500 and error.status_code not in (408, 409, 425):
            return Failure(Remedy.REFUSED, f"the request was refused with status {error.status_code}")
        case ai.ModelHTTPError():
            return Failure(Remedy.AGAIN, f"the provider failed with status {error.status_code}", wait)
        case ai.ContentFilterError():
            return Failure(Remedy.REFUSED, "the provider's filter stopped the answer")
        case ai.ModelTimeoutError() | TimeoutError():
            return Failure(Remedy.AGAIN, "no answer in time")
        case ai.ModelAPIError():
            return Failure(Remedy.AGAIN, "the connection failed or broke off")
        case _:
            return Failure(Remedy.AGAIN, f"the answer could not be read ({type(error).__name__})")


def was_turned_away(error: Exception) -> bool:
    """Whether the provider answered with an error instead of working: such a call used nothing."""
    return isinstance(error, ai.ModelHTTPError) and not error.in_stream


def redacted(text: str, keys: Iterable[str]) -> str:
    """A text without any of these keys."""
    for key in keys:
        if len(key) >= 4:
            text = text.replace(key, "[key]")
    return text


def _said(error: Exception, keys: Iterable[str]) -> str:
    text = " ".join(redacted(str(error), keys).split())
    return text if len(text) <= 240 else text[:239] + "…"


def _cause(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    seen = 0
    while error is not None and seen < 12:
        if isinstance(error, kind):
            return error
        error = error.__cause__ or error.__context__
        seen += 1
    return None
