"""Reading without a model: from hits to the sentences that answer, each with its exact words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from deepresearch.corpus import sentences
from deepresearch.evidence import addresses_a_model
from deepresearch.evidence.sentence_model import CHOSEN_FROM
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Quote
from deepresearch.model.plan import SubQuestion
from deepresearch.model.retrieval import Hit
from deepresearch.team.answerability import ANSWERED_FROM, passage_fit
from deepresearch.team.answering import (
    TermWeights,
    asked_stems,
    coverage,
    form_fit,
    gives_type,
    names_the_years,
)
from deepresearch.team.lookup import look_up
from deepresearch.team.protocol import Finding, Reading
from deepresearch.team.stemming import stems

#: Weighted share of the question's terms below which a sentence is no answer (see docs/decisions).
ANSWER_FLOOR = 0.62
#: Below this a sentence is not even on the matter.
NEARBY_FLOOR = 0.45
_MOST_FINDINGS = 8
#: How many of the best passages are looked at as a whole, and how many sentences one of them may give.
_PASSAGES_WEIGHED = 6
_MOST_CHOSEN = 4
_MOST_NEARBY = 24
_SAME = 92.0
_POINTS_BACK = re.compile(
    r"^(?:(?:it|its|this|that|these|those|they|their|he|she|his|her|both|such|the (?:former|latter))\b|"
    r"(?:however|but|therefore|instead|also|moreover|as a result|in addition)\b)",
    re.IGNORECASE,
)


_SENTENCE_END = re.compile(r"[.!。！;:][\"'”’»)\]*_]*$")
_LIST_ITEM = re.compile(r"^(?:[-*+•–]|\d+[.)])\s")


@dataclass(frozen=True)
class _Candidate:
    document: Document
    start: int
    end: int
    text: str
    heading: str
    before: str
    rank: int


def read_hits(sub_question: SubQuestion, hits: Sequence[Hit], documents: dict[str, Document]) -> Reading:
    """Choose the answering sentences among `hits` (best first). `documents` maps SHA-256 to the hits' documents."""
    asked = asked_stems(sub_question)
    weights = TermWeights((hit.passage.sha256, hit.passage.text) for hit in hits)
    instructions: dict[tuple[str, int], Quote] = {}
    scored: list[tuple[float, bool, _Candidate]] = []
    said: set[str] = set()
    chosen = _chosen_sentences(sub_question, hits, documents, weights)
    for found in _candidates(hits, documents):
        candidate = found
        if addresses_a_model(candidate.text):
            instructions[candidate.document.sha256, candidate.start] = _quote(candidate)
            continue
        own = set(stems(candidate.text))
        around = set(stems(f"{candidate.heading} {candidate.document.title} {candidate.before}"))
        covered = coverage(asked, own, around, weights)
        likely = chosen.get((candidate.document.sha256, candidate.end), 0.0)
        if not likely and (covered < NEARBY_FLOOR or not own & set(asked)):
            continue
        context = f"{candidate.heading} {candidate.document.title}"
        answers = (
            (covered >= ANSWER_FLOOR or likely > 0.0)
            and gives_type(sub_question, clean(candidate.text))
            and names_the_years(sub_question, candidate.text, context)
        )
        if answers:
            said |= own | around
        covered = max(covered, likely)
        fit = form_fit(sub_question, candidate.text)
        score = (
            (covered if fit is None else 0.65 * covered + 0.35 * fit) - 0.004 * candidate.rank + _shape(candidate.text)
        )
        alone = coverage(asked, own, set(), weights)
        if candidate.before and alone < 0.5 * covered:
            candidate = _with_sentence_before(candidate)
        scored.append((score, answers, candidate))
    scored.sort(key=lambda entry: -entry[0])
    looked_up = look_up(sub_question, hits, documents, weights)
    answering = [(score, candidate) for score, answers, candidate in scored if answers]
    findings = [*looked_up, *_merge(sub_question, answering)]
    if looked_up:
        said |= {stem for finding in looked_up for stem in stems(finding.text)} | set(asked)
    findings = _near_the_best(findings)
    nearby = _merge(sub_question, [(score, candidate) for score, _, candidate in scored])
    kept = {finding.text for finding in findings}
    return Reading(
        sub_question=sub_question.id,
        findings=tuple(findings[:_MOST_FINDINGS]),
        nearby=tuple(finding for finding in nearby if finding.text not in kept)[:_MOST_NEARBY],
        passages=len(hits),
        documents=len({hit.passage.sha256 for hit in hits}),
        uncovered=tuple(term for term in sub_question.terms if not set(stems(term)) & said),
        instructions=tuple(instructions.values()),
    )


