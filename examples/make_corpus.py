"""Write the binary documents of the example corpus (PDF, DOCX, XLSX, PPTX).

The finished files are committed, so nobody needs this to use the examples. It is kept so that a figure can be
corrected in one place. It wants four libraries, best in an environment of their own::

    python -m venv /tmp/corpus && /tmp/corpus/bin/pip install reportlab openpyxl python-docx python-pptx
    /tmp/corpus/bin/python examples/make_corpus.py

The bytes are the same on every run with the same versions of the libraries: dates are fixed, and the ZIP
containers of the office formats are packed again with one fixed time.
"""

from __future__ import annotations

import io
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import docx
import openpyxl
import pptx
from openpyxl.styles import Font
from pptx.util import Inches
from reportlab.lib import colors  # type: ignore[import-untyped,import-not-found,unused-ignore]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped,import-not-found,unused-ignore]
from reportlab.lib.styles import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    getSampleStyleSheet,
)
from reportlab.lib.units import cm  # type: ignore[import-untyped,import-not-found,unused-ignore]
from reportlab.platypus import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

CORPUS = Path(__file__).resolve().parent / "corpus"
LINE = "Tervane Sound Ferries"

FUEL_TONNES = {
    2014: 9820, 2015: 9760, 2016: 9690, 2017: 9540, 2018: 9410, 2019: 9180,
    2020: 7240, 2021: 7610, 2022: 7430, 2023: 6620, 2024: 5870,
}  # fmt: skip
CO2_PER_TONNE = 3.206
SHORE_POWER_MWH = {2022: 410, 2023: 1960, 2024: 3240}

FINANCE = [
    ("Year", "Revenue", "Fuel", "Crew", "Maintenance", "Other", "Total costs", "Result"),
    ("2017", "26.1", "4.6", "11.8", "3.9", "4.4", "24.7", "1.4"),
    ("2018", "27.0", "5.3", "12.1", "4.1", "4.5", "26.0", "1.0"),
    ("2019", "27.9", "5.0", "12.5", "4.2", "4.7", "26.4", "1.5"),
    ("2020", "15.2", "2.8", "11.4", "3.6", "4.2", "22.0", "-6.8"),
    ("2021", "20.8", "4.3", "11.9", "4.0", "4.3", "24.5", "-3.7"),
    ("2022", "28.4", "7.5", "12.8", "4.4", "4.6", "29.3", "-0.9"),
    ("2023", "31.2", "5.6", "13.6", "4.7", "5.0", "28.9", "2.3"),
    ("2024", "32.6", "4.6", "14.2", "4.3", "5.2", "28.3", "4.3"),
]

FLEET = [
    ("Vessel", "Built", "Passengers", "Cars", "Propulsion", "Usual route"),
    ("MV Osmer", 2008, 450, 72, "diesel-battery hybrid (since 2024)", "Hallin–Osmer"),
    ("MV Great Wick", 2004, 380, 58, "diesel-electric", "Hallin–Great Wick"),
    ("MV Stravan", 1998, 320, 44, "diesel", "Great Wick–Stravan"),
    ("MV Curlew", 2012, 280, 38, "diesel", "relief on all routes"),
    ("MV Heather II", 1987, 210, 24, "diesel", "reserve, summer extra sailings"),
    ("MV Lark", 2019, 150, 0, "battery-electric", "Hallin–Osmer, passengers only"),
]

# One list per page; a string is a paragraph ("# " begins a heading), a list of rows is a table.
Block = str | Sequence[Sequence[str]]

