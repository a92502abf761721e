"""Small documents by number, each with words of its own, for tests that need many."""

from __future__ import annotations

from pathlib import Path

PORTS = ("Ardmoor", "Bellwick", "Corrane", "Dunavar", "Estholm", "Farrick", "Glenmarsh", "Hollin")
CARGOES = ("timber", "salt", "barley", "slate", "herring", "wool", "copper")


def text_of(number: int) -> str:
    """The text of document `number`: two headings, some sentences and, in every tenth, a table."""
    port, cargo = PORTS[number % len(PORTS)], CARGOES[number % len(CARGOES)]
    lines = [
        f"# Harbour book {number:05d} of {port}",
        "",
        f"Entry {number} was written at {port}. The ship carried {10 + number % 90} tonnes of {cargo}. "
        f"The pilot bore the mark zx{number:05d}q.",
        "",
        "## Weather",
        "",
        f"The wind was {number % 12} Beaufort and the crossing took {30 + number % 400} minutes.",
        "",
    ]
    if number % 10 == 0:
        lines += ["| Year | Tonnes |", "|---|---|", *(f"| {2014 + year} | {number + year} |" for year in range(4)), ""]
    return "\n".join(lines)


def write_documents(folder: Path, count: int) -> None:
    """Write documents 0 to `count` - 1 into folders of a hundred."""
    for number in range(count):
        path = folder / f"{number // 100:03d}" / f"book-{number:05d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(number), encoding="utf-8")
