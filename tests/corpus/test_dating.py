"""Dates and versions: only what a document says of itself."""

from __future__ import annotations

import pytest

from deepresearch.corpus import load_bytes
from deepresearch.corpus.dating import read_date


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2023-05-01", "2023-05-01"),
        ("3. März 2024", "2024-03-03"),
        ("3rd of May 2023", "2023-05-03"),
        ("May 3, 2023", "2023-05-03"),
        ("le 14 juillet 2022", "2022-07-14"),
        ("5 de mayo de 2021", "2021-05-05"),
        ("01.05.2023", "2023-05-01"),
        ("31/12/2022", "2022-12-31"),
        ("12/31/2022", "2022-12-31"),
        ("05/06/2023", None),
        ("April 2023", "2023-04-01"),
        ("2023年4月5日", "2023-04-05"),
        ("2023-13-45", None),
        ("version 1.2.2023.4", None),
        ("nothing", None),
    ],
)
def test_read_date(text: str, date: str | None) -> None:
    found = read_date(text)
    assert (str(found) if found else None) == date


@pytest.mark.parametrize(
    ("name", "text", "date", "version"),
    [
        ("a.txt", "Policy\n\nVersion 2.1\n\nStand: 3. März 2024\n\nText.", "2024-03-03", "2.1"),
        ("a.txt", "Policy\nDraft 2\nRevised 2023-05-01\nText.", "2023-05-01", "draft 2"),
        ("a.md", "# Plan\n\n**Last updated:** May 3, 2023\n\nText.", "2023-05-03", None),
        ("a.txt", "Report\nVersion 3.0, 4 June 2022\n\nText.", "2022-06-04", "3.0"),
        ("a.md", "# Policy\n\n**Version 1.0**\nAdopted by the board on 11 June 2019\n\nText.", "2019-06-11", "1.0"),
        ("a.txt", "Report\n\nSound Ferries, Hallin. Adopted by the board on 20 March 2025.\n", "2025-03-20", None),
        ("a.txt", "Policy\nVersion 2 | Last updated: 2023-05-01\nText.", "2023-05-01", "2"),
        (
            "a.txt",
            "Minutes\n\nPresent: A. B.\n\nOne.\n\nTwo.\n\nThree.\n\nNext meeting: 19 January 2023.\n",
            None,
            None,
        ),
        ("letter.txt", "London, 3 May 2023\n\nDear all,\n\nText.", "2023-05-03", None),
        ("report_v2.md", "# Report\n\nText.", None, "2"),
        ("report-v2.1-final.md", "# Report\n\nText.", None, "2.1"),
        ("policy-2023-04.txt", "Text.", "2023-04-01", None),
        ("minutes 20240315.txt", "Text.", "2024-03-15", None),
        ("budget 2024 final.txt", "Text.", "2024-01-01", "final"),
        ("plan_draft3.txt", "Text.", None, "draft 3"),
        ("a.txt", "In 2021 the version of the plan was changed by the board on 3 May 2020, they said.", None, None),
        ("a.txt", "The firm opened on 3 May 2020.\n\nIt was edition 2023 of the fair.", None, None),
        ("notes.csv", "day,value\n2020-01-01,3\n", None, None),
    ],
)
def test_what_a_document_says_of_itself(name: str, text: str, date: str | None, version: str | None) -> None:
    document = load_bytes(text.encode(), name)
    assert (str(document.date) if document.date else None) == date
    assert document.version == version
