"""The HTML report: complete, closed, and deaf to what its texts say."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path
from typing import Any

from lxml import html  # type: ignore[import-untyped,unused-ignore]
from tests.report.browser import console, needs_chromium, run_chromium
from tests.report.hostile import TEXTS
from tests.report.material import ferry_report

from deepresearch.model.report import Report

ALLOWED_TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "a",
    "div",
    "nav",
    "ul",
    "li",
    "main",
    "header",
    "h1",
    "h2",
    "h3",
    "p",
    "span",
    "strong",
    "section",
    "article",
    "figure",
    "img",
    "figcaption",
    "dl",
    "dt",
    "dd",
    "details",
    "summary",
    "blockquote",
    "mark",
    "bdi",
    "code",
    "pre",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "ol",
    "sup",
    "b",
    "button",
}
ALLOWED_ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "href",
    "id",
    "class",
    "dir",
    "tabindex",
    "aria-label",
    "aria-labelledby",
    "aria-hidden",
    "title",
    "alt",
    "src",
    "scope",
    "type",
    "popover",
    "popovertarget",
    "popovertargetaction",
    "role",
    "rel",
    "open",
}


def page(report: Report) -> Any:
    return html.document_fromstring(Path(report.paths["html"]).read_bytes())


def text_of(element: Any) -> str:
    return " ".join(str(element.text_content()).split())


def test_every_quote_opens_in_its_context(ferry: Report) -> None:
    _, texts, _ = ferry_report()
    tree = page(ferry)
    panels = tree.xpath("//details[@class='cite']")
    quotes = [quote for claim in ferry.claims for quote in claim.citations]
    assert len(panels) == len(quotes) > 0
    for panel, quote in zip(panels, quotes, strict=True):
        (excerpt,) = panel.xpath(".//blockquote")
        (marked,) = excerpt.xpath("./mark")
        assert marked.text_content() == quote.quote
        shown = excerpt.text_content().removeprefix("… ").removesuffix(" …")
        assert shown in texts[quote.sha256]
        before = excerpt.text_content().index(quote.quote)
        assert before <= 410
        assert quote.sha256[:12] in panel.text_content()
        if quote.page is not None:
            assert re.search(rf"(page|sheet) {quote.page}\b", panel.text_content())


def test_each_value_of_a_figure_has_the_quote_it_was_read_from(ferry: Report) -> None:
    tree = page(ferry)
    points = ferry.scripts[0].series[0].points
    buttons = tree.xpath("//table[@class='data']//button")
    assert len(buttons) == len(points) == 11
    for button, point in zip(buttons, points, strict=True):
        (target,) = tree.xpath(f"//*[@id='{button.get('popovertarget')}']")
        (marked,) = target.xpath(".//blockquote/mark")
        assert marked.text_content() == point.quote.quote
        assert f"{int(point.value):,}" in button.getparent().text_content()


def test_the_sections_say_what_a_reader_needs(ferry: Report) -> None:
    tree = page(ferry)
    answer = text_of(tree.get_element_by_id("answer"))
    assert "fell by 40.2 %" in answer and "C1" in answer
    assert [text_of(item) for item in tree.xpath("//section[@id='limits']//li")] == list(ferry.limits)
    sides = [text_of(side) for side in tree.xpath("//div[@class='side']")]
    assert len(sides) == 2
    assert sides[0].startswith("2024-04-18 newer") and "1,231,500" in sides[0]
    assert sides[1].startswith("2024-02-26") and "1,274,000" in sides[1]
    rows = [text_of(row) for row in tree.xpath("//table[@class='sources']/tbody/tr")]
    assert len(rows) == len(ferry.sources)
    (old,) = [row for row in rows if "superseded by" in row]
    assert "policies/emissions-reduction-policy-v2.md" in old
    bands = {text_of(band) for band in tree.xpath("//li[@class='finding']//span[starts-with(@class,'band')]")}
    assert bands == {"● Supported", "◐ Partly supported", "? Undecided"}
    assert "Nothing was found in these sources." in text_of(tree.get_element_by_id("findings"))
    assert f"deepresearch replay {ferry.session_id}" in text_of(tree.get_element_by_id("check"))
    assert "figure.savefig" in text_of(tree.get_element_by_id("computations"))


def test_every_reference_inside_the_page_has_its_target(ferry: Report, hostile: Report) -> None:
    for report in (ferry, hostile):
        tree = page(report)
        identifiers = tree.xpath("//@id")
        assert len(identifiers) == len(set(identifiers))
        targets = [href[1:] for href in tree.xpath("//a/@href") if href.startswith("#")]
        targets += tree.xpath("//@popovertarget")
        targets += [label for labels in tree.xpath("//@aria-labelledby") for label in labels.split()]
        assert targets and set(targets) <= set(identifiers)


def test_the_policy_allows_this_style_sheet_and_nothing_that_runs(ferry: Report) -> None:
    tree = page(ferry)
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'none'"
    assert directives["img-src"] == "data:"
    assert directives["base-uri"] == directives["form-action"] == "'none'"
    (style,) = tree.xpath("//style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert directives["style-src"] == f"'sha256-{digest}'"
    assert not tree.xpath("//@style")
    head = tree.xpath("//head/*")
    assert head[1].get("http-equiv") == "Content-Security-Policy", "it must stand before anything it governs"


def test_the_file_needs_nothing_from_outside(ferry: Report) -> None:
    tree = page(ferry)
    assert all(source.startswith("data:image/") for source in tree.xpath("//@src"))
    assert not tree.xpath("//link | //script | //iframe | //object | //embed")
    (style,) = tree.xpath("//style")
    assert "url(" not in style.text and "@import" not in style.text


def test_no_text_of_a_document_becomes_markup(hostile: Report) -> None:
    tree = page(hostile)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert tags <= ALLOWED_TAGS
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert attributes <= ALLOWED_ATTRIBUTES
    assert not tree.xpath("//comment()")
    for address in tree.xpath("//a/@href"):
        assert address.startswith(("#", "https://host.example/"))
    shown = tree.text_content()
    for text in TEXTS[:16]:
        assert text.replace("\r\n", "\n") in shown


def test_unseen_characters_are_shown(hostile: Report) -> None:
    raw = Path(hostile.paths["html"]).read_text("utf-8")
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\ufffe\uffff]", raw
    )
    for sign in ("‹U+0000›", "‹U+001B›", "‹U+007F›", "‹U+202E›", "‹U+E0049›", "‹U+009B›", "‹U+FFFE›"):
        assert sign in raw
    assert "\u200f" in raw, "marks that a right-to-left text needs stay"


def test_long_reports_are_complete(tmp_path: Path) -> None:
    from deepresearch.report import write_reports

    report, texts, artefacts = ferry_report()
    claims = tuple(report.claims[number % 8].model_copy(update={"id": f"C{number}"}) for number in range(1, 501))
    answer = " ".join(f"[C{number}]" for number in range(1, 501))
    written = write_reports(report.model_copy(update={"claims": claims, "answer": answer}), texts, artefacts, tmp_path)
    tree = page(written)
    assert len(tree.xpath("//li[@class='finding']")) == 500
    assert len(tree.xpath("//section[@id='answer']//a")) == 500
    assert len(tree.xpath("//ol[@class='footnotes']/li")) == 19, "the same words are one footnote"


def test_a_quote_whose_document_is_not_at_hand_is_shown_alone(tmp_path: Path) -> None:
    from deepresearch.report import write_reports

    report, texts, artefacts = ferry_report()
    lost = report.claims[1].citations[0].sha256
    moved = {sha: ("x" + text if sha == report.claims[4].citations[0].sha256 else text) for sha, text in texts.items()}
    del moved[lost]
    tree = page(write_reports(report, moved, artefacts, tmp_path))
    for claim in (report.claims[1], report.claims[4]):
        number = report.claims.index(claim) + 1
        (panel,) = tree.xpath(f"//li[@id='claim-{number}']//details")
        assert panel.xpath(".//blockquote")[0].text_content() == claim.citations[0].quote
        assert "not at hand" in panel.text_content()


@needs_chromium
def test_nothing_of_a_hostile_text_runs_in_a_browser(hostile: Report, tmp_path: Path) -> None:
    address = Path(hostile.paths["html"]).as_uri()
    dom, log = run_chromium(tmp_path / "profile", "--dump-dom", address)
    tree = html.document_fromstring(dom)
    assert "pwned" not in tree.xpath("string(//title)")[:5]
    assert tree.xpath("string(//title)") == page(hostile).xpath("string(//title)")
    assert not tree.xpath("//script | //iframe | //form | //base | //svg | //object | //embed")
    assert {element.tag for element in tree.iter() if isinstance(element.tag, str)} <= ALLOWED_TAGS
    assert console(log) == []


@needs_chromium
def test_the_browser_would_have_told_of_a_violation(ferry: Report, tmp_path: Path) -> None:
    """Without this the empty console above would prove nothing."""
    broken = tmp_path / "broken.html"
    text = Path(ferry.paths["html"]).read_text("utf-8")
    broken.write_text(
        text.replace("</body>", "<script>document.title='ran'</script><p style='color:red'></body>"), "utf-8"
    )
    dom, log = run_chromium(tmp_path / "profile", "--dump-dom", broken.as_uri())
    assert html.document_fromstring(dom).xpath("string(//title)") != "ran"
    assert any("Content Security Policy" in line for line in console(log))


@needs_chromium
def test_the_page_has_its_style_and_no_violation(ferry: Report, tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "page.png"
    _, log = run_chromium(
        tmp_path / "profile",
        "--window-size=1280,1400",
        f"--screenshot={picture}",
        Path(ferry.paths["html"]).as_uri(),
    )
    assert console(log) == []
    with Image.open(picture) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}
    assert (251, 250, 247) in colours, "the paper colour of the style sheet"
    assert (10, 96, 105) in colours, "the line of the chart"


@needs_chromium
def test_no_sideways_scrolling_on_a_phone(ferry: Report, hostile: Report, tmp_path: Path) -> None:
    """A page that frames the report at 360 px and reads its scroll width; details opened, the widest case."""
    for name, report in (("ferry", ferry), ("hostile", hostile)):
        text = Path(report.paths["html"]).read_text("utf-8")
        framed = escape(text.replace("<details", "<details open"))
        probe = tmp_path / f"{name}.html"
        probe.write_text(
            '<!DOCTYPE html><meta charset="utf-8"><iframe id="f" style="width:360px;height:800px;border:0" '
            f'srcdoc="{framed}"></iframe><script>document.getElementById("f").onload = function () {{'
            "document.title = this.contentDocument.documentElement.scrollWidth }</script>",
            "utf-8",
        )
        dom, _ = run_chromium(tmp_path / f"profile-{name}", "--virtual-time-budget=10000", "--dump-dom", probe.as_uri())
        assert html.document_fromstring(dom).xpath("string(//title)") == "360"


@needs_chromium
def test_printed_it_carries_the_quotes_as_footnotes(ferry: Report, tmp_path: Path) -> None:
    import pypdfium2

    paper = tmp_path / "report.pdf"
    run_chromium(
        tmp_path / "profile",
        f"--print-to-pdf={paper}",
        "--no-pdf-header-footer",
        Path(ferry.paths["html"]).as_uri(),
    )
    with pypdfium2.PdfDocument(paper) as pdf:
        # Without white space: lines break anywhere on paper.
        text = "".join("".join(page.get_textpage().get_text_bounded().split()) for page in pdf)
        assert len(pdf) <= 6
    for claim in ferry.claims:
        for quote in claim.citations:
            assert quote.sha256[:12] in text
    assert "slowsteamingontheGreatWick–Stravanroute" in text, "a quote of a claim that says it in other words"
