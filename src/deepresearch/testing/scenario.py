"""Scenarios: what a scripted model does with which request, in plain YAML or JSON files.

    name: it writes a number that its source does not hold
    rules:
      - when: {task: write, call: 1}
        then:
          - twists: [change_digit]

The first rule that fits a request and still has an answer gives it. A rule's answers are given in order; after the
last one the rule is used up, unless it says ``forever``. A request that no rule answers gets the diligent answer:
see `behaviour.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepresearch.model.errors import UsageError

#: Ways to spoil a diligent answer: see `twists.py`.
Twist = Literal[
    "invent_quotes",
    "wrong_passage",
    "change_digit",
    "turn_round",
    "exchange_names",
    "drop_findings",
    "claim_without_source",
    "cite_unknown",
    "hard_coded_result",
    "broken_script",
    "obey",
]


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class When(_Plain):
    """Which requests a rule is for; everything that is given has to fit.

    `task` is what the model is asked to do (``plan``, ``read``, ``gaps``, ``compute``, ``write``, ``rewrite``),
    `contains` a text anywhere in the request, `model` the model asked for, `repair` whether it asks to mend an answer,
    `call` the number of the request in the server's life, from 1.
    """

    task: str | None = None
    contains: str | None = None
    model: str | None = None
    repair: bool | None = None
    call: int | None = None


class Answer(_Plain):
    """One answer. Without any field it is the diligent one; the others change it or stand in its place.

    - `twists` spoil the diligent answer; `arguments` replace fields of it; `tool` calls another tool than the one asked.
    - `text` answers with prose instead of a tool call, `raw` gives the tool these arguments as they are (broken JSON).
    - `refusal` is a refusal in the wire's own field; `nothing` an answer without any content.
    - `status` is an HTTP error with `headers` and `body`; `page` an HTML page where an API should be.
    - `cut_after` ends the stream after this share (0 to 1) of its pieces without an end; `usage_before_cut` sends the
      usage first. `hang_up` closes the connection without a word.
    - `delay` waits so many seconds first. `usage` replaces the counted tokens (input, output); `usage_missing` sends
      none.
    """

    twists: tuple[Twist, ...] = ()
    arguments: dict[str, Any] | None = None
    tool: str | None = None
    text: str | None = None
    raw: str | None = None
    refusal: str | None = None
    nothing: bool = False
    status: int | None = Field(default=None, ge=300, le=599)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    page: str | None = None
    cut_after: float | None = Field(default=None, ge=0, le=1)
    usage_before_cut: bool = False
    hang_up: bool = False
    delay: float = Field(default=0, ge=0, le=600)
    usage: tuple[int, int] | None = None
    usage_missing: bool = False


class Rule(_Plain):
    """Answers for the requests that `when` describes, in order; with `forever` the last one again and again."""

    when: When = When()
    then: tuple[Answer, ...] = (Answer(),)
    forever: bool = False


class Scenario(_Plain):
    """A scripted model.

    `models` are the names it serves (any when empty), `key` the API key it wants (any when None). Without `tools` it
    refuses requests that hold tools, as a model without structured output does; without `temperature` those that set one. `context` is the most tokens of a
    request. `obeys` are markers: a request that holds one is answered as badly as the scripted model can.
    """

    name: str = "diligent"
    models: tuple[str, ...] = ()
    key: str | None = None
    tools: bool = True
    temperature: bool = True
    context: int | None = None
    obeys: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


def load_scenario(path: Path) -> Scenario:
    """Read a scenario from a YAML or JSON file. Raises `UsageError` that names the file and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"The scenario {path} cannot be read: {reason}. Name a YAML or JSON file.") from error
    try:
        return Scenario.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise UsageError(
            f"The scenario {path} is no YAML or JSON{where}. Mend it, or begin from docs/testing.md."
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(f"The scenario {path} is wrong at {place}: {first['msg']}. See docs/testing.md.") from None
