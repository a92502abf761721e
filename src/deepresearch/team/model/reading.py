"""The reader: statements with the words they rest on, one document in a call, each located before it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepresearch.evidence import addresses_a_model, check_support, locate_quote
from deepresearch.evidence.turned import turned_round
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Quote, Support
from deepresearch.model.plan import SubQuestion
from deepresearch.model.retrieval import Hit
from deepresearch.team.answering import TermWeights, asked_stems, coverage, gives_type
from deepresearch.team.model.address import Role
from deepresearch.team.model.desk import Desk
from deepresearch.team.model.material import Sheaf, sheaves, within
from deepresearch.team.model.outputs import ReadAnswer, ReadFinding
from deepresearch.team.model.wording import plain_sentence
from deepresearch.team.protocol import Finding, Reading, ShownPassage
from deepresearch.team.reading import ANSWER_FLOOR, clean, read_hits
from deepresearch.team.stemming import stems

_MOST_FINDINGS = 10


@dataclass
class _Counts:
    """What became of the findings of one call."""

    given: int = 0
    kept: int = 0
    reworded: int = 0
    not_located: int = 0
    not_carried: int = 0
    off_the_point: int = 0


async def read(
    sub: SubQuestion,
    hits: Sequence[Hit],
    documents: dict[str, Document],
    seen: set[str],
    before: Reading | None,
    desk: Desk,
) -> Reading:
    """Read the hits that were not `seen` yet, each document by itself, and add what they bring to `before`.

    Documents that address a model, and those for which it gives no answer, are read without it.
    """
    plain = read_hits(sub, hits, documents)
    open_ones, apart = sheaves(hits, documents, seen)
    brought = await asyncio.gather(*(_of_document(sub, sheaf, desk) for sheaf in open_ones), return_exceptions=True)
    findings: list[Finding] = list(before.findings) if before is not None else []
    without = {document.sha256 for document, _ in apart}
    for sheaf, result in zip(open_ones, brought, strict=True):
        if isinstance(result, BaseException):
            raise result
        if result is None:
            without.add(sheaf.document.sha256)
        else:
            findings.extend(result)
    for document, _ in apart:
        desk.decided(f"read:{sub.id}", "gate", "kept from the model", {"document": document.title})
    findings.extend(one for one in plain.findings if {quote.sha256 for quote in one.quotes} & without)
    if not findings and before is None and open_ones and plain.findings:
        desk.decided(f"read:{sub.id}", Role.READER, "found nothing", {"chosen without it": len(plain.findings)})
        findings.extend(plain.findings)
    chosen = _distinct(findings)
    if chosen and not _answers_in_its_words(sub, chosen, hits, documents):
        desk.limit(
            f"Whether the sentences found for “{sub.text.rstrip('?.! ')}” answer it is a language model's judgement: they "
            "do not speak of it in its own words."
        )
    said = " ".join(one.text for one in chosen).casefold()
    shown = [
        ShownPassage(sha256=one.passage.sha256, start=one.passage.start, end=one.passage.end)
        for sheaf in open_ones
        for one in sheaf.shown
    ]
    kept_apart = {document.sha256 for document, _ in apart} | set(before.apart if before else ())
    texts = {one.text for one in chosen}
    return Reading(
        sub_question=sub.id,
        findings=tuple(chosen[:_MOST_FINDINGS]),
        nearby=tuple(one for one in (*plain.nearby, *plain.findings) if one.text not in texts),
        passages=plain.passages,
        documents=plain.documents,
        uncovered=tuple(term for term in sub.terms if term.casefold() not in said),
        instructions=plain.instructions,
        shown=(*(before.shown if before else ()), *shown),
        apart=tuple(sorted(kept_apart)),
    )


async def _of_document(sub: SubQuestion, sheaf: Sheaf, desk: Desk) -> list[Finding] | None:
    """The findings of one document, checked; None when the model gave no answer for it."""
    step = f"read:{sub.id}"
    name = sheaf.document.title
    answer = await desk.ask_shorter(
        Role.READER,
        "read",
        f"{step}/{sheaf.document.sha256[:12]}",
        sheaf,
        lambda one: {"sub_question": sub.text, **one.material()},
        Sheaf.halved,
        ReadAnswer,
        "sentences were chosen without it",
    )
    if answer is None:
        return None
    counts = _Counts(given=len(answer.findings))
    found = [one for given in answer.findings[:12] if (one := _checked(sub, given, sheaf, counts)) is not None]
    desk.decided(
        step,
        Role.READER,
        "findings",
        {
            "document": name,
            "passages": len(sheaf.shown),
            "given": counts.given,
            "kept": len(found),
            "put in the document's own words": counts.reworded,
            "quotation not found": counts.not_located,
            "not carried": counts.not_carried,
            "off the point": counts.off_the_point,
        },
    )
    return found


def _checked(sub: SubQuestion, given: ReadFinding, sheaf: Sheaf, counts: _Counts) -> Finding | None:
    """A finding with its true quotations; in the document's own words where the statement says something else."""
    quotes = located(given, sheaf)
    if not quotes:
        counts.not_located += 1
        return None
    words = [quote.quote for quote in quotes]
    if not _is_about(sub, f"{given.statement} {' '.join(words)}", sheaf):
        counts.off_the_point += 1
        return None
    text = plain_sentence(given.statement)
    check = check_support(text, words) if text is not None else None
    if (
        text is None
        or check is None
        or check.support is Support.UNSUPPORTED
        or _lacks_a_number(check.missing)
        or turned_round(text, words)
    ):
        text = clean(words[0])
        if len(text) < 20 or addresses_a_model(text):
            counts.not_carried += 1
            return None
        counts.reworded += 1
        quotes = quotes[:1]
    counts.kept += 1
    return Finding(sub_question=sub.id, text=text, quotes=tuple(quotes), relevance=given.relevance)


