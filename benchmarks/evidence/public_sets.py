"""The public sets the evidence room is measured on, read from the folder of `DEEPRESEARCH_DATA`.

They are never part of the project: where a file is missing, the measurement says so and is left out.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepresearch.evidence import words

PROJECT = Path(__file__).parents[2]


def folder() -> Path:
    """Where the public sets lie: `DEEPRESEARCH_DATA`, or the folder `shared/data` beside the project."""
    return Path(os.environ.get("DEEPRESEARCH_DATA") or PROJECT.parent / "shared" / "data")


class MissingSetError(Exception):
    """A public set is not on this machine."""


def _lines(name: str) -> Iterator[dict[str, Any]]:
    path = folder() / name
    if not path.is_file():
        raise MissingSetError(f"{name} is not in {folder()}; set DEEPRESEARCH_DATA to the folder that holds it.")
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


@dataclass(frozen=True)
class LabelledClaim:
    """A claim, sentences of evidence, and what people judged: all of it, or at least a part, is supported.

    `supporting` are alternative sets of indices of supporting sentences; `group` keeps what belongs
    together (one article) on one side of a split.
    """

    claim: str
    evidence: tuple[str, ...]
    whole: bool
    part: bool
    supporting: tuple[frozenset[int], ...]
    group: str


def wice() -> list[LabelledClaim]:
    """WiCE dev: sentences of an encyclopaedia beside the whole page each cites (Kamoi et al., EMNLP 2023)."""
    return [
        LabelledClaim(
            claim=entry["claim"],
            evidence=tuple(entry["evidence"]),
            whole=entry["label"] == "supported",
            part=entry["label"] != "not_supported",
            supporting=tuple(frozenset(indices) for indices in entry["supporting_sentences"]),
            group=entry["meta"]["claim_title"],
        )
        for entry in _lines("wice.claims.dev.jsonl")
    ]


def cited_only(entry: LabelledClaim) -> LabelledClaim:
    """The same judgement beside short evidence, as a report cites it: what supports, and the three nearest."""
    stems = frozenset(words.content_stems(entry.claim, "english"))
    shared = [len(stems & frozenset(words.content_stems(sentence, "english"))) for sentence in entry.evidence]
    nearest = sorted(range(len(shared)), key=lambda index: -shared[index])[:3]
    kept = sorted({*nearest, *(entry.supporting[0] if entry.supporting else ())})
    sentences = tuple(entry.evidence[index] for index in kept if index < len(entry.evidence))
    return LabelledClaim(entry.claim, sentences, entry.whole, entry.part, (), entry.group)


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question, a passage as sentences, and for each annotator the sentences that make the answer."""

    question: str
    title: str
    sentences: tuple[str, ...]
    chosen: tuple[frozenset[int], ...]
    answers: tuple[str, ...]
    id: str


def clapnq() -> list[AnsweredQuestion]:
    """CLAPNQ dev, answerable: questions to a search engine with passages (Rosenthal et al., TACL 2025)."""
    found = []
    for entry in _lines("clapnq.dev.answerable.jsonl"):
        passage = entry["passages"][0]
        place = {sentence: index for index, sentence in enumerate(passage["sentences"])}
        chosen = [frozenset(place[s] for s in o["selected_sentences"] if s in place) for o in entry["output"]]
        found.append(
            AnsweredQuestion(
                question=entry["input"],
                title=passage["title"],
                sentences=tuple(_joined(sentence) for sentence in passage["sentences"]),
                chosen=tuple(chosen),
                answers=tuple(output["answer"] for output in entry["output"]),
                id=str(entry["id"]),
            )
        )
    return found


def _joined(tokens: str) -> str:
    """A sentence written with blanks between all tokens, as people write it."""
    text = re.sub(r"\s?``\s?|\s?''\s?", '"', tokens)
    text = re.sub(r"\s([.,;:!?)%])", r"\1", text.replace("( ", "("))
    return re.sub(r"\s(n't|'s|'re|'ve)\b", r"\1", text)


def answers_as_claims() -> list[LabelledClaim]:
    """Answers of CLAPNQ as claims: beside their passage, without what they were made of, without the best of it."""
    claims = []
    for entry in clapnq():
        if not entry.chosen or not entry.chosen[0]:
            continue
        chosen = entry.chosen[0]
        for answer in words.sentences(entry.answers[0])[:3]:
            stems = frozenset(words.content_stems(answer.text, "english"))
            if len(stems) < 3:
                continue
            best = max(
                sorted(chosen), key=lambda i: len(stems & set(words.content_stems(entry.sentences[i], "english")))
            )
            for left_out, whole, part in (
                (set(), True, True),
                (chosen, False, False),
                ({best}, False, len(chosen) > 1),
            ):
                evidence = tuple(s for index, s in enumerate(entry.sentences) if index not in left_out)
                if evidence and not (left_out == {best} and len(chosen) == 1):
                    claims.append(LabelledClaim(answer.text, evidence, whole, part, (), entry.id))
    return claims
