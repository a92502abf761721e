"""Hand-built reports over the example corpus and over hostile texts."""

from __future__ import annotations

import hashlib
from pathlib import Path

from deepresearch.model.evidence import Claim, Conflict, Quote, Support, SupportCheck
from deepresearch.model.mathematics import DataPoint, Figure, MathStatus, MathSummary, Series
from deepresearch.model.plan import QuestionType, SubQuestion
from deepresearch.model.report import Report, ReportStatus, ScriptRecord, SourceEntry, Usage

FUEL = {
    2014: 9820, 2015: 9760, 2016: 9690, 2017: 9540, 2018: 9410, 2019: 9180,
    2020: 7240, 2021: 7610, 2022: 7430, 2023: 6620, 2024: 5870,
}  # fmt: skip
EMISSIONS = {year: round(fuel * 3.206) for year, fuel in FUEL.items()}

_SHEET = (
    "Tervane Sound Ferries: fuel and CO2 emissions of the fleet\nYear\tMarine gas oil (tonnes)\tCO2 "
    "emissions (tonnes)\n" + "\n".join(f"{year}\t{FUEL[year]}\t{EMISSIONS[year]}" for year in FUEL)
)
_REPORT_2024 = (
    "1. Traffic\nOf 18,240 planned sailings 331 were cancelled, or 1.8 %, the lowest share since "
    "the count began in 2014. The busiest day was Saturday, 20 July 2024, with 8,914 "
    "passengers.\n3. Energy and emissions\nThe fleet burned 5,870 tonnes of marine gas oil in 2024, "
    "which is 750 tonnes less than in 2023. Emissions of CO2 fell to 18,819 tonnes, 36 % below the "
    "level of 2019.\nFuel consumption fell in 2024 mainly because the MV Osmer sailed as a hybrid "
    "for almost eleven months. Of the 750 tonnes saved, 560 are due to her conversion, 130 to slow "
    "steaming and 60 to cleaner hulls.\nThe target of the Emissions Reduction Policy, version 2.0, "
    "is a reduction of 55 % by 2030 against 2019. The board expects to reach it in 2029, provided "
    "that the MV Great Wick is converted by 2027."
)
_SUMMARY_2023 = (
    "Annual report 2023: the year in brief\nTraffic\nIn 2023 Tervane Sound Ferries carried "
    "1,231,500 passengers. The figure counts the tickets scanned on board.\nEmissions\nFuel "
    "consumption fell from 7,430 tonnes in 2022 to 6,620 tonnes in 2023. The fall had two causes: "
    "slow steaming on the Great Wick–Stravan route, and a full year of shore power at Hallin."
)
_LETTER = (
    "Hallin Harbour Authority\n26 February 2024\nIn 2023 Tervane Sound Ferries carried 1,274,000 "
    "passengers. The figure comes from the counters at the gates of the terminal and of the island "
    "piers and is the basis of the dues."
)
_POLICY_1 = (
    "# Emissions Reduction Policy\n\n**Version 1.0**\nTervane Sound Ferries will reduce its CO2 "
    "emissions by 40 % by 2030, measured against the level of 2019."
)
_POLICY_2 = (
    "# Emissions Reduction Policy\n\n**Version 2.0**\n\nTervane Sound Ferries will reduce its CO2 "
    "emissions by 55 % by 2030, measured against the level of 2019. The fleet is to be free of "
    "fossil fuel by 2040."
)

FOLDER = "/home/elin/Documents/ferries"


