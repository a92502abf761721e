"""A made corpus of 200 documents with planted conflicts and superseded versions, among many that only look
alike.

The same seed makes the same corpus. Facts are written in several styles; most are repeated by other
documents with the same value written differently, and surrounded by near misses: another year, site, part
or quarter, forecasts, changes, rates, bounds, net and gross, percent beside points, earlier values in the
same sentence.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from deepresearch.evidence import Statement
from deepresearch.model.documents import Document

_FIRST = [
    "Harrow",
    "Belden",
    "Nordvik",
    "Elmvale",
    "Caster",
    "Thornby",
    "Ravensk",
    "Ostend",
    "Mirfield",
    "Aldwyn",
    "Kessel",
    "Brannock",
    "Lorne",
    "Vister",
    "Quill",
    "Tarrow",
]
_KINDS = ("Mill", "Harbour", "Hospital", "Museum", "Terminal", "Dairy", "Quarry", "Campus")
_YEARS = (2019, 2020, 2021, 2022, 2023)


@dataclass(frozen=True)
class _Attribute:
    key: str
    low: float
    high: float
    unit: str
    templates: tuple[str, ...]
    forecasts: tuple[str, ...]
    changes: tuple[str, ...]
    parts: tuple[str, ...]


_ATTRIBUTES = (
    _Attribute(
        "electricity",
        12,
        480,
        "GWh",
        (
            "{n} used {v} of electricity in {t}.",
            "In {t}, electricity consumption at {n} came to {v}.",
            "Electricity use at {n} stood at {v} in {t}, according to the operator.",
            "{n}: electricity consumption {t}, {v}.",
            "The meters of {n} show that {v} of electricity was consumed in {t}.",
        ),
        (
            "{n} is expected to use {v} of electricity in {t}.",
            "The budget for {t} assumed an electricity consumption of {v} at {n}.",
        ),
        (
            "Electricity consumption at {n} rose by {v} in {t}.",
            "In {t}, {n} used {v} less electricity than the year before.",
        ),
        (
            "The cold store of {n} used {v} of electricity in {t}.",
            "Peak electricity consumption at {n} was {v} in {t}.",
            "Unit 2 of {n} used {v} of electricity in {t}.",
        ),
    ),
    _Attribute(
        "staff",
        120,
        4800,
        "",
        (
            "{n} employed {v} people in {t}.",
            "In {t}, the workforce of {n} numbered {v} employees.",
            "Headcount at {n} was {v} employees in {t}.",
            "At {n}, {v} staff were employed in {t}.",
        ),
        ("{n} plans to employ {v} people in {t}.", "A workforce of {v} employees at {n} was targeted for {t}."),
        ("The workforce of {n} grew by {v} employees in {t}.", "{n} cut {v} jobs in {t}."),
        (
            "{n} employed {v} women in {t}.",
            "{n} employed {v} people part-time in {t}.",
            "The night shift of {n} employed {v} people in {t}.",
        ),
    ),
    _Attribute(
        "revenue",
        8,
        900,
        "EUR",
        (
            "{n} reported revenue of {v} for {t}.",
            "Sales of {n} reached {v} in {t}.",
            "In {t}, turnover at {n} totalled {v}.",
            "{n} closed {t} with revenues of {v}.",
        ),
        ("{n} forecasts revenue of {v} for {t}.", "Analysts had expected sales of {v} at {n} in {t}."),
        ("Revenue of {n} increased by {v} in {t}.", "In {t}, sales of {n} were {v} higher than the year before."),
        (
            "{n} reported net revenue of {v} for {t}.",
            "Export sales of {n} reached {v} in {t}.",
            "{n} reported revenue of {v} for the third quarter of {t}.",
        ),
    ),
    _Attribute(
        "visitors",
        9000,
        950000,
        "",
        (
            "{n} welcomed {v} visitors in {t}.",
            "In {t}, {v} guests visited {n}.",
            "Visitor numbers at {n} were {v} in {t}.",
        ),
        (
            "{n} hopes to welcome {v} visitors in {t}; the plan was approved in spring.",
            "Up to the board, {n} should welcome {v} visitors in {t}.",
        ),
        ("Visitor numbers at {n} rose by {v} in {t}.",),
        (
            "{n} welcomed {v} visitors from abroad in {t}.",
            "On average, {n} welcomed {v} visitors a month in {t}.",
            "{n} welcomed {v} visitors in the first half of {t}.",
        ),
    ),
    _Attribute(
        "emissions",
        3000,
        88000,
        "t",
        (
            "{n} emitted {v} of CO2 in {t}.",
            "CO2 emissions of {n} amounted to {v} in {t}.",
            "In {t}, the CO2 emissions of {n} were {v}.",
        ),
        ("CO2 emissions of {n} are projected to reach {v} in {t}.",),
        ("CO2 emissions of {n} fell by {v} in {t}.",),
        ("Indirect CO2 emissions of {n} amounted to {v} in {t}.", "The boilers of {n} emitted {v} of CO2 in {t}."),
    ),
    _Attribute(
        "occupancy",
        31,
        92,
        "%",
        (
            "Occupancy at {n} was {v} in {t}.",
            "In {t}, {n} recorded an occupancy of {v}.",
            "The occupancy rate of {n} stood at {v} in {t}.",
        ),
        ("{n} aims at an occupancy of {v} in {t}.",),
        ("Occupancy at {n} rose by {v} in {t}.",),
        ("Weekend occupancy at {n} was {v} in {t}.", "Occupancy at {n} was {v} in the summer of {t}."),
    ),
)
_FILLER = (
    "The board met twice in spring.",
    "Neighbours had asked for a fence along the lane.",
    "A new manager took over from her predecessor.",
    "Deliveries arrive before dawn and are unloaded by hand.",
    "The gates are open to the public on Sundays.",
    "Nothing else of note was decided.",
    "Work on the roof continued without interruption.",
    "Figures were checked by an outside accountant.",
    "See the annex for the method.",
)


@dataclass
class PlantedCorpus:
    """Documents, statements, the fact each of them gives, the planted conflicts and the superseded documents."""

    documents: list[Document] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    fact_of: dict[str, str] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)
    superseded: dict[str, str] = field(default_factory=dict)


def planted_corpus(seed: int, documents: int = 200) -> PlantedCorpus:
    """The corpus of a seed: about 30 conflicts and 15 superseded documents among `documents`."""
    return _Maker(seed).make(documents)


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.corpus = PlantedCorpus()
        names = [f"{first} {kind}" for first in _FIRST for kind in _KINDS]
        self.names = self.random.sample(names, 40)

    def make(self, documents: int) -> PlantedCorpus:
        self._versions()
        slots: list[list[tuple[str, str]]] = [[] for _ in range(documents - len(self.corpus.documents))]
        keys = [(n, a, t) for n in self.names for a in _ATTRIBUTES for t in _YEARS]
        chosen = self.random.sample(keys, 170)
        for index, (name, attribute, year) in enumerate(chosen):
            self._place_fact(slots, name, attribute, year, conflict=index < 26)
        for name in self.random.sample(self.names, 12):
            self._place_event(slots, name, conflict=self.random.random() < 0.5)
        for number, sentences in enumerate(slots):
            self._document(number, sentences)
        return self.corpus

    def _place_fact(
        self, slots: list[list[tuple[str, str]]], name: str, attribute: _Attribute, year: int, *, conflict: bool
    ) -> None:
        make, value = self.random, self.random.uniform(attribute.low, attribute.high)
        value = self._rounded(value, attribute)
        key = f"{name}|{attribute.key}|{year}"
        homes = make.sample(range(len(slots)), 8)
        templates = make.sample(attribute.templates, 3)
        others = [(t, self._same(value, attribute)) for t in templates[1 : make.choice((2, 3))]]
        told = [(templates[0], self._written(value, attribute)), *others]
        for home, (template, written) in zip(homes, told, strict=False):
            slots[home].append((template.format(n=name, v=written, t=year), key))
        if conflict:
            factor = make.choice((0.72, 0.83, 0.9, 1.12, 1.19, 1.31))
            wrong = self._rounded(value * factor, attribute)
            if attribute.unit == "%":
                wrong = min(99.0, wrong)
            template = make.choice(attribute.templates)
            slots[homes[4]].append((template.format(n=name, v=self._written(wrong, attribute), t=year), key))
            self.corpus.conflicts.add(key)
        if make.random() < 0.3:
            before = self._written(self._rounded(value * make.uniform(0.6, 1.5), attribute), attribute)
            again = make.choice(attribute.templates).format(n=name, v=self._written(value, attribute), t=year)
            slots[homes[3]].append((f"{again[:-1]}, up from {before} in {year - 1}.", key))
        for home, sentence in zip(homes[5:], self._near_misses(name, attribute, year, value), strict=False):
            slots[home].append((sentence, ""))

    def _near_misses(self, name: str, attribute: _Attribute, year: int, value: float) -> list[str]:
        make = self.random
        other_name = make.choice([n for n in self.names if n > name] or [f"{name} Annexe"])

        def near() -> str:
            return self._written(self._rounded(value * make.uniform(0.6, 1.5), attribute), attribute)

        small = self._written(self._rounded(value * make.uniform(0.04, 0.12), attribute), attribute)
        template = make.choice(attribute.templates)
        found = [
            make.choice(attribute.templates).format(n=name, v=near(), t=f"the second quarter of {year}"),
            make.choice(attribute.forecasts).format(n=name, v=near(), t=year),
            make.choice(attribute.changes).format(n=name, v=small, t=year),
            make.choice(attribute.parts).format(n=name, v=near(), t=year),
            f"Had the east gate stayed open, {template.format(n=name, v=near(), t=year)}"[:-1] + " instead.",
            f"Is it true that {template.format(n=name, v=near(), t=year)}"[:-1] + "?",
            template.format(n=f"the {make.choice(('north', 'south'))} wing of {name}", v=near(), t=year),
            template.format(n=f"{name} and {other_name} together", v=near(), t=year),
        ]
        if attribute.unit == "%":
            found.append(f"Occupancy at {name} rose by {make.randint(2, 9)} percentage points in {year}.")
        return make.sample(found, 3)

    def _place_event(self, slots: list[list[tuple[str, str]]], name: str, *, conflict: bool) -> None:
        make = self.random
        year, month = make.randint(1950, 2010), make.choice(("March", "June", "October"))
        key = f"{name}|opened"
        told = [
            f"{name} opened in {year}.",
            f"{name} was opened in {month} {year} by the mayor.",
            f"Founded earlier, {name} was opened in {year}.",
        ]
        homes = make.sample(range(len(slots)), 3)
        for home, sentence in zip(homes, told[: make.choice((1, 2))], strict=False):
            slots[home].append((sentence, key))
        if conflict:
            slots[homes[2]].append((f"{name} was opened in {year + make.choice((-9, -4, 3, 7))}.", key))
            self.corpus.conflicts.add(key)
        else:
            slots[homes[2]].append((f"{name} was rebuilt in {year + 12}.", ""))

    def _document(self, number: int, sentences: list[tuple[str, str]]) -> None:
        make = self.random
        lines = sentences + [(make.choice(_FILLER), "") for _ in range(make.randint(2, 5))]
        make.shuffle(lines)
        title = make.choice(
            (f"Notes {number}", f"Round-up no. {number}", f"Regional survey {number}", f"File {number}")
        )
        day = date(2024, 1, 1) + timedelta(days=make.randint(0, 500))
        text = title + "\n\n" + " ".join(sentence for sentence, _ in lines)
        document = _made(text, f"/planted/{number:03d}.md", title, day)
        self.corpus.documents.append(document)
        for sentence, key in lines:
            identity = f"S{len(self.corpus.statements) + 1}"
            self.corpus.statements.append(
                Statement(
                    id=identity, text=sentence, sha256=document.sha256, source=document.source, title=title, date=day
                )
            )
            if key:
                self.corpus.fact_of[identity] = key

    # How values are written

    def _rounded(self, value: float, attribute: _Attribute) -> float:
        if attribute.unit in ("GWh", "EUR", "%"):
            return round(value, 1)
        digits = 2 if value >= 20000 else 0
        return float(round(value / 10**digits) * 10**digits)

    def _written(self, value: float, attribute: _Attribute) -> str:
        if attribute.unit == "GWh":
            return self.random.choice((f"{value:.1f} GWh", f"{value * 1000:,.0f} MWh", f"{value:.1f} gigawatt-hours"))
        if attribute.unit == "EUR":
            return self.random.choice(
                (f"€{value:.1f} million", f"EUR {value:.1f} million", f"{value:.1f} million euros")
            )
        if attribute.unit == "t":
            return self.random.choice((f"{value:,.0f} tonnes", f"{value:,.0f} t", f"{value:,.0f} metric tons"))
        if attribute.unit == "%":
            return self.random.choice((f"{value:.1f} %", f"{value:.1f} percent", f"{value:.1f}%"))
        return f"{value:,.0f}"

    def _same(self, value: float, attribute: _Attribute) -> str:
        """The same value written exactly, rounded, with ``about``, or as a bound that holds it."""
        make = self.random
        exact = self._written(value, attribute)
        if attribute.unit in ("GWh", "EUR", "%"):
            unit = {"GWh": " GWh", "EUR": " million euros", "%": " percent"}[attribute.unit]
            rough = [
                f"{value:.0f}{unit}",
                f"about {value:.0f}{unit}",
                f"more than {value * 0.97:.0f}{unit}",
                f"just under {value * 1.04 + 1:.0f}{unit}",
            ]
        else:
            step = 10 ** (len(str(int(value))) - 2)
            near = round(value / step) * step
            tail = " tonnes" if attribute.unit == "t" else ""
            rough = [
                f"about {near:,.0f}{tail}",
                f"roughly {near:,.0f}{tail}",
                f"more than {int(value / step) * step - step:,.0f}{tail}",
            ]
        return make.choice([exact, exact, *rough])

    # Versions and series

    def _versions(self) -> None:
        make = self.random
        for index, name in enumerate(make.sample(self.names, 15)):
            body = self._policy(name)
            changed = body.replace("ten working days", "five working days").replace("once a year", "twice a year")
            new, old = self._version_pair(index % 5, name, body, changed)
            self.corpus.documents += [old, new]
            self.corpus.superseded[old.sha256] = new.sha256
        for name in make.sample(self.names, 5):
            self._series(name)

    def _policy(self, name: str) -> str:
        subjects = [
            "visitors",
            "keys",
            "waste",
            "noise",
            "parking",
            "meters",
            "ladders",
            "forklifts",
            "first aid",
            "cameras",
            "smoking",
            "deliveries",
        ]
        verbs = [
            "report to the office",
            "sign the book",
            "are checked once a year",
            "need the manager's consent",
            "are kept in the locked room",
            "follow the posted rules",
            "are reviewed by the committee",
            "answer within ten working days",
        ]
        lines = [
            f"At {name}, {subject} {self.random.choice(verbs)} and {self.random.choice(verbs)}."
            for subject in self.random.sample(subjects, 10)
        ]
        return " ".join(lines) + " Requests are answered within ten working days. Rules are read out once a year."

    def _version_pair(self, style: int, name: str, body: str, changed: str) -> tuple[Document, Document]:
        """The newer and the older text, marked as versions in one of five ways."""
        slug, day = name.lower().replace(" ", "-"), date(2021, 3, 3) + timedelta(days=self.random.randint(0, 300))
        later = day + timedelta(days=400)
        spelt, spelt_later = f"{day.day} {day:%B %Y}", f"{later.day} {later:%B %Y}"
        title, new_line, old_line, new_file, old_file, new_mark, old_mark = (
            (f"House rules of {name}", "Version 2.0", "Version 1.1", "rules-v2.md", "rules-v1.md", " v2.0", " v1.1"),
            (f"Fire plan, {name}", "", "DRAFT", "fire_plan_final.docx", "fire_plan_draft.docx", " (final)", " (draft)"),
            (f"Access policy of {name}", f"This document supersedes the Key policy of {name} of {spelt}.", spelt,
             "access.pdf", "keys.pdf", "", ""),
            (f"Safety manual {name}", "Revised edition", "", "manual-revised.pdf", "manual.pdf", ", revised", ""),
            (f"Parking scheme {name}", spelt_later, spelt, f"parking-{later.isoformat()}.txt",
             f"parking-{day.isoformat()}.txt", "", ""),
        )[style]  # fmt: skip
        old_title = f"Key policy of {name}" if style == 2 else title
        return (
            _made(f"{title}\n{new_line}\n{changed}", f"/v/{slug}-{new_file}", title + new_mark, later),
            _made(f"{old_title}\n{old_line}\n{body}", f"/v/{slug}-{old_file}", old_title + old_mark, day),
        )

    def _series(self, name: str) -> None:
        slug, body = name.lower().replace(" ", "-"), self._policy(name)
        for year in (2021, 2022, 2023):
            title, text = f"Annual report {year} of {name}", f"{body} The year {year} went well."
            source = f"/v/{slug}-annual-report-{year}.pdf"
            self.corpus.documents.append(_made(f"{title}\n{text}", source, title, date(year + 1, 4, 1)))
        for month in (3, 4, 5):
            day, title = date(2023, month, 7), f"Minutes of the works council, {name}"
            text = f"Minutes of the works council of {name}\n{day:%d %B %Y}\n{body}"
            self.corpus.documents.append(_made(text, f"/v/{slug}-minutes-{day.isoformat()}.md", title, day))


def _made(text: str, source: str, title: str, day: date) -> Document:
    digest = hashlib.sha256(f"{source}\n{text}".encode()).hexdigest()
    return Document(sha256=digest, source=source, media_type="text/plain", title=title, text=text, date=day)
