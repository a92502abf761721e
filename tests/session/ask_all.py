"""A program that asks many questions of one folder and prints reports, stored texts and pages as JSON.

python ask_all.py SOURCES FOLDER < {"id": "question"}
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings


async def main(sources: str, folder: str) -> None:
    """Ask them one after another in one process."""
    questions: dict[str, str] = json.load(sys.stdin)
    home = Path(folder) / "home"
    home.mkdir(parents=True)
    built = Settings().home / "sandbox"
    if built.is_dir():
        (home / "sandbox").symlink_to(built)
    answers: dict[str, Any] = {}
    async with DeepResearch(Settings(home=home, sandbox_backend="bubblewrap")) as research:
        for name, question in questions.items():
            report = await research.query(question, sources=[sources], out=Path(folder) / name, session_id=name)
            documents = research.archive.documents(name)
            answers[name] = {
                "report": report.model_dump(mode="json"),
                "texts": {document.sha256: document.text for document in documents},
                "pages": {
                    document.sha256: [page.model_dump(mode="json") for page in document.pages] for document in documents
                },
            }
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
