"""Writes the scorecard: what each back end did with each attack."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_SCORES: dict[str, dict[str, str]] = {}
_PAGE = Path(__file__).parents[3] / "docs/sandbox-scorecard.md"
_BACKENDS = ("docker", "bubblewrap")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, None]:
    outcome = yield
    report = outcome.get_result()
    for key, backend in item.user_properties:
        if key != "attack" and not str(key).startswith("attack:"):
            continue
        if report.when == "call" or report.failed or report.skipped:
            word = "withstood" if report.passed else "not run" if report.skipped else "BROKEN"
            _SCORES.setdefault(str(key).removeprefix("attack:"), {})[str(backend)] = word


def pytest_sessionfinish() -> None:
    from tests.sandbox.attacks.test_attacks import rows

    table = rows()
    complete = all(set(_SCORES.get(key, {})) >= set(_BACKENDS) for key, _, _ in table)
    if complete and not any("not run" in score.values() for score in _SCORES.values()):
        _PAGE.parent.mkdir(exist_ok=True)
        _PAGE.write_text(_page(table), encoding="utf-8")


def _page(table: list[tuple[str, str, str]]) -> str:
    total = len(table)
    withstood = {backend: sum(_SCORES[key][backend] == "withstood" for key, _, _ in table) for backend in _BACKENDS}
    lines = [
        "# The sandbox's scorecard",
        "",
        "Written by `tests/sandbox/attacks`, which runs every attack on both back ends and judges from the host: a canary "
        "file, listeners that must hear nothing, the process table, memory, settings of the kernel, the time bound, and the "
        "next run. Where only the attack itself can see whether a call was refused, it reports what got through.",
        "",
        " ".join(f"{backend}: {withstood[backend]} of {total} withstood." for backend in _BACKENDS),
        "",
        "| attack | no. | what is promised | docker | bubblewrap |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {key} | {numbers} | {promise} | {_SCORES[key]['docker']} | {_SCORES[key]['bubblewrap']} |"
        for key, numbers, promise in table
    ]
    return "\n".join(lines) + "\n"