ANNUAL_REPORT: list[list[Block]] = [
    [
        "# Annual report 2024",
        "Tervane Sound Ferries, Hallin. Adopted by the board on 20 March 2025.",
        "# Letter of the chair",
        "Dear members, this was the year in which the Osmer came home. For the first time we "
        "carried more passengers than before the pandemic, and we did it with more than a third "
        "less fuel than then.",
        "Not everything went well. The tender for the conversion of the MV Great Wick brought only "
        "one offer, and we have decided to repeat it. The lift in the Hallin terminal was out of "
        "order for seven weeks, which is six and a half weeks too long. I apologise to everybody "
        "who had to be carried.",
        "I thank the crews, who have learned a new ship, and the members who came to the evening in "
        "January in such numbers that we ran out of chairs.",
        "Astrid Berrin, chair of the board",
    ],
    [
        "# 1. Traffic",
        "In 2024 Tervane Sound Ferries carried 1,268,400 passengers, 3.0 % more than in the year "
        "before. The number of vehicles rose to 223,700 and the number of bicycles to 48,300.",
        "Of 18,240 planned sailings 331 were cancelled, or 1.8 %, the lowest share since the count "
        "began in 2014. Of the cancellations 248 were caused by weather, 52 by technical faults and "
        "31 by missing crew.",
        "Table 1. Passengers by route in 2024",
        [
            ("Route", "Passengers", "Share"),
            ("Hallin–Osmer", "641,700", "50.6 %"),
            ("Hallin–Great Wick", "489,200", "38.6 %"),
            ("Great Wick–Stravan", "137,500", "10.8 %"),
        ],
        "The busiest day was Saturday, 20 July 2024, with 8,914 passengers. The quietest was 24 "
        "January, when a storm left one return sailing and 61 passengers.",
    ],
    [
        "# 2. Fleet",
        "The MV Osmer returned to service on 12 February 2024 after five months at the Lindvik "
        "yard. Her battery holds 2.6 MWh and is charged at Hallin in 18 minutes between two "
        "sailings.",
        "The vessels were available on 96.8 % of the days on which they were needed. The longest "
        "outage was that of the MV Stravan, which lost 23 days in October to a cracked propeller "
        "blade.",
        "The MV Heather II, built in 1987, will be withdrawn at the end of the summer of 2026. The "
        "board has not yet decided whether she will be replaced.",
        "Since November 2024 all hulls are cleaned every six months by a remotely operated crawler "
        "instead of once a year in dry dock.",
    ],
    [
        "# 3. Energy and emissions",
        "The fleet burned 5,870 tonnes of marine gas oil in 2024, which is 750 tonnes less than in "
        "2023. Emissions of CO2 fell to 18,819 tonnes, 36 % below the level of 2019.",
        "Fuel consumption fell in 2024 mainly because the MV Osmer sailed as a hybrid for almost "
        "eleven months. Of the 750 tonnes saved, 560 are due to her conversion, 130 to slow "
        "steaming and 60 to cleaner hulls.",
        "The target of the Emissions Reduction Policy, version 2.0, is a reduction of 55 % by 2030 "
        "against 2019. The board expects to reach it in 2029, provided that the MV Great Wick is "
        "converted by 2027.",
        "The ferries took 3,240 MWh of electricity from the shore, up from 1,960 MWh in 2023. The "
        "increase is due to the charging of the MV Osmer.",
    ],
    [
        "# 4. Finances",
        "Revenue was 32.6 million euros and operating costs were 28.3 million euros, which leaves a "
        "result of 4.3 million euros. Fuel cost 4.6 million euros, the lowest amount since 2021.",
        "Table 2. Revenue and operating costs, 2017 to 2024 (million EUR)",
        FINANCE,
        "The loan for the conversion of the MV Osmer stood at 4.9 million euros at the end of the "
        "year. It will be repaid by 2034.",
        "The regional council paid 5.2 million euros for the discount granted to residents. This "
        "sum is part of revenue.",
    ],
    [
        "# 5. People",
        "At the end of 2024 the cooperative employed 214 people, seven more than a year earlier. "
        "Fourteen apprentices were in training, a record.",
        "There were nine accidents with lost working time, after twelve in 2023. None was grave. "
        "The most frequent cause was slipping on wet vehicle decks.",
        "# 6. Outlook",
        "Shore power at Great Wick is planned for the end of 2026. The repeated tender for the "
        "conversion of the MV Great Wick closes on 30 September 2025; the budget is 11.8 million "
        "euros.",
        "For 2025 the board expects about 1.29 million passengers. It regards a shortage of "
        "engineers as the greatest risk: five of the sixteen chief engineers will retire before "
        "2028.",
    ],
]

