"""Folders nobody prepared: any mix of formats, nested, with names and texts in other letters."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path

import docx
import openpyxl
import pytest

WORDS = {
    "de": "Der Umsatz der Gärtnerei stieg im Jahr 2021, weil zwei neue Gewächshäuser eröffnet wurden.",
    "el": "Το θερμοκήπιο άνοιξε το 2021 και παράγει ντομάτες όλο τον χρόνο.",
    "ja": "温室は2021年に開業し、一年中トマトを生産しています。",
    "ar": "افتتحت الدفيئة في عام 2021 وتنتج الطماطم على مدار السنة.",
    "en": "The glasshouse at Marlow grows tomatoes all year round because its heat comes from the brewery next door.",
}


def _folder(root: Path, seed: int) -> tuple[Path, dict[int, int]]:
    chance = random.Random(seed)
    folder = root / f"Unterlagen {seed} 📂" / "δεύτερο επίπεδο"
    folder.mkdir(parents=True)
    for language, text in WORDS.items():
        suffix = chance.choice([".txt", ".md", ".html"])
        body = f"<html><body><p>{text}</p></body></html>" if suffix == ".html" else text + "\n"
        (folder / f"notes {language} ✂{suffix}").write_text(body, encoding="utf-8")
    letter = docx.Document()
    letter.add_heading("Glasshouse", 1)
    letter.add_paragraph(WORDS["en"])
    letter.save(str(folder / "письмо.docx"))
    sales = {year: chance.randrange(1000, 9000) for year in range(2015, 2024)}
    if seed % 2:
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.title = "Umsatz"
        sheet.append(["Year", "Tomatoes sold (kg)", "Cucumbers sold (kg)"])
        for year, amount in sales.items():
            sheet.append([year, amount, chance.randrange(1000)])
        book.save(folder / "売上.xlsx")
    else:
        with (folder / "ventas año.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, delimiter=";")
            rows.writerow(["Year", "Tomatoes sold (kg)", "Cucumbers sold (kg)"])
            rows.writerows([year, amount, chance.randrange(1000)] for year, amount in sales.items())
    return folder.parent, sales


@pytest.mark.parametrize("seed", range(4))
def test_a_trend_and_a_cause_in_an_unseen_folder(seed: int, tmp_path: Path, environment: dict[str, str]) -> None:
    folder, sales = _folder(tmp_path, seed)
    question = (
        "How did the tomatoes sold change between 2015 and 2023, and why does the glasshouse grow tomatoes all year?"
    )
    asked = subprocess.run(
        [sys.executable, "-m", "deepresearch", "query", question, "--sources", str(folder), "--json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    report = json.loads(asked.stdout)
    computed = next(claim["text"] for claim in report["claims"] if claim["run_id"])
    change = (sales[2023] / sales[2015] - 1) * 100
    assert f"{'+' if change >= 0 else '−'}{abs(change):.1f} %" in computed.replace(",", "")
    assert report["figures"]
    assert any("brewery next door" in claim["text"] for claim in report["claims"])
    session = report["session_id"]
    shown = subprocess.run(
        [sys.executable, "-m", "deepresearch", "sessions", "show", session, "--json"],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    texts = json.loads(shown.stdout)["texts"]
    for claim in report["claims"]:
        for citation in claim["citations"]:
            assert texts[citation["sha256"]][citation["start"] : citation["end"]] == citation["quote"]
            assert Path(citation["source"]).is_file()
