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
from deepresearch.report.pictures import media_type_of, safe_picture, sanitised_svg

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'


def test_a_hostile_svg_keeps_its_drawing_and_nothing_else() -> None:
    clean = sanitised_svg(SVG)
    text = clean.decode("utf-8")
    for word in (
        "script",
        "pwned",
        "attacker",
        "onload",
        "onclick",
        "foreignObject",
        "javascript",
        "passwd",
        "DOCTYPE",
    ):
        assert word not in text, word
    root = etree.fromstring(clean)
    kept = [etree.QName(element).localname for element in root.iter()]
    assert kept == ["svg", "style", "image", "image", "image", "use", "use", "rect", "text"]
    rect = root.find("{*}rect")
    assert dict(rect.attrib) == {"id": "ok", "width": "5", "height": "5", "fill": "url(#gradient)"}
    assert root.find("{*}text").text == "kept"
    assert sanitised_svg(clean) == clean


def test_an_honest_chart_is_unchanged_in_content() -> None:
    def outline(content: bytes) -> list[tuple[str, dict[str, str], str | None]]:
        return [(e.tag, dict(e.attrib), e.text) for e in etree.fromstring(content).iter()]

    assert outline(sanitised_svg(chart())) == outline(chart())


def test_references_inside_a_matplotlib_like_file_stay() -> None:
    source = (
        f'<svg {NAMESPACE} xmlns:xlink="http://www.w3.org/1999/xlink"><metadata><a/></metadata><defs>'
        '<style type="text/css">*{stroke-linejoin: round; stroke-linecap: butt}</style>'
        '<path id="m" d="M0 0"/><clipPath id="p"><rect width="1" height="1"/></clipPath></defs>'
        '<g clip-path="url(#p)">'
        '<use xlink:href="#m" style="fill: #1f77b4; stroke: url(#g)"/></g></svg>'
    )
    clean = sanitised_svg(source.encode()).decode()
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
    clean = sanitised_svg(f'<svg {NAMESPACE}><style>{style}</style><g style="{style}"/></svg>'.encode()).decode()
    assert "a/b" not in clean and "import" not in clean and "data:" not in clean


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (f"<svg {NAMESPACE}/>".encode(), "image/svg+xml"),
        (f'<?xml version="1.0" encoding="utf-16"?><svg {NAMESPACE}/>'.encode("utf-16"), "image/svg+xml"),
        (b"<svg/>", None),
        (b"<html><svg xmlns='http://www.w3.org/2000/svg'/></html>", None),
        (b"", None),
        (b"not a picture", None),
        (f"<svg {NAMESPACE}><g></svg>".encode(), None),
    ],
)
def test_the_type_is_read_from_the_bytes(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


def test_bombs_are_refused() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    bomb = f"<!DOCTYPE svg [{entities}]><svg {NAMESPACE}><text>&e9;</text></svg>".encode()
    picture = safe_picture(bomb)
    assert picture is None or len(picture[1]) < 1000
    deep = f"<svg {NAMESPACE}>{'<g>' * 5000}{'</g>' * 5000}</svg>".encode()
    assert safe_picture(deep) is None
    assert safe_picture(f"<svg {NAMESPACE}>{' ' * (17 * 1024 * 1024)}</svg>".encode()) is None


@needs_chromium
def test_a_hostile_svg_opened_by_itself_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_bytes(sanitised_svg(SVG))
    dom, log = run_chromium(tmp_path / "profile", "--dump-dom", path.as_uri())
    assert "pwned" not in dom and "kept" in dom
    assert not [line for line in console(log) if "attacker" in line]


def test_only_sanitised_svg_is_written_and_shown(hostile: Report) -> None:
    assert hostile.figures
    for figure in hostile.figures:
        assert Path(figure.path).read_bytes() == sanitised_svg(SVG)
    sources = html.document_fromstring(Path(hostile.paths["html"]).read_bytes()).xpath("//img/@src")
    assert len(sources) == len(hostile.figures)
    for source in sources:
        assert b64decode(source.removeprefix("data:image/svg+xml;base64,")) == sanitised_svg(SVG)
