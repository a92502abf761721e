"""The Markdown report: readable as it is, and no text in it becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html  # type: ignore[import-untyped,unused-ignore]
from markdown_it import MarkdownIt
from tests.report.hostile import TEXTS

from deepresearch.model.report import Report
from deepresearch.report.markdown import code_block, code_span, escaped
from deepresearch.report.visible import one_line, visible


def rendered(markdown: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown))


def test_it_says_everything_in_order(ferry: Report) -> None:
    text = Path(ferry.paths["markdown"]).read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        "Answer",
        "Findings",
        "Conflicts between sources",
        "Computed numbers and figures",
        "Limits",
        "Quotes",
        "Sources",
        "Check it yourself",
    ]
    assert "from 31,483 to 18,819. [C1]" in text
    assert "*(Supported, 98%, computed in run `run-7f3a9c21`)*" in text
    assert "*(Partly supported, 71%)*" in text
    assert f"`deepresearch replay {ferry.session_id}`" in text
    assert "annual-reports/annual-report-2024.pdf, page 4: “Emissions of CO2 fell" in text
    newer, older = text.index("1,231,500 passengers.[^"), text.index("1,274,000 passengers.[^")
    conflicts = text.index("## Conflicts")
    assert text.index("| 2024-04-18 |", conflicts) < text.index("| 2024-02-26 |", conflicts)
    assert newer and older
    assert "superseded by policies/emissions-reduction-policy-v2.md |" in text


def test_every_footnote_is_there_once_and_used(ferry: Report) -> None:
    text = Path(ferry.paths["markdown"]).read_text("utf-8")
    defined = re.findall(r"^\[\^(\d+)\]: ", text, re.MULTILINE)
    used = set(re.findall(r"\[\^(\d+)\](?!: )", text))
    assert sorted(defined, key=int) == defined and set(defined) == used


def test_figures_are_relative_links_to_files_that_exist(ferry: Report) -> None:
    path = Path(ferry.paths["markdown"])
    links = re.findall(r"!\[.*?\]\((.*?)\)", path.read_text("utf-8"))
    assert len(links) == 1
    assert (path.parent / links[0]).samefile(ferry.figures[0].path)


def test_no_hostile_text_becomes_markup(hostile: Report) -> None:
    text = Path(hostile.paths["markdown"]).read_text("utf-8")
    tree = html.document_fromstring(rendered(text))
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert tags <= {
        "html",
        "body",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "strong",
        "em",
        "code",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "img",
    }
    for image in tree.xpath("//img"):
        assert re.fullmatch(r"figures/\d\d-[a-z0-9-]+\.svg", image.get("src"))
    assert {heading.text_content() for heading in tree.xpath("//h2")} <= {
        "Answer", "Findings", "Conflicts between sources", "Computed numbers and figures", "Limits", "Quotes",
        "Sources", "Check it yourself",
    }  # fmt: skip
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    for before in ("", "- ", "**C1** ", "| "):
        tree = html.fragment_fromstring(rendered(before + escaped(text) + "\n"), create_parent="div")
        shown = tree.text_content().replace("\n", " ").strip().removeprefix("C1").strip()
        assert shown == (one_line(text) if before != "| " else f"| {one_line(text)}".strip())


@given(st.text(max_size=200))
def test_any_text_reads_as_it_was(text: str) -> None:
    shown = html.fragment_fromstring(rendered(f"x {escaped(text)} y"), create_parent="div").text_content().strip()
    assert shown.split() == f"x {one_line(text)} y".split()


@given(st.text(alphabet="`*_[]()<>!#-+.1 \\|~&;:=ab\n", max_size=60))
def test_any_markup_at_the_start_of_a_line_reads_as_it_was(text: str) -> None:
    shown = html.fragment_fromstring(rendered(escaped(text)), create_parent="div").text_content().strip()
    assert shown.split() == one_line(text).split()


@given(st.text(alphabet="` \\ab\n<", max_size=30))
def test_code_stays_code(text: str) -> None:
    span = html.fragment_fromstring(rendered("x " + code_span(text)), create_parent="div")
    assert [element.tag for element in span.iter()] == ["div", "p", "code"]
    block = html.fragment_fromstring(rendered("\n".join(code_block(text))), create_parent="div")
    assert [element.tag for element in block.iter()] == ["div", "pre", "code"]
    assert block.text_content().strip("\n") == visible(text).strip("\n")
