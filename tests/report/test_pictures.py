"""Pictures are what their bytes say, and an SVG keeps only what draws."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest
from lxml import etree, html  # type: ignore[import-untyped,unused-ignore]
from tests.report.browser import console, needs_chromium, run_chromium
from tests.report.hostile import SVG
from tests.report.material import chart

from deepresearch.model.report import Report
from deepresearch.report.pictures import safe_picture

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'


def shown(content: bytes) -> bytes:
    """What a report shows of an SVG."""
    picture = safe_picture(content)
    assert picture is not None
    assert picture[0] == "image/svg+xml"
    return picture[1]


def test_a_hostile_svg_keeps_its_drawing_and_nothing_else() -> None:
    clean = shown(SVG)
    text = clean.decode("utf-8")
    for word in ("script", "pwned", "attacker", "onload", "onclick", "javascript", "alert"):
        assert word not in text, word
    root = etree.fromstring(clean)
    rect = root.find("{*}rect")
    assert rect.get("fill") == "url(#gradient)"
    assert "attacker" not in (rect.get("style") or "")
    assert "kept" in text
    assert shown(clean) == clean


def test_labels_that_mermaid_writes_as_html_are_kept() -> None:
    assert "label" in shown(SVG).decode("utf-8")


def test_an_honest_chart_is_unchanged_in_content() -> None:
    def outline(content: bytes) -> list[tuple[str, dict[str, str], str | None]]:
        return [(e.tag, dict(e.attrib), e.text) for e in etree.fromstring(content).iter()]

    assert outline(shown(chart())) == outline(chart())


def test_references_inside_a_matplotlib_like_file_stay() -> None:
    source = (
        f'<svg {NAMESPACE} xmlns:xlink="http://www.w3.org/1999/xlink"><metadata><a/></metadata><defs>'
        '<style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style>'
        '<path id="m" d="M0 0"/><clipPath id="p"><rect width="1" height="1"/></clipPath></defs>'
        '<g clip-path="url(#p)">'
        '<use xlink:href="#m" style="fill: #1f77b4; stroke: url(#g)"/></g></svg>'
    )
    clean = shown(source.encode()).decode()
    for part in ("stroke-linejoin: round", 'xlink:href="#m"', 'clip-path="url(#p)"', "stroke: url(#g)"):
        assert part in clean
    assert "metadata" not in clean


@pytest.mark.parametrize(
    "style",
    [
        "fill:url(http://a/b)",
        "fill:url( 'http://a/b' )",
        "fill:u\\72l(http://a/b)",
        "@import 'x'",
        "background-image:image-set('http://a/b' 1x)",
        "fill:URL(//a/b)",
        "fill:url(data:image/svg+xml,x)",
    ],
)
def test_styles_that_could_fetch_go(style: str) -> None:
    clean = shown(f'<svg {NAMESPACE}><style>{style}</style><g style="{style}"/></svg>'.encode()).decode()
    assert "a/b" not in clean and "import" not in clean and "data:" not in clean


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"<svg/>", f"<svg {NAMESPACE}><g></svg>".encode(), b"<html></html>", b'{"a": 1}']
)
def test_what_is_no_picture_is_not_shown(content: bytes) -> None:
    assert safe_picture(content) is None


def test_bombs_are_not_shown() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    assert safe_picture(f"<!DOCTYPE svg [{entities}]><svg {NAMESPACE}><text>&e9;</text></svg>".encode()) is None
    assert safe_picture(f"<svg {NAMESPACE}>{'<g>' * 5000}{'</g>' * 5000}</svg>".encode()) is None


@needs_chromium
def test_a_hostile_svg_opened_by_itself_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_bytes(shown(SVG))
    dom, log = run_chromium(tmp_path / "profile", "--dump-dom", path.as_uri())
    assert "pwned" not in dom and "kept" in dom
    assert not [line for line in console(log) if "attacker" in line]


def test_only_sanitised_svg_is_written_and_shown(hostile: Report) -> None:
    assert hostile.figures
    for figure in hostile.figures:
        assert Path(figure.path).read_bytes() == shown(SVG)
    sources = html.document_fromstring(Path(hostile.paths["html"]).read_bytes()).xpath("//img/@src")
    assert len(sources) == len(hostile.figures)
    for source in sources:
        assert b64decode(source.removeprefix("data:image/svg+xml;base64,")) == shown(SVG)
