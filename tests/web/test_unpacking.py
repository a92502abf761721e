"""Unpacking makes no more than it may, however much is packed into a piece."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepresearch.model.errors import FetchRefused
from deepresearch.web.unpacking import Unpacker

LIMIT = 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_stays_cold(coding: str) -> None:
    content = b"\0" * 100_000_000
    bomb = gzip.compress(content) if coding == "gzip" else zlib.compress(content)
    unpacker = Unpacker("http://example.com/", coding, LIMIT)
    tracemalloc.start()
    out = unpacker.feed(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(out) == LIMIT + 1
    assert unpacker.full
    assert unpacker.feed(bomb) == b""
    assert peak < 10 * LIMIT


@given(st.binary(max_size=5_000), st.integers(1, 700), st.sampled_from(["gzip", "deflate", ""]))
def test_pieces_of_any_size_give_the_same(content: bytes, size: int, coding: str) -> None:
    packed = {"gzip": gzip.compress(content), "deflate": zlib.compress(content), "": content}[coding]
    unpacker = Unpacker("http://example.com/", coding, LIMIT)
    out = b"".join(unpacker.feed(packed[at : at + size]) for at in range(0, len(packed), size))
    assert out == content
    assert not unpacker.full


@given(st.binary(max_size=500), st.sampled_from(["gzip", "deflate"]))
def test_rubbish_is_refused_or_cut_and_nothing_else(content: bytes, coding: str) -> None:
    try:
        assert len(Unpacker("http://example.com/", coding, LIMIT).feed(content)) <= LIMIT + 1
    except FetchRefused as error:
        assert error.kind == "encoding"