def _is_about(sub: SubQuestion, text: str, sheaf: Sheaf) -> bool:
    """Whether a finding shares a word with the question, where its passages do: a search by words brought them."""
    asked = set(asked_stems(sub))
    shared = asked & {stem for one in sheaf.shown for stem in stems(one.text)}
    return not shared or bool(asked & set(stems(text)))


def _answers_in_its_words(
    sub: SubQuestion, findings: Sequence[Finding], hits: Sequence[Hit], documents: Mapping[str, Document]
) -> bool:
    """Whether one finding would count as an answer without a model: by the question's words and the kind it asks for."""
    asked = asked_stems(sub)
    weights = TermWeights((hit.passage.sha256, hit.passage.text) for hit in hits)
    for one in findings:
        words = " ".join([one.text, *(quote.quote for quote in one.quotes)])
        title = set(stems(" ".join(documents[q.sha256].title for q in one.quotes if q.sha256 in documents)))
        if coverage(asked, set(stems(words)), title, weights) >= ANSWER_FLOOR and gives_type(sub, words):
            return True
    return False


def located(given: ReadFinding, sheaf: Sheaf) -> list[Quote]:
    """The quotations of a finding that stand in the passages that were shown, wherever among them."""
    by_id = {one.id: one.passage for one in sheaf.shown}
    found: dict[tuple[int, int], Quote] = {}
    for quoted in given.quotes[:4]:
        passage = by_id.get(quoted.passage)
        quote = locate_quote(sheaf.document, quoted.words, passage.start if passage is not None else None)
        if quote is not None and within(quote, sheaf.shown) and not addresses_a_model(quote.quote):
            found.setdefault((quote.start, quote.end), quote)
    return list(found.values())


def _lacks_a_number(missing: Sequence[str]) -> bool:
    return any(any(character.isdigit() for character in word) for word in missing)


def _distinct(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, best first, each text and each place once."""
    ordered = sorted(findings, key=lambda one: -one.relevance)
    kept: list[Finding] = []
    texts: set[str] = set()
    places: set[tuple[str, int, int]] = set()
    for one in ordered:
        own = {(quote.sha256, quote.start, quote.end) for quote in one.quotes}
        if one.text.casefold() in texts or own <= places:
            continue
        texts.add(one.text.casefold())
        places |= own
        kept.append(one)
    return kept
