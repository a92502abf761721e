from __future__ import annotations

from datetime import date

from tests.evidence.made_documents import document

from deepresearch.evidence import find_superseded, independent_origins
from deepresearch.model.documents import Document

BODY = (
    "All sites report their use of energy to the office every month. Meters are read on the first working day. "
    "Readings are entered by the site engineer and checked by a second person before they are sent. "
    "Deviations of more than ten percent are explained in writing. The office keeps all records for ten years."
)


def superseded(*documents: Document) -> dict[str, str]:
    sources = {each.sha256: each.source.rsplit("/", 1)[-1] for each in documents}
    return {sources[old]: sources[new] for old, new in find_superseded(documents).items()}


def test_a_later_version_supersedes() -> None:
    first = document("Energy policy, version 1\n" + BODY, source="/s/energy-policy-v1.md", title="Energy policy v1")
    second = document(
        "Energy policy, version 2\n" + BODY.replace("ten percent", "five percent"),
        source="/s/energy-policy-v2.md",
        title="Energy policy v2",
    )
    third = document(
        "Energy policy, version 3\n" + BODY.replace("ten percent", "two percent"),
        source="/s/energy-policy-v3.md",
        title="Energy policy v3",
    )
    assert superseded(third, first, second) == {
        "energy-policy-v1.md": "energy-policy-v3.md",
        "energy-policy-v2.md": "energy-policy-v3.md",
    }


def test_a_draft_gives_way_to_the_final_text() -> None:
    draft = document(BODY, source="/s/Ferry plan (draft).docx", title="Ferry plan – draft")
    final = document(BODY + " The board agreed.", source="/s/Ferry plan (final).docx", title="Ferry plan")
    assert superseded(draft, final) == {"Ferry plan (draft).docx": "Ferry plan (final).docx"}


def test_a_document_may_say_what_it_replaces() -> None:
    old = document(
        "Mooring rules\n3 March 2021\nBoats moor at the south quay.",
        source="/s/mooring.txt",
        title="Mooring rules",
        day=date(2021, 3, 3),
    )
    new = document(
        "Harbour rules\nThis document replaces the Mooring rules of 3 March 2021.\nBoats moor at the north quay.",
        source="/s/harbour.txt",
        title="Harbour rules",
        day=date(2023, 5, 1),
    )
    assert superseded(old, new) == {"mooring.txt": "harbour.txt"}


def test_members_of_a_series_are_no_versions() -> None:
    reports = [
        document(
            f"Annual report {year}\n{BODY} The year {year} was good.",
            source=f"/s/annual-report-{year}.pdf",
            title=f"Annual report {year}",
            day=date(year + 1, 3, 1),
        )
        for year in (2021, 2022, 2023)
    ]
    minutes = [
        document(
            f"Minutes of the board, {day} May 2023\n{BODY}",
            source=f"/s/minutes-2023-05-{day}.md",
            title="Minutes of the board",
            day=date(2023, 5, day),
        )
        for day in (10, 17, 24)
    ]
    assert superseded(*reports, *minutes) == {}


def test_other_documents_are_left_alone() -> None:
    one = document("Energy policy\n" + BODY, source="/s/energy.md", title="Energy policy")
    other = document(
        "Water policy\nWater is metered at the gate by the supplier and read twice a year.",
        source="/s/water-v2.md",
        title="Water policy v2",
    )
    same = document("Energy policy\n" + BODY, source="/s/copy/energy.md", title="Energy policy")
    assert superseded(one, other, same) == {}
    assert superseded() == {}


def test_origins_are_counted_not_pages() -> None:
    pages = [
        document("The bridge is 300 m long. " + BODY, source="https://news.example.co.uk/a"),
        document(
            "The tunnel is closed. Nobody was hurt, the police said on Monday.", source="https://www.example.co.uk/b"
        ),
        document("The bridge is 300 m long. " + BODY, source="https://copy.example.org/a"),
        document("Harbour traffic rose in spring, as the pilots had hoped.", source="/s/x.md"),
        document("The lighthouse was painted white by three volunteers.", source="/s/y.md"),
    ]
    origins = independent_origins(pages)
    assert origins.count == 3
    assert origins.among([pages[0].sha256, pages[2].sha256]) == 1
    assert origins.among([pages[0].sha256, pages[3].sha256, "unknown"]) == 2
    assert independent_origins([]).count == 0
