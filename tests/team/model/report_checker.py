"""One checker for every report, whoever thought: offsets, numbers, runs, bands and sums, without the product's gates."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?")
_MARK = re.compile(r"\[(C\d+)\]")


def faults(report: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """What is wrong with a report (as JSON) whose documents have these texts by SHA-256; empty for a valid one."""
    found: list[str] = []
    claims = {claim["id"]: claim for claim in report["claims"]}
    scripts = {script["run_id"]: script for script in report["scripts"]}
    for name, claim in claims.items():
        found += [f"{name}: {fault}" for fault in _citation_faults(claim, texts)]
        if claim["support"] in ("supported", "partial") and not claim["citations"]:
            found.append(f"{name}: {claim['support']} without a citation")
        if claim["run_id"] is not None and claim["run_id"] not in scripts:
            found.append(f"{name}: run {claim['run_id']} is not in the report")
        if claim["support"] == "supported":
            found += [f"{name}: number {number} is nowhere" for number in _unaccounted(claim, scripts)]
    found += _answer_faults(report, claims)
    found += _math_faults(report, scripts)
    for conflict in report["conflicts"]:
        found += [f"conflict names {one}" for one in conflict["claims"] if one not in claims]
    cited = {citation["sha256"] for claim in claims.values() for citation in claim["citations"]}
    counts = {source["sha256"]: source["citations"] for source in report["sources"]}
    for sha in cited:
        if sha not in counts:
            found.append(f"source {sha} is cited but not listed")
        else:
            held = [c for claim in claims.values() for c in claim["citations"] if c["sha256"] == sha]
            if not 1 <= counts[sha] <= len(held):
                found.append(f"source {sha} is counted {counts[sha]} times of {len(held)}")
    usage = report["usage"]
    if min(usage["input_tokens"], usage["output_tokens"], usage["seconds"]) < 0:
        found.append("usage is negative")
    if report["team"] == "extractive" and (usage["input_tokens"] or usage["output_tokens"] or usage["cost_usd"]):
        found.append("tokens without a model")
    return found


def _citation_faults(claim: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    found = []
    for citation in claim["citations"]:
        text = texts.get(citation["sha256"])
        if text is None:
            found.append(f"cites {citation['sha256']}, which the session does not hold")
        elif text[citation["start"] : citation["end"]] != citation["quote"] or not citation["quote"].strip():
            found.append(f"quote at {citation['start']} is not the text")
    return found


def _unaccounted(claim: Mapping[str, Any], scripts: Mapping[str, Any]) -> list[str]:
    """The numbers of a supported claim that neither its quotes nor its run hold."""
    quotes = " ".join(citation["quote"] for citation in claim["citations"])
    held = {number.replace(",", "") for number in _NUMBER.findall(quotes)} | set(re.findall(r"\d+", quotes))
    script = scripts.get(claim["run_id"] or "")
    data = "" if script is None else " ".join(f"{s['name']} {s['unit']} {len(s['points'])}" for s in script["series"])
    labels = "" if script is None else " ".join(p["label"] for s in script["series"] for p in s["points"])
    held |= set(re.findall(r"\d+(?:\.\d+)?", f"{data} {labels}"))
    values = [] if script is None else [abs(value) for value in script["printed"].values() if isinstance(value, float)]
    missing = []
    for written in _NUMBER.findall(claim["text"]):
        plain = written.rstrip(",").replace(",", "")
        decimals = len(plain.partition(".")[2])
        if plain not in held and not any(abs(round(value, decimals) - float(plain)) < 1e-9 for value in values):
            missing.append(written)
    return missing


def _answer_faults(report: Mapping[str, Any], claims: Mapping[str, Any]) -> list[str]:
    marks = _MARK.findall(report["answer"])
    if not marks:
        carried = [one for one in claims.values() if one["support"] in ("supported", "partial")]
        return ["the answer leaves out what was found"] if carried else []
    found = [f"the answer cites {mark}" for mark in marks if mark not in claims]
    expected = " ".join(f"{claims[mark]['text'].rstrip()} [{mark}]" for mark in marks if mark in claims)
    if not found and expected != report["answer"]:
        found.append("the answer is not its claims' own words")
    weak = [mark for mark in marks if mark in claims and claims[mark]["support"] not in ("supported", "partial")]
    return found + [f"the answer leads with {mark}, which nothing carries" for mark in weak]


def _math_faults(report: Mapping[str, Any], scripts: Mapping[str, Any]) -> list[str]:
    found = [f"run {run} has no script" for run in report["math"]["runs"] if run not in scripts]
    found += [f"script {run} is no run" for run in scripts if run not in report["math"]["runs"]]
    for figure in report["figures"]:
        if figure["run_id"] not in scripts:
            found.append(f"figure of unknown run {figure['run_id']}")
        elif hashlib.sha256(Path(figure["path"]).read_bytes()).hexdigest() != figure["sha256"]:
            found.append(f"figure {figure['path']} is another file")
    if report["math"]["alert_required"] and not report["math"]["degradation_note"]:
        found.append("mathematics failed without a word")
    return found
