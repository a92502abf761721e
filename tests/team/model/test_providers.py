"""Every provider over a wire of its own: the key goes where it belongs, the answer comes back, tokens are counted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.team.model.asking import corpus_at
from tests.team.model.other_wires import served

from deepresearch.model.report import Report
from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings
from deepresearch.testing import ModelServer

QUESTION = "How many ships did the harbour of Brackwater handle in 2023?"
KEY = "key-0123456789"


def _asked(home: Path, folder: Path, team: str, **settings: Any) -> Report:
    sources = corpus_at(folder / "documents")
    chosen = Settings(home=home, model_backoff_seconds=0.01, _env_file=None, **settings)

    async def ask() -> Report:
        async with DeepResearch(chosen) as research:
            return await research.query(QUESTION, sources=[sources], team=team)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("provider", "header", "path"),
    [
        ("anthropic", "authorization", "/v1/messages"),
        ("google", "x-goog-api-key", "/v1beta/models/x:streamGenerateContent"),
    ],
)
def test_anthropic_and_google(provider: str, header: str, path: str, home: Path, tmp_path: Path) -> None:
    with served() as (url, seen):
        settings = {f"{provider}_base_url": url, f"{provider}_api_key": KEY}
        report = _asked(home, tmp_path, f"{provider}:x", **settings)
    assert "1,284" in report.answer
    assert not [limit for limit in report.limits if "No language model answered" in limit or "no usable" in limit]
    assert len(seen) > 4
    assert {one["path"].partition("?")[0] for one in seen} == {path}
    keys = {value for one in seen for name, value in one["headers"].items() if name.lower() == header}
    assert {key.removeprefix("Bearer ") for key in keys} == {KEY}
    assert (report.usage.input_tokens, report.usage.output_tokens) == (100 * len(seen), 10 * len(seen))


@pytest.mark.parametrize(
    ("team", "setting"),
    [("openai:x", "model_base_url"), ("compatible:x", "model_base_url"), ("ollama:x", "ollama_base_url")],
)
def test_everything_that_speaks_chat_completions(team: str, setting: str, home: Path, tmp_path: Path) -> None:
    with ModelServer() as server:
        report = _asked(home, tmp_path, team, **{setting: server.url})
        assert (report.usage.input_tokens, report.usage.output_tokens) == server.reported()
        assert server.calls() > 4
    assert "1,284" in report.answer
    assert report.team == team
    assert (report.usage.cost_usd == 0) == team.startswith("ollama")
