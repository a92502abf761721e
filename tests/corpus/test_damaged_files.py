"""Files cut off and changed at random: a document or a refusal comes out, nothing else."""

from __future__ import annotations

import os
import random

import pytest
from tests.corpus.made_files import make_all
from tests.corpus.test_every_format import assert_exact

from deepresearch.corpus import load_bytes, split
from deepresearch.model.errors import SourceError

FILES = make_all()
ROUNDS = int(os.environ.get("DEEPRESEARCH_FUZZ_ROUNDS", "40"))
KINDS = {"empty", "too_large", "encrypted", "broken", "binary", "no_text", "unknown_format"}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """`data` cut off, with bytes changed, with a piece doubled, moved or taken out."""
    work = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        if not work:
            break
        kind = chance.randrange(6)
        place, other = sorted((chance.randrange(len(work)), chance.randrange(len(work))))
        if kind == 0:
            del work[chance.randrange(len(work)) :]
        elif kind == 1:
            for _ in range(chance.randint(1, 30)):
                work[chance.randrange(len(work))] = chance.randrange(256)
        elif kind == 2:
            del work[place : min(other, place + 200)]
        elif kind == 3:
            work[place:place] = work[place : min(other, place + 500)]
        elif kind == 4:
            work[place : place + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"9999", b"<<<<", b"\n\n\r\n"])
        else:
            work[place] ^= 1 << chance.randrange(8)
    return bytes(work)


@pytest.mark.parametrize("name", sorted(FILES))
def test_only_documents_and_refusals_come_out(name: str) -> None:
    chance = random.Random(f"corpus {name}")
    for _ in range(ROUNDS):
        data = damaged(FILES[name], chance)
        try:
            document = load_bytes(data, name)
        except SourceError as error:
            assert error.kind in KINDS
            assert "\n" not in error.reason
            continue
        assert_exact(document)
        for passage in split(document):
            assert passage.text == document.text[passage.start : passage.end]