SHORE_POWER_STUDY: list[list[Block]] = [
    [
        "# Shore power at Hallin: feasibility study",
        "Kestrel Harbour Engineers for Tervane Sound Ferries, 9 March 2020",
        "# Summary",
        "Ferries that lie overnight in Hallin run their auxiliary engines for light, heating and "
        "pumps. A supply from the shore at berths 1 and 2 would replace about 95 % of this use.",
        "We estimate an investment of 2.1 million euros and a saving of 310 tonnes of marine gas "
        "oil a year once all vessels are equipped. We recommend going ahead.",
    ],
    [
        "# 1. Demand at the berths",
        "The measurements were made on 21 nights between November 2019 and January 2020.",
        "Table 1. Mean electrical load at night",
        [
            ("Vessel", "Load at night (kW)", "Hours a night"),
            ("MV Osmer", "118", "7.5"),
            ("MV Great Wick", "104", "7.0"),
            ("MV Curlew", "83", "8.0"),
            ("MV Heather II", "46", "9.0"),
        ],
        "The highest load was 412 kW, on a night of minus 11 degrees with four vessels alongside. "
        "We therefore propose a connection of 600 kW for the two berths.",
    ],
    [
        "# 2. What it costs",
        "Table 2. Estimated investment (thousand EUR)",
        [
            ("Item", "Amount"),
            ("Transformer and switchgear", "690"),
            ("Cables and trenching", "540"),
            ("Berth equipment", "410"),
            ("Conversion of four vessels", "280"),
            ("Design and approval", "180"),
            ("Total", "2,100"),
        ],
        "At the prices of 2020 the supply pays for itself in eleven years. Should marine gas oil "
        "cost more than 800 euros a tonne, it pays for itself in less than seven.",
    ],
    [
        "# 3. Risks and recommendation",
        "The greatest risk is the capacity of the town grid. The network operator can grant 600 kW "
        "from 2021; more would need a new line from the substation at Arkell Hill.",
        "Noise at the quay would fall from 61 to 47 decibels at night. For the eleven households in "
        "Quay Lane this may matter more than the fuel.",
        "We recommend building both berths at once, because trenching twice would cost an additional 160,000 euros.",
    ],
]