def _chosen_sentences(
    sub_question: SubQuestion, hits: Sequence[Hit], documents: dict[str, Document], weights: TermWeights
) -> dict[tuple[str, int], float]:
    """Sentences of passages that likely hold the answer, by document and end, with how well each fits (0 to 1)."""
    chosen: dict[tuple[str, int], float] = {}
    prose = [hit.passage for hit in hits if hit.passage.kind == "prose"]
    for passage in prose[:_PASSAGES_WEIGHED]:
        spans = list(sentences(passage.text))
        texts = [passage.text[start:end] for start, end in spans]
        heading = " ".join([documents[passage.sha256].title, *passage.heading_path])
        fit = passage_fit(sub_question, texts, heading, weights)
        if fit.probability < ANSWERED_FROM:
            continue
        likely = [(index, score) for index, score in fit.ranked if score >= CHOSEN_FROM] or list(fit.ranked[:1])
        for index, score in likely[:_MOST_CHOSEN]:
            place = (passage.sha256, passage.start + spans[index][1])
            chosen[place] = max(chosen.get(place, 0.0), fit.probability * (0.5 + 0.5 * score))
    return chosen


def _candidates(hits: Sequence[Hit], documents: dict[str, Document]) -> Iterator[_Candidate]:
    seen: set[tuple[str, int]] = set()
    for rank, hit in enumerate(hits):
        passage = hit.passage
        if passage.kind != "prose":
            continue
        document = documents[passage.sha256]
        before = ""
        for start, end in sentences(passage.text):
            place = (passage.sha256, passage.start + start)
            text = passage.text[start:end]
            if place not in seen and _is_a_statement(text):
                seen.add(place)
                yield _with_antecedent(
                    _Candidate(
                        document, passage.start + start, passage.start + end, text,
                        " ".join(passage.heading_path), before, rank,
                    )
                )  # fmt: skip
            before = text


def _with_antecedent(candidate: _Candidate) -> _Candidate:
    """A sentence that points back ("It …") is quoted together with the one before it, so that it can stand alone."""
    return _with_sentence_before(candidate) if _POINTS_BACK.match(candidate.text) else candidate


def _with_sentence_before(candidate: _Candidate) -> _Candidate:
    if not candidate.before or len(candidate.before) > 300:
        return candidate
    start = candidate.document.text.rfind(candidate.before, max(0, candidate.start - 400), candidate.start)
    if start < 0:
        return candidate
    text = candidate.document.text[start : candidate.end]
    if "\n\n" in text:
        return candidate
    return _Candidate(candidate.document, start, candidate.end, text, candidate.heading, "", candidate.rank)


def _is_a_statement(text: str) -> bool:
    """Whether this reads as a sentence or a list item, not as a heading, a question or a row of figures."""
    stripped = text.strip()
    tokens = stripped.split()
    if not 20 <= len(stripped) <= 700 or len(tokens) < 4 or stripped.endswith("?"):
        return False
    if sum(token[:1].isdigit() or token[:1] in "-−–%" for token in tokens) > 0.4 * len(tokens):
        return False
    return bool(_SENTENCE_END.search(stripped) or _LIST_ITEM.match(stripped) or len(tokens) > 14)


def _shape(text: str) -> float:
    """A small preference for sentences of ordinary length that end like one."""
    length = len(text.split())
    return (0.02 if text.rstrip().endswith((".", "!", "。")) else -0.02) - (0.02 if length > 45 else 0.0)


def _merge(sub_question: SubQuestion, scored: Sequence[tuple[float, _Candidate]]) -> list[Finding]:
    """Findings in order, the same sentence in several places as one finding with all its quotes."""
    merged: list[tuple[float, str, list[Quote]]] = []
    for score, candidate in scored:
        text = clean(candidate.text)
        for _, known, quotes in merged:
            if text in known or known in text:
                break
            if fuzz.ratio(text, known) >= _SAME and _digits(text) == _digits(known):
                if all(quote.sha256 != candidate.document.sha256 for quote in quotes):
                    quotes.append(_quote(candidate))
                break
        else:
            merged.append((score, text, [_quote(candidate)]))
    return [
        Finding(sub_question=sub_question.id, text=text, quotes=tuple(quotes), relevance=max(0.0, min(1.0, score)))
        for score, text, quotes in merged
    ]


def _near_the_best(found: Sequence[Finding]) -> list[Finding]:
    """Only findings that come near the best one: a clear answer is not diluted by sentences beside the point."""
    best = max((finding.relevance for finding in found), default=0.0)
    return [finding for finding in found if finding.relevance >= 0.8 * best]


def clean(text: str) -> str:
    """A sentence as it is shown: white space and list or heading marks at its start removed, nothing else."""
    return re.sub(r"^(?:[-*+•]|\d+[.)]|#{1,6}|>)\s+", "", " ".join(text.split()))


def _digits(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _quote(candidate: _Candidate) -> Quote:
    document = candidate.document
    return Quote(
        source=document.source,
        sha256=document.sha256,
        page=document.page_at(candidate.start),
        start=candidate.start,
        end=candidate.end,
        quote=document.text[candidate.start : candidate.end],
    )