class Shelf:
    """Documents by hash, as the store keeps them, with the sources of a report."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._rows: list[tuple[str, str, str, str, str | None, str | None, str | None]] = []
        self._sha: dict[str, str] = {}

    def add(
        self,
        source: str,
        text: str,
        title: str,
        media_type: str = "text/plain",
        date: str | None = None,
        version: str | None = None,
        superseded_by: str | None = None,
    ) -> None:
        sha256 = hashlib.sha256(f"{source}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
        self.texts[sha256] = text
        self._sha[source] = sha256
        self._rows.append((source, sha256, title, media_type, date, version, superseded_by))

    def quote(self, source: str, words: str, page: int | None = None, after: int = 0) -> Quote:
        sha256 = self._sha[source]
        start = self.texts[sha256].index(words, after)
        return Quote(source=source, sha256=sha256, page=page, start=start, end=start + len(words), quote=words)

    def entries(self, claims: tuple[Claim, ...]) -> tuple[SourceEntry, ...]:
        cited = [quote.sha256 for claim in claims for quote in claim.citations]
        return tuple(
            SourceEntry(
                source=source, sha256=sha256, title=title, media_type=media_type, date=date, version=version,
                citations=cited.count(sha256), superseded_by=superseded_by,
            )
            for source, sha256, title, media_type, date, version, superseded_by in self._rows
        )  # fmt: skip


def claim(
    identifier: str,
    text: str,
    part: str,
    quotes: tuple[Quote, ...],
    support: Support = Support.SUPPORTED,
    confidence: float = 0.94,
    run_id: str | None = None,
    missing: tuple[str, ...] = (),
) -> Claim:
    check = SupportCheck(support=support, score=confidence, features={}, missing=missing) if missing else None
    return Claim(
        id=identifier, text=text, sub_question=part, support=support, confidence=confidence, citations=quotes,
        run_id=run_id, check=check,
    )  # fmt: skip


def part(identifier: str, text: str, kind: QuestionType = QuestionType.FACT) -> SubQuestion:
    return SubQuestion(id=identifier, text=text, type=kind, queries=(text,), terms=())


SCRIPT = '''"""Change and chart of a series."""
import csv, json
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

with open("series-1.csv", encoding="utf-8") as file:
    rows = [(row["label"], float(row["value"])) for row in csv.DictReader(file)]

first, last = rows[0][1], rows[-1][1]
print(json.dumps({
    "first": first,
    "last": last,
    "change": last - first,
    "change_percent": round(100 * (last - first) / first, 1),  # of the first value
}))

figure, axes = plt.subplots(figsize=(7.2, 4.0))
axes.plot([label for label, _ in rows], [value for _, value in rows], marker="o")
axes.set_ylabel("CO2 emissions (tonnes)")
axes.set_ylim(bottom=0)
figure.savefig("chart.svg")
'''


def chart() -> bytes:
    """Draw the emissions as a plain SVG, as a run would."""
    width, height, left, bottom = 720, 380, 70, 330
    years = list(EMISSIONS)
    top = 35000
    points = [(left + number * 62, bottom - 290 * EMISSIONS[year] / top) for number, year in enumerate(years)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="13" fill="#333">'
    ]
    for value in range(0, top + 1, 5000):
        y = bottom - 290 * value / top
        parts.append(
            f'<path d="M{left} {y:.1f}H{width - 20}" stroke="#ddd"/>'
            f'<text x="{left - 10}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>'
        )
    for (x, _), year in zip(points, years, strict=True):
        parts.append(f'<text x="{x}" y="{bottom + 22}" text-anchor="middle">{year}</text>')
    line = " ".join(f"{x},{y:.1f}" for x, y in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0a6069" stroke-width="2.5"/>')
    parts += [f'<circle cx="{x}" cy="{y:.1f}" r="4" fill="#0a6069"/>' for x, y in points]
    parts.append(f'<text x="{left}" y="22">CO2 emissions (tonnes)</text></svg>')
    return "".join(parts).encode()


def ferry_report() -> tuple[Report, dict[str, str], dict[str, bytes]]:
    """A report as a session over the example corpus would hand it over, with its texts and artefacts."""
    shelf = Shelf()
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    sheet, annual = (
        f"{FOLDER}/figures/fuel-and-emissions.xlsx",
        f"{FOLDER}/annual-reports/annual-report-2024.pdf",
    )
    summary = f"{FOLDER}/annual-reports/annual-report-2023-summary.html"
    letter = f"{FOLDER}/letters/harbour-authority-2024-02-26.docx"
    old, new = (f"{FOLDER}/policies/emissions-reduction-policy-v{number}.md" for number in (1, 2))
    shelf.add(annual, _REPORT_2024, "Annual report 2024", "application/pdf", "2025-03-20")
    shelf.add(sheet, _SHEET, "Fuel and CO2 emissions", xlsx, "2025-02-14")
    shelf.add(summary, _SUMMARY_2023, "Annual report 2023: the year in brief", "text/html", "2024-04-18")
    shelf.add(letter, _LETTER, "Passenger dues for 2023", docx, "2024-02-26")
    shelf.add(new, _POLICY_2, "Emissions Reduction Policy", "text/markdown", "2023-03-14", "2.0")
    shelf.add(old, _POLICY_1, "Emissions Reduction Policy", "text/markdown", "2019-06-11", "1.0", new)
    run = "run-7f3a9c21"
    points = tuple(
        DataPoint(
            label=str(year),
            value=float(value),
            quote=shelf.quote(sheet, str(value), 1, after=_SHEET.index(f"\n{year}\t")),
        )
        for year, value in EMISSIONS.items()
    )
    claims = (
        claim(
            "C1",
            "From 2014 to 2024 the CO2 emissions (tonnes) fell by 40.2 %, from 31,483 to 18,819.",
            "S1",
            (points[0].quote, points[-1].quote),
            confidence=0.98,
            run_id=run,
        ),
        claim(
            "C2",
            "Emissions of CO2 fell to 18,819 tonnes, 36 % below the level of 2019.",
            "S1",
            (shelf.quote(annual, "Emissions of CO2 fell to 18,819 tonnes, 36 % below the level of 2019.", 4),),
        ),
        claim(
            "C3",
            "Fuel consumption fell in 2024 mainly because the MV Osmer sailed as a hybrid for almost eleven months.",
            "S2",
            (
                shelf.quote(
                    annual,
                    "Fuel consumption fell in 2024 mainly because the MV Osmer sailed as a hybrid "
                    "for almost eleven months.",
                    4,
                ),
                shelf.quote(annual, "Of the 750 tonnes saved, 560 are due to her conversion", 4),
            ),
        ),
        claim(
            "C4",
            "The fall of 2023 had two causes: slow steaming, and a full year of shore power at Hallin.",
            "S2",
            (
                shelf.quote(
                    summary,
                    "The fall had two causes: slow steaming on the Great Wick–Stravan route, and a "
                    "full year of shore power at Hallin.",
                ),
            ),
            Support.PARTIAL,
            0.71,
            missing=("2023",),
        ),
        claim(
            "C5",
            "Tervane Sound Ferries will reduce its CO2 emissions by 55 % by 2030, measured against the level of 2019.",
            "S3",
            (
                shelf.quote(
                    new,
                    "Tervane Sound Ferries will reduce its CO2 emissions by 55 % by 2030, measured "
                    "against the level of 2019.",
                ),
            ),
        ),
        claim(
            "C6",
            "Tervane Sound Ferries will reduce its CO2 emissions by 40 % by 2030, measured against the level of 2019.",
            "S3",
            (
                shelf.quote(
                    old,
                    "Tervane Sound Ferries will reduce its CO2 emissions by 40 % by 2030, measured "
                    "against the level of 2019.",
                ),
            ),
            Support.UNDECIDED,
            0.5,
        ),
        claim(
            "C7",
            "In 2023 Tervane Sound Ferries carried 1,231,500 passengers.",
            "S4",
            (shelf.quote(summary, "In 2023 Tervane Sound Ferries carried 1,231,500 passengers."),),
        ),
        claim(
            "C8",
            "In 2023 Tervane Sound Ferries carried 1,274,000 passengers.",
            "S4",
            (shelf.quote(letter, "In 2023 Tervane Sound Ferries carried 1,274,000 passengers."),),
        ),
    )
    picture = chart()
    title = "CO2 emissions of Tervane Sound Ferries, 2014 to 2024 (tonnes)"
    sha256 = hashlib.sha256(picture).hexdigest()
    report = Report(
        session_id="s-20261128-051850-4c1e",
        question="How did the CO2 emissions of Tervane Sound Ferries change between 2014 and 2024, and why?",
        status=ReportStatus.COMPLETED,
        team="extractive",
        answer="From 2014 to 2024 the CO2 emissions (tonnes) fell by 40.2 %, from 31,483 to 18,819. [C1] "
        "Fuel consumption fell in 2024 mainly because the MV Osmer sailed as a hybrid for almost eleven "
        "months. [C3] The year before, slow steaming and a full year of shore power at Hallin had "
        "brought it down. [C4, C2]",
        claims=claims,
        conflicts=(
            Conflict(
                claims=("C8", "C7"),
                kind="number",
                note="Two sources give different numbers of passengers for 2023: 1,231,500 and 1,274,000.",
            ),
        ),
        limits=(
            "“How large are the emissions of the buildings?” is not answered in these sources. "
            "Searched: emissions buildings; heating terminal; 24 documents.",
            "C4 rests on one source.",
            "emissions-reduction-policy-v1.md is superseded by emissions-reduction-policy-v2.md and "
            "is not counted as current.",
        ),
        figures=(Figure(path="chart.svg", title=title, run_id=run, media_type="image/svg+xml", sha256=sha256),),
        math=MathSummary(status=MathStatus.SUCCESS, alert_required=False, degradation_note="", runs=(run,)),
        usage=Usage(seconds=3.84),
        paths={},
        created_at="2026-11-28T05:18:50+00:00",
        sub_questions=(
            part("S1", "How did the CO2 emissions change between 2014 and 2024?", QuestionType.TREND),
            part("S2", "Why did they change?", QuestionType.CAUSE),
            part("S3", "What is the target for CO2 emissions?", QuestionType.QUANTITY),
            part("S4", "How many passengers were carried?", QuestionType.QUANTITY),
            part("S5", "How large are the emissions of the buildings?", QuestionType.QUANTITY),
        ),
        sources=shelf.entries(claims),
        scripts=(
            ScriptRecord(
                run_id=run,
                title="Change of CO2 emissions, 2014 to 2024",
                script=SCRIPT,
                files={
                    "series-1.csv": "label,value\n" + "".join(f"{year},{value}\n" for year, value in EMISSIONS.items())
                },
                series=(Series(name="CO2 emissions", unit="tonnes", axis="Year", points=points),),
                values={"first": 31483.0, "last": 18819.0, "change": -12664.0, "change_percent": -40.2},
            ),
        ),
    )
    return report, shelf.texts, {sha256: picture}


def show(folder: Path) -> Report:
    """Write the ferry report into a folder, to look at."""
    from deepresearch.report import write_reports

    report, texts, artefacts = ferry_report()
    return write_reports(report, texts, artefacts, folder)
