"""Sentences that a model wrote, as plain text: nothing in them may act on a reader or a program."""

from __future__ import annotations

import re

from deepresearch.evidence import addresses_a_model

_ACTS = re.compile(r"https?://|www\.|!\[|\]\(|<[a-zA-Z/!]|\b(?:javascript|data):|`{3}|\|\s*---", re.IGNORECASE)
_IDS = re.compile(r"\s*[\[(](?:[FRPS]\d+(?:\s*[,;]\s*)?)+[\])]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
_MARKS = re.compile(r"^(?:#{1,6}|[-*+•>]|\d+[.)])\s+")


def plain_sentence(text: str) -> str | None:
    """The sentence on one line, without marks and ids; None for one that holds an address, a tag or an instruction."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    line = _MARKS.sub("", _IDS.sub("", line)).replace("**", "").strip()
    if not any(character.isalpha() for character in line) or _ACTS.search(line) or addresses_a_model(line):
        return None
    return line
