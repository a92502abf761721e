"""A trace as Markdown to read, as a Mermaid or Graphviz graph to look at, and as JSON for programs."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from deepresearch.report.visible import one_line
from deepresearch.trace.gathering import Trace, TracedStep

_STAGES = {
    "load": "Read the documents",
    "plan": "Plan",
    "web": "Search the web",
    "index": "Index",
    "read": "Search and read",
    "compute": "Compute",
    "write": "Write",
    "verify": "Verify",
    "report": "Put the report together",
    "reviewed": "Review",
}
_LONGEST = 160


def render(trace: Trace, form: str) -> str:
    """The trace in one of `FORMATS`, with a line end."""
    return FORMATS[form](trace)


def _json(trace: Trace) -> str:
    return json.dumps(trace.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"


def _markdown(trace: Trace) -> str:
    lines = [
        f"# Trace of session {trace.session_id}",
        "",
        f"- Question: {_in_markdown(trace.question)}",
        f"- Team: {_in_markdown(trace.team)}",
        f"- State: {trace.state}",
        "",
    ]
    for step in trace.steps:
        seconds = "" if step.seconds is None else f", {step.seconds:.1f} s"
        lines += [
            f"## {_title(step)}",
            "",
            f"{step.state.capitalize()}{seconds}. {_in_markdown(_told(step.result))}".rstrip(),
            "",
        ]
        for one in step.decisions:
            by = f"**{one.role}**" + (f" ({_in_markdown(one.model)})" if one.model else "")
            lines.append(f"- {by}: {_in_markdown(one.what)}. {_in_markdown(_told(one.detail))}".rstrip())
        if step.decisions:
            lines.append("")
        if step.calls:
            lines += [
                "| Role | Model | Calls | Failed | Tokens in | Tokens out |",
                "| --- | --- | ---: | ---: | ---: | ---: |",
            ]
            lines += [
                f"| {one.role} | {_in_markdown(one.model)} | {one.calls} | {one.failed} | {one.input_tokens} "
                f"| {one.output_tokens} |"
                for one in step.calls
            ]
            lines.append("")
    if trace.limits:
        lines += ["## What the cast had to admit", "", *(f"- {_in_markdown(limit)}" for limit in trace.limits), ""]
    return "\n".join(lines).rstrip() + "\n"


def _mermaid(trace: Trace) -> str:
    lines = ["flowchart TD", f'  question(["{_in_mermaid(trace.question)}"])']
    for number, step in enumerate(trace.steps):
        label = "<br/>".join([_in_mermaid(_title(step)), *(_in_mermaid(line) for line in _lines(step))])
        lines.append(f'  s{number}["{label}"]')
    lines += [f"  {tail} --> {head}" for tail, head in _edges(trace)]
    lines += [
        f"  style s{number} stroke-dasharray: 4" for number, step in enumerate(trace.steps) if step.state == "begun"
    ]
    return "\n".join(lines) + "\n"


def _graphviz(trace: Trace) -> str:
    lines = [
        "digraph trace {",
        '  node [shape=box, fontname="sans-serif"];',
        f'  question [shape=oval, label="{_in_dot(trace.question)}"];',
    ]
    for number, step in enumerate(trace.steps):
        label = "\\n".join([_in_dot(_title(step)), *(_in_dot(line) for line in _lines(step))])
        dashed = ", style=dashed" if step.state == "begun" else ""
        lines.append(f'  s{number} [label="{label}"{dashed}];')
    lines += [f"  {tail} -> {head};" for tail, head in _edges(trace)]
    return "\n".join([*lines, "}"]) + "\n"


#: The formats by name.
FORMATS: dict[str, Callable[[Trace], str]] = {
    "markdown": _markdown,
    "mermaid": _mermaid,
    "graphviz": _graphviz,
    "json": _json,
}


def _edges(trace: Trace) -> list[tuple[str, str]]:
    """What follows what: the parts of one stage stand side by side between the stages before and after it."""
    layers: list[tuple[tuple[str, bool], list[str]]] = []
    for number, step in enumerate(trace.steps):
        key = (step.stage, bool(step.part))
        if not layers or layers[-1][0] != key:
            layers.append((key, []))
        layers[-1][1].append(f"s{number}")
    names = [["question"], *(nodes for _, nodes in layers)]
    return [(tail, head) for before, after in itertools.pairwise(names) for tail in before for head in after]


def _title(step: TracedStep) -> str:
    title = _STAGES.get(step.stage, step.stage)
    return f"{title} ({one_line(step.part)})" if step.part else title


def _lines(step: TracedStep) -> list[str]:
    """The lines of a step's box: its decisions by role, and what it asked of models."""
    lines = [_short(f"{one.role}: {one.what}") for one in step.decisions[:6]]
    if len(step.decisions) > 6:
        lines.append(f"and {len(step.decisions) - 6} decisions more")
    if step.calls:
        calls = sum(one.calls for one in step.calls)
        tokens = sum(one.input_tokens + one.output_tokens for one in step.calls)
        lines.append(f"{calls} model call{'' if calls == 1 else 's'}, {tokens:,} tokens")
    return lines


def _told(detail: dict[str, Any]) -> str:
    return "; ".join(f"{key}: {_value(value)}" for key, value in detail.items() if value not in (None, "", [], {}))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value[:8]) + (", …" if len(value) > 8 else "")
    if isinstance(value, dict):
        return ", ".join(f"{key} {_value(one)}" for key, one in list(value.items())[:8])
    return _short(str(value))


def _short(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _in_markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>|#!])", r"\\\1", one_line(text))


def _in_mermaid(text: str) -> str:
    """Text inside a quoted label: what Mermaid would read as markup becomes its entity codes."""
    return "".join(
        f"#{ord(character)};" if character in '"#<>&;`|{}[]()\\' else character for character in _short(text)
    )


def _in_dot(text: str) -> str:
    return _short(text).replace("\\", "\\\\").replace('"', '\\"')
