"""The diligent answer: what a plain, honest model would say to each task, made from the request alone.

It quotes the sentences that share most words with the question, computes first, last and change of the series that
the question names, and writes one sentence for each finding. Good enough to run a session end to end.
"""

from __future__ import annotations

import re
from typing import Any

from deepresearch.team.questions import content_terms
from deepresearch.team.questions import plan as plan_of
from deepresearch.team.stemming import stems
from deepresearch.testing.request_view import RequestView

_SENTENCE = re.compile(r"[^\s.!?][^\n.!?]*(?:[.](?=\d)[^\n.!?]*)*[.!?]")
_YEAR = re.compile(r"^(?:19|20)\d\d$")
_NUMBER = re.compile(r"^-?\d[\d,]*(?:\.\d+)?$")

_SCRIPT = """import json

with open("data.json", encoding="utf-8") as file:
    series = json.load(file)["series"][0]
points = series["points"]
first, last = points[0], points[-1]
change = last["value"] - first["value"]
print(json.dumps({
    "first": first["value"], "last": last["value"], "change": change,
    "change_percent": change / first["value"] * 100,
    "first_label": first["label"], "last_label": last["label"],
}))
"""


def diligent(request: RequestView) -> dict[str, Any]:
    """The arguments of the tool that the request asks for; empty for a task this model does not know."""
    makers = {
        "plan": _plan,
        "read": _read,
        "gaps": _gaps,
        "compute": _compute,
        "mend_script": _mend,
        "write": _write,
        "rewrite": _rewrite,
    }
    maker = makers.get(request.task)
    return maker(request.material) if maker else {}


def _plan(material: dict[str, Any]) -> dict[str, Any]:
    plan = plan_of(str(material.get("question", "?")))
    return {
        "sub_questions": [
            {"question": sub.text, "type": str(sub.type), "queries": list(sub.queries)} for sub in plan.sub_questions
        ],
        "wants_computation": plan.wants_computation,
    }


def _read(material: dict[str, Any]) -> dict[str, Any]:
    asked = set(stems(" ".join(content_terms(str(material.get("sub_question", ""))))))
    scored = []
    for passage in material.get("passages", []):
        for sentence in _SENTENCE.findall(str(passage.get("text", ""))):
            words = set(stems(sentence))
            if len(sentence) > 25 and asked:
                scored.append((len(asked & words) / len(asked), sentence, passage["id"]))
    scored.sort(key=lambda entry: -entry[0])
    best = [entry for entry in scored if entry[0] >= 0.5][:3]
    return {
        "findings": [
            {"statement": sentence, "quotes": [{"passage": passage, "words": sentence}], "relevance": round(score, 2)}
            for score, sentence, passage in best
        ]
    }


def _gaps(material: dict[str, Any]) -> dict[str, Any]:
    found = bool(material.get("findings"))
    words = " ".join(content_terms(str(material.get("sub_question", ""))))
    return {"covered": found, "missing": [] if found else ["an answer"], "queries": [] if found else [words]}


def _compute(material: dict[str, Any]) -> dict[str, Any]:
    asked = set(stems(str(material.get("sub_question", ""))))
    years = list(re.findall(r"\b(?:19|20)\d\d\b", str(material.get("sub_question", ""))))
    best: tuple[int, dict[str, Any]] | None = None
    for table in material.get("tables", []):
        rows = table.get("rows", [])
        for column in range(1, len(rows[0]) if rows else 0):
            points = [
                {"label": row[0]["text"].strip(), "cell": row[column]["cell"]}
                for row in rows
                if len(row) > column
                and _YEAR.match(row[0]["text"].strip())
                and _NUMBER.match(row[column]["text"].strip())
            ]
            head = rows[0][column]["text"] if rows else ""
            shared = len(asked & set(stems(f"{head} {table.get('caption') or ''}")))
            if years:
                points = [point for point in points if years[0] <= point["label"] <= years[-1]]
            if len(points) >= 2 and shared and (best is None or shared > best[0]):
                series = {
                    "name": head.strip() or "value",
                    "unit": table.get("unit") or "",
                    "axis": "year",
                    "points": points,
                }
                best = shared, series
    if best is None:
        return {"computations": []}
    return {"computations": [{"title": f"Change of {best[1]['name']}", "data": [best[1]], "script": _SCRIPT}]}


def _mend(material: dict[str, Any]) -> dict[str, Any]:
    return {"script": _SCRIPT}


def _write(material: dict[str, Any]) -> dict[str, Any]:
    sentences: list[dict[str, Any]] = []
    for result in material.get("results", []):
        values = result.get("values", {})
        if {"first", "last", "change_percent", "first_label", "last_label"} <= set(values):
            name = result["data"][0]["name"]
            verb = "rose" if values["change_percent"] > 0 else "fell"
            sentences.append(
                {
                    "text": f"{name} {verb} from {values['first']:,.10g} in {values['first_label']} to "
                    f"{values['last']:,.10g} in {values['last_label']}, a change of "
                    f"{abs(values['change_percent']):.1f} %.",
                    "findings": [],
                    "result": result["id"],
                    "lead": True,
                }
            )
    for number, finding in enumerate(material.get("findings", [])[:4]):
        sentences.append(
            {"text": finding["statement"], "findings": [finding["id"]], "result": None, "lead": number == 0}
        )
    return {"sentences": sentences}


def _rewrite(material: dict[str, Any]) -> dict[str, Any]:
    rewritten = []
    for sentence in material.get("sentences", []):
        evidence = [str(words) for words in sentence.get("evidence", [])]
        rewritten.append({"id": sentence["id"], "text": evidence[0] if evidence else ""})
    return {"sentences": rewritten}
