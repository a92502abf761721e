"""A small corpus made from a seed, and questions about it; one of them needs a computation."""

from __future__ import annotations

import random
from pathlib import Path

CAUSES = ("late frost", "a hailstorm", "fire blight", "a dry summer", "codling moths", "a flood")

#: The first asks for a number and a figure, the others for sentences.
QUESTIONS = (
    "How did the harvest of apples change between 2014 and 2024?",
    "What destroyed the blossom of the pear trees?",
    "Who looks after the bees, and where do the hives stand?",
    "Which orchard supplies the cider press?",
)


def make_orchard(folder: Path, seed: int) -> Path:
    """Write the corpus: a table and three notes. The same seed gives the same bytes."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [f"{year},{chance.randrange(40, 120)}" for year in range(2014, 2025)]
    (folder / "harvest-of-apples.csv").write_text("\n".join(["year,harvest of apples (t)", *rows]) + "\n")
    cause = chance.choice(CAUSES)
    (folder / "pears.md").write_text(f"# Pears\n\nThe blossom of the pear trees was destroyed by {cause} in April.\n")
    keeper = chance.choice(("Ms Okoro", "Mr Lindqvist", "Ms Tanaka"))
    (folder / "bees.md").write_text(
        f"# Bees\n\n{keeper} looks after the bees. The hives stand behind the drying barn near the southern wall.\n"
    )
    name = chance.choice(("Marlow", "Hollin", "Perrin"))
    (folder / "cider.txt").write_text(
        f"The orchard at {name} supplies the cider press with windfall apples each autumn.\n"
    )
    return folder
