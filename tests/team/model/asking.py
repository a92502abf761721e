"""Sessions with a scripted model, in this process: a question, documents, a scenario, and all that came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepresearch.model.session import SessionEvent
from deepresearch.session.archive import Archive
from deepresearch.session.model_calls import ModelCall, ModelCalls
from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings
from deepresearch.testing import ModelServer, Scenario, Served

HARBOUR = """# Harbour of Brackwater

The harbour of Brackwater was opened in 1887. Its quay is 412 metres long and takes ships of up to 9,000 tonnes.

In 2023 the harbour handled 1,284 ships and 316,000 tonnes of cargo. Most of the cargo was timber from the north.

The harbour master is Ilse Tamm, who was appointed in 2019 after the flood.
"""

FERRY = """# Ferry timetable notes

The ferry from Brackwater to Osmer leaves at 07:40 and takes 55 minutes.

In 2023 the ferry carried 48,210 passengers, 6 percent more than in 2022. A return ticket costs 14.50 euros.
"""

TRAFFIC = """# Ships handled

| Year | Ships | Cargo (tonnes) |
| --- | --- | --- |
| 2020 | 1,102 | 271,000 |
| 2021 | 1,190 | 288,500 |
| 2022 | 1,251 | 301,200 |
| 2023 | 1,284 | 316,000 |
"""


@dataclass(frozen=True)
class Asked:
    """A session and what it left behind."""

    report: dict[str, Any]
    texts: dict[str, str]
    events: list[SessionEvent]
    calls: list[ModelCall]
    log: list[Served]
    reported: tuple[int, int]

    def claims(self) -> list[tuple[str, str, tuple[tuple[str, int, int], ...]]]:
        """Text, band and places of each claim."""
        return [
            (
                claim["text"],
                claim["support"],
                tuple((one["source"], one["start"], one["end"]) for one in claim["citations"]),
            )
            for claim in self.report["claims"]
        ]

    def limits(self) -> str:
        """The limits in one text."""
        return "\n".join(self.report["limits"])


def corpus_at(folder: Path, documents: Mapping[str, str] | None = None) -> Path:
    """A folder with these documents; the harbour's without any given."""
    folder.mkdir(parents=True, exist_ok=True)
    given = documents or {"harbour.md": HARBOUR, "ferry.md": FERRY, "traffic.md": TRAFFIC}
    for name, text in given.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def settings_for(home: Path, url: str, **more: Any) -> Settings:
    """Settings for a scripted model at `url`, with pauses too short to wait for."""
    given = {"model_backoff_seconds": 0.01, "sandbox_backend": "bubblewrap", **more}
    return Settings(home=home, model_base_url=url, _env_file=None, **given)


def ask(
    home: Path,
    sources: Path | Sequence[Path],
    question: str,
    scenario: Scenario | None = None,
    *,
    team: str = "openai:scripted",
    session_id: str | None = None,
    options: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Asked:
    """Ask once and look at everything; raises what the session raises."""
    with ModelServer(scenario) as server:
        return asyncio.run(
            _asked(
                settings_for(home, server.url, **settings),
                [sources] if isinstance(sources, Path) else list(sources),
                question,
                server,
                team,
                session_id,
                options or {},
            )
        )


async def _asked(
    settings: Settings,
    sources: Sequence[Path],
    question: str,
    server: ModelServer,
    team: str,
    session_id: str | None,
    options: Mapping[str, Any],
) -> Asked:
    async with DeepResearch(settings) as research:
        report = await research.query(question, sources=sources, team=team, session_id=session_id, **options)
    return looked_up(settings, report.session_id, server)


def looked_up(settings: Settings, session_id: str, server: ModelServer) -> Asked:
    """What a finished session left behind."""
    with closing(Archive(settings)) as archive:
        report = archive.report(session_id)
        assert report is not None
        shown = report.model_dump(mode="json")
        for script in shown["scripts"]:
            request = script["run_id"].removeprefix(f"{session_id}-")
            stored = archive.store.result(session_id, f"compute:{_request_id(request)}")
            assert stored is not None
            script["printed"] = stored["values"]
        return Asked(
            report=shown,
            texts={document.sha256: document.text for document in archive.documents(session_id)},
            events=archive.events(session_id),
            calls=ModelCalls(archive.store, session_id).calls(),
            log=list(server.log),
            reported=server.reported(),
        )


def _request_id(run: str) -> str:
    """``M-S1`` of ``M-S1`` and of ``M-S1-2``, its second try."""
    return "-".join(run.split("-")[:2])