def main() -> None:
    """Write every binary document of the corpus into its place."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    documents = {
        "annual-reports/annual-report-2024.pdf": _pdf(ANNUAL_REPORT, "Annual report 2024", datetime(2025, 3, 20)),
        "studies/shore-power-feasibility-study.pdf": _pdf(
            SHORE_POWER_STUDY, "Shore power at Hallin: feasibility study", datetime(2020, 3, 9)
        ),
        "figures/fuel-and-emissions.xlsx": _fuel_and_emissions(),
        "fleet/fleet-register.xlsx": _fleet_register(),
        "fleet/mv-osmer-hybrid-conversion.docx": _osmer_conversion(),
        "policies/dogs-bicycles-and-luggage.docx": _luggage_rules(),
        "letters/harbour-authority-2024-02-26.docx": _harbour_letter(),
        "slides/members-evening-2025.pptx": _members_evening(),
    }
    for name, content in documents.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{len(content):>8}  {name}")


def _pdf(pages: list[list[Block]], title: str, date: datetime) -> bytes:
    os.environ["SOURCE_DATE_EPOCH"] = str(int(date.replace(tzinfo=UTC).timestamp()))
    styles = getSampleStyleSheet()
    body, heading = styles["BodyText"], styles["Heading1"]
    body.fontSize, body.leading, body.spaceAfter = 10.5, 15, 8
    story: list[object] = []
    for page in pages:
        for block in page:
            if isinstance(block, str):
                is_heading = block.startswith("# ")
                story.append(Paragraph(block.removeprefix("# "), heading if is_heading else body))
            else:
                table = Table([list(row) for row in block], hAlign="LEFT", repeatRows=1)
                table.setStyle(
                    TableStyle(
                        [
                            ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                            ("FONTSIZE", (0, 0), (-1, -1), 9),
                            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                            ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
                        ]
                    )
                )
                story += [table, Spacer(1, 10)]
        story.append(PageBreak())

    def footer(canvas: object, template: object) -> None:
        canvas.setFont("Helvetica", 8)  # type: ignore[attr-defined]
        text = f"{LINE} · {title} · page {template.page}"  # type: ignore[attr-defined]
        canvas.drawString(2.5 * cm, 1.4 * cm, text)  # type: ignore[attr-defined]

    buffer = io.BytesIO()
    template = SimpleDocTemplate(
        buffer, pagesize=A4, title=title, author=LINE, leftMargin=2.5 * cm, rightMargin=2.5 * cm
    )
    template.build(story, onFirstPage=footer, onLaterPages=footer)
    return buffer.getvalue()


def _fuel_and_emissions() -> bytes:
    book = openpyxl.Workbook()
    fuel = book.active
    assert fuel is not None
    fuel.title = "Fuel and CO2"
    fuel.append([f"{LINE}: fuel and CO2 emissions of the fleet"])
    fuel.append([])
    fuel.append(["Year", "Marine gas oil (tonnes)", "CO2 emissions (tonnes)"])
    for year, tonnes in FUEL_TONNES.items():
        fuel.append([year, tonnes, round(tonnes * CO2_PER_TONNE)])
    shore = book.create_sheet("Shore power")
    shore.append(["Year", "Electricity from the shore (MWh)"])
    for year, megawatt_hours in SHORE_POWER_MWH.items():
        shore.append([year, megawatt_hours])
    notes = book.create_sheet("Notes")
    notes.append([f"CO2 is calculated from fuel: {CO2_PER_TONNE} tonnes per tonne of marine gas oil."])
    notes.append(["Fuel of chartered vessels is included from 2016. There were none before."])
    for sheet in (fuel, shore):
        sheet.column_dimensions["B"].width = sheet.column_dimensions["C"].width = 26
        for row in sheet.iter_rows(min_col=2, max_col=3):
            for cell in row:
                cell.number_format = "#,##0"
    fuel["A1"].font = Font(bold=True, size=13)
    return _workbook_bytes(book, "Fuel and CO2 emissions", datetime(2025, 2, 14))


def _fleet_register() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Register"
    for row in FLEET:
        sheet.append(list(row))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    return _workbook_bytes(book, "Fleet register", datetime(2025, 1, 7))


def _workbook_bytes(book: openpyxl.Workbook, title: str, date: datetime) -> bytes:
    book.properties.title, book.properties.creator, book.properties.created = title, LINE, date
    buffer = io.BytesIO()
    book.save(buffer)
    return _packed_again(buffer.getvalue(), date)


def _osmer_conversion() -> bytes:
    text = docx.Document()
    text.add_heading("Hybrid conversion of the MV Osmer: closing report", 0)
    text.add_paragraph("Fleet department, 30 May 2024")
    text.add_heading("Why she was converted", 1)
    text.add_paragraph(
        "The MV Osmer was chosen because she burned more fuel than any other vessel of the fleet, "
        "almost a third of the total, and because her route is short enough for a battery."
    )
    text.add_heading("What it cost", 1)
    text.add_paragraph(
        "The conversion cost 9.4 million euros, exactly the sum the board had approved. The reserve "
        "was used up by asbestos found behind the panels of the crew mess."
    )
    costs = text.add_table(rows=0, cols=2)
    costs.style = "Table Grid"
    for item, amount in (
        ("Item", "Million EUR"),
        ("Battery and power electronics", "3.1"),
        ("Work at the yard", "3.4"),
        ("Charging station in Hallin", "1.9"),
        ("Design and classification", "0.6"),
        ("Reserve (asbestos)", "0.4"),
        ("Total", "9.4"),
    ):
        cells = costs.add_row().cells
        cells[0].text, cells[1].text = item, amount
    text.add_heading("What it brings", 1)
    text.add_paragraph(
        "In the first three months the vessel burned 58 % less fuel per round trip than before. "
        "Over a full year the saving should come to about 620 tonnes of marine gas oil."
    )
    text.add_paragraph(
        "The work took 158 days instead of the 120 that had been planned, because the switchboard "
        "was delivered six weeks late. The yard paid a penalty of 190,000 euros."
    )
    return _docx_bytes(text, "Hybrid conversion of the MV Osmer: closing report", datetime(2024, 5, 30))


def _luggage_rules() -> bytes:
    text = docx.Document()
    text.add_heading("Dogs, bicycles and luggage", 0)
    text.add_paragraph("Valid from 1 April 2023")
    for rule in (
        "Dogs travel free of charge and are kept on a lead. They may enter all decks except the café.",
        "A bicycle costs 3.50 euros a crossing. Tandems and cargo bicycles count as two bicycles.",
        "Every passenger may bring three pieces of luggage of up to 30 kg each.",
        "Electric scooters are carried only with the battery switched off; they may not be charged on board.",
        "Coffins and beehives are announced at the terminal a day ahead.",
    ):
        text.add_paragraph(rule, style="List Number")
    return _docx_bytes(text, "Dogs, bicycles and luggage", datetime(2023, 4, 1))


def _harbour_letter() -> bytes:
    text = docx.Document()
    text.add_paragraph("Hallin Harbour Authority")
    text.add_paragraph("26 February 2024")
    text.add_paragraph(f"To {LINE}, Quay 1, Hallin")
    text.add_heading("Passenger dues for 2023", 1)
    text.add_paragraph(
        "In 2023 Tervane Sound Ferries carried 1,274,000 passengers. The figure comes from the "
        "counters at the gates of the terminal and of the island piers and is the basis of the "
        "dues."
    )
    text.add_paragraph(
        "At 0.42 euros a passenger the dues amount to 535,080 euros. Please transfer the sum by 31 March 2024."
    )
    text.add_paragraph(
        "We know that you count scanned tickets and arrive at less. Children under 6, who need no "
        "ticket, and crew walking through the gates may explain part of the difference."
    )
    return _docx_bytes(text, "Passenger dues for 2023", datetime(2024, 2, 26))


def _docx_bytes(text: docx.document.Document, title: str, date: datetime) -> bytes:
    properties = text.core_properties
    properties.title, properties.author, properties.comments = title, LINE, ""
    properties.created = properties.modified = date
    buffer = io.BytesIO()
    text.save(buffer)
    return _packed_again(buffer.getvalue(), date)


def _members_evening() -> bytes:
    deck = pptx.Presentation()
    slides = (
        ("Members' evening", ["Hallin terminal, 24 January 2025"]),
        ("What passengers say", [
            "86 % of passengers are satisfied or very satisfied (survey of October 2024, 1,940 "
            "answers)",
            "Most frequent wish: later sailings on Friday and Saturday",
            "Most frequent complaint: the lift in the Hallin terminal",
        ]),
        ("What comes next", [
            "From 1 May 2025 a late sailing leaves Hallin for Osmer at 23:15 on Fridays and "
            "Saturdays",
            "Contactless payment on all vessels from the autumn of 2025",
            "New tender for the conversion of the MV Great Wick",
        ]),
    )  # fmt: skip
    for title, lines in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        assert slide.shapes.title is not None
        slide.shapes.title.text = title
        frame = slide.shapes.add_textbox(Inches(0.8), Inches(2), Inches(8.4), Inches(4)).text_frame
        frame.word_wrap = True
        frame.text = lines[0]
        for line in lines[1:]:
            frame.add_paragraph().text = line
    date = datetime(2025, 1, 24)
    properties = deck.core_properties
    properties.title, properties.author = "Members' evening 2025", LINE
    properties.created = properties.modified = date
    buffer = io.BytesIO()
    deck.save(buffer)
    return _packed_again(buffer.getvalue(), date)


def _packed_again(content: bytes, date: datetime) -> bytes:
    """Give every entry one fixed time, and the core properties the document's own date."""
    stamp = f"{date:%Y-%m-%dT00:00:00Z}".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            part = old.read(entry)
            if entry.filename == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
            fixed = zipfile.ZipInfo(entry.filename, date_time=(1980, 1, 1, 0, 0, 0))
            fixed.compress_type = zipfile.ZIP_DEFLATED
            fixed.external_attr = 0o644 << 16
            new.writestr(fixed, part)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
