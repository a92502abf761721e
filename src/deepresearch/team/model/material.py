"""What a model is shown of documents: passages as data, without what is hidden in them and without what addresses it.

A document is read in calls of its own, so that nothing in it stands beside the text of another; a document that
addresses a model at all is kept from it and read without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepresearch.model.documents import Document, Passage
from deepresearch.model.evidence import Quote
from deepresearch.model.retrieval import Hit
from deepresearch.team.model.suspicion import COMMENT, CONTROL, ENCODED, UNSEEN, decoded, is_suspicious, speaks

#: Documents and characters of a document that one reading shows.
MOST_DOCUMENTS = 8
MOST_CHARACTERS = 12_000

#: Longer texts are looked through only in the passages that were found.
_LONGEST_LOOKED_THROUGH = 400_000

LEFT_OUT = "[left out]"

_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,400}>")
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\s*(?:https?|data|javascript|file)?:?//?[^)]*\)")
_DATA_ADDRESS = re.compile(r"\b(?:data|javascript):[^\s\"'<>)]{12,}", re.IGNORECASE)


@dataclass(frozen=True)
class Shown:
    """A passage as a model sees it, under the `id` by which it is quoted."""

    id: str
    passage: Passage
    text: str


def keep_apart(document: Document, passages: Sequence[Passage]) -> bool:
    """Whether a document addresses a model anywhere, openly or hidden, or holds the marks of a chat."""
    texts = [document.text] if len(document.text) <= _LONGEST_LOOKED_THROUGH else [one.text for one in passages]
    return any(is_suspicious(text) for text in [*texts, document.title])


def shown_text(text: str) -> str:
    """A passage's text as a model sees it: no unseen letters, comments, tags, addresses or coded runs."""
    plain = COMMENT.sub(LEFT_OUT, UNSEEN.sub("", text))
    plain = _LINK.sub(r"\1", _IMAGE.sub(r"\1", plain))
    plain = _TAG.sub(" ", plain)
    plain = _DATA_ADDRESS.sub(LEFT_OUT, plain)
    plain = ENCODED.sub(lambda match: LEFT_OUT if _looks_encoded(match[0]) else match[0], plain)
    return CONTROL.sub(LEFT_OUT, plain)


def _looks_encoded(run: str) -> bool:
    return any(character.isdigit() for character in run) or any(speaks(one) for one in decoded(run))


@dataclass(frozen=True)
class Sheaf:
    """The passages of one document that one call shows."""

    document: Document
    shown: tuple[Shown, ...]

    def material(self) -> dict[str, object]:
        """The passages as JSON values."""
        passages = [
            {"id": one.id, "headings": [shown_text(title) for title in one.passage.heading_path], "text": one.text}
            for one in self.shown
        ]
        return {"document": shown_text(self.document.title), "passages": passages}

    def halved(self) -> Sheaf | None:
        """The better half of the passages, or the first half of the only one; None when nothing is left to leave out."""
        if len(self.shown) > 1:
            return Sheaf(self.document, self.shown[: -(-len(self.shown) // 2)])
        only = self.shown[0]
        if len(only.text) < 600:
            return None
        return Sheaf(self.document, (Shown(only.id, only.passage, only.text[: len(only.text) // 2]),))


def sheaves(
    hits: Sequence[Hit], documents: Mapping[str, Document], seen: set[str]
) -> tuple[list[Sheaf], list[tuple[Document, list[Passage]]]]:
    """The hits by document, best document first: what is shown to a model, and what is kept from it.

    `seen` are the passages that were shown before; the new ones are added to it.
    """
    grouped: dict[str, list[Passage]] = {}
    for hit in hits:
        if hit.passage.id not in seen:
            grouped.setdefault(hit.passage.sha256, []).append(hit.passage)
    open_ones: list[Sheaf] = []
    apart: list[tuple[Document, list[Passage]]] = []
    number = 0
    for sha256, passages in grouped.items():
        document = documents[sha256]
        if keep_apart(document, passages):
            apart.append((document, passages))
            continue
        if len(open_ones) == MOST_DOCUMENTS:
            continue
        shown: list[Shown] = []
        room = MOST_CHARACTERS
        for passage in passages:
            text = shown_text(passage.text)
            if shown and len(text) > room:
                break
            number += 1
            shown.append(Shown(f"P{number}", passage, text[:MOST_CHARACTERS]))
            room -= len(text)
            seen.add(passage.id)
        open_ones.append(Sheaf(document, tuple(shown)))
    return open_ones, apart


def within(quote: Quote, shown: Sequence[Shown]) -> bool:
    """Whether a quotation lies in one of the shown passages, or across two that touch."""
    spans = [(one.passage.start, one.passage.end) for one in shown]
    return any(start <= quote.start < end for start, end in spans) and any(
        start < quote.end <= end for start, end in spans
    )
