"""What an output is, whatever it is called, and whether it may be handed on."""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
import time
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from PIL import Image

from deepresearch.sandbox.content import LARGEST_PIXELS, OPAQUE, Refused, inspect

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def picture(form: str, size: tuple[int, int] = (8, 6), **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "teal").save(buffer, form, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("a.txt", "a")
    return buffer.getvalue()


def pdf(*objects: bytes, tail: bytes = b"") -> bytes:
    body = b"%PDF-1.4\n" + b"\n".join(objects)
    return body + b"\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n" + tail


def refusal(content: bytes, name: str = "") -> str:
    with pytest.raises(Refused) as caught:
        inspect(content, name)
    return caught.value.reason


def clean(svg: str) -> str:
    done = inspect(svg.encode())
    assert done.media_type == "image/svg+xml"
    return done.content.decode()


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (picture("PNG"), "a.txt", "image/png"),
        (picture("JPEG"), "a.png", "image/jpeg"),
        (picture("JPEG", progressive=True), "a.png", "image/jpeg"),
        (picture("GIF"), "", "image/gif"),
        (picture("GIF", save_all=True, append_images=[Image.new("RGB", (8, 6), "red")]), "", "image/gif"),
        (picture("WEBP"), "", "image/webp"),
        (picture("WEBP", lossless=True), "", "image/webp"),
        (picture("PDF"), "", "application/pdf"),
        (f"<svg {SVG}/>".encode(), "a.html", "image/svg+xml"),
        (b'\xef\xbb\xbf{"a": [1, 2.5, null]}', "a.csv", "application/json"),
        (b"[1]\n", "", "application/json"),
        (b'{"a": NaN}', "", "text/plain"),
        (b"[" * 100_000, "", "text/plain"),
        (b"{not json", "", "text/plain"),
        (b"year,value\n2020,1\n2021,2\n", "", "text/csv"),
        (b"year;value\n2020;1\n2021;2\n", "", "text/csv"),
        (b"one column\n1\n", "a.csv", "text/csv"),
        (b"a,b\n", "a.CSV", "text/csv"),
        ("Größe, naïve, 你好\n".encode(), "", "text/plain"),
        (b"Dear all,\n\nthis is a letter, with commas.\nBye\n", "", "text/plain"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "a.svg", "text/plain"),
        (b"<html><svg/></html>", "a.svg", "text/plain"),
        (b"<?xml version='1.0'?><feed/>", "", "text/plain"),
        (b"", "", "text/plain"),
        (b"a\x00b", "a.txt", OPAQUE),
        (b"\x1b]0;owned\x07", "a.txt", OPAQUE),
        (b"\xff\xfe<\x00s\x00v\x00g\x00", "a.svg", OPAQUE),
        (gzip.compress(f"<svg {SVG}/>".encode()), "a.svgz", OPAQUE),
        (archive(), "a.png", OPAQUE),
        (b"\x7fELF" + bytes(60), "a.csv", OPAQUE),
        (b"\x80\x04\x95pickle", "a.json", OPAQUE),
    ],
)
def test_the_type_comes_from_the_bytes(content: bytes, name: str, expected: str) -> None:
    done = inspect(content, name)
    assert done.media_type == expected
    if expected != "image/svg+xml":
        assert done.content == content


# ---- raster pictures ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(50_000, 50_000), "50000 by 50000 pixels"),
        (png(2**31, 2**31), "over the limit"),
        (png(0, 5), "0 by 5"),
        (png(4000, 4000, chunk(b"acTL", struct.pack(">II", 100, 0))), "100 frames"),
        (picture("PNG") + b"more", "behind its end"),
        (picture("PNG") + archive(), "archive as well"),
        (picture("PNG")[:-20], "breaks off"),
        (picture("PNG")[:-1] + b"x", "wrong checksum"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "without a header"),
        (b"\x89PNG\r\n\x1a\n", "breaks off"),
        (png(5, 5, chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")), "a page as well"),
        (png(5, 5, chunk(b"tEXt", b"Comment\0%PDF-1.4 trick")), "a PDF as well"),
        (picture("GIF")[:-1], "breaks off"),
        (picture("GIF") + b"<script>", "page as well"),
        (picture("GIF") + b"...", "behind its end"),
        (b"GIF89a\xff\xff\xff\xff\x00\x00\x00;", "65535 by 65535"),
        (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "without a picture"),
        (b"GIF89a\x01", "breaks off"),
        (picture("JPEG")[:-2], "breaks off"),
        (picture("JPEG") + archive(), "archive as well"),
        (picture("JPEG") + b"\x00", "behind its end"),
        (b"\xff\xd8\xff\xd9", "without a size"),
        (picture("WEBP") + b"x", "longer than it says"),
        (b"RIFF\x04\x00\x00\x00WEBP", "without a picture"),
    ],
)
def test_pictures_that_are_no_honest_picture_are_refused(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_a_small_file_of_many_pixels_is_refused_without_being_decoded() -> None:
    huge = picture("PNG", (12_000, 12_000))
    assert len(huge) < 2_000_000
    assert f"over the limit of {LARGEST_PIXELS} pixels" in refusal(huge)
    frames = [Image.new("P", (2000, 2000), number % 7) for number in range(30)]
    assert "frames" in refusal(picture("GIF", (2000, 2000), save_all=True, append_images=frames))


def test_a_large_but_reasonable_figure_passes() -> None:
    assert inspect(picture("PNG", (6000, 4500))).media_type == "image/png"


# ---- SVG ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        '<script xlink:href="http://example.org/a.js"/>',
        '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>',
        '<rect onload="alert(1)" OnClick="alert(1)"/>',
        '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
        '<a href="https://example.org/"><text>x</text></a>',
        '<use xlink:href="http://example.org/a.svg#b"/>',
        '<use href="data:image/svg+xml;base64,PHN2Zy8+#b"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<image href="http://example.org/beacon.png"/>',
        '<image href="data:image/svg+xml;base64,PHN2Zy8+"/>',
        '<feImage href="http://example.org/a.png"/>',
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://example.org"/></foreignObject>',
        '<foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="alert(1)"/></foreignObject>',
        '<foreignObject><img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="alert(1)"/></foreignObject>',
        '<foreignObject><div xmlns="http://www.w3.org/1999/xhtml" style="background:url(http://example.org)"/></foreignObject>',
        '<foreignObject><style xmlns="http://www.w3.org/1999/xhtml">p{background:url(http://example.org)}</style></foreignObject>',
        '<foreignObject><form xmlns="http://www.w3.org/1999/xhtml" action="http://example.org"><input/></form></foreignObject>',
        '<style>@import url("https://example.org/a.css");</style>',
        "<style>@import 'https://example.org/a.css';</style>",
        "<style>@im\\70ort 'https://example.org/a.css';</style>",
        "<style>@imp/**/ort 'https://example.org/';@/**/import 'https://example.org/';</style>",
        "<style>rect{fill:url(https://example.org/a)}</style>",
        "<style>rect{fill:u\\72l(https://example.org/a)}</style>",
        "<style>rect{fill:url('https://example.org/a#b')}</style>",
        "<style>rect{background:image-set('https://example.org/a' 1x)}</style>",
        "<style>rect{behavior:url(#default#time2)}</style>",
        "<style>@font-face{font-family:x;src:url(https://example.org/f.woff2)}</style>",
        "<style><![CDATA[rect{fill:url(https://example.org/a)}]]></style>",
        '<rect style="fill:url(//example.org/a)"/>',
        '<rect fill="url( &quot;https://example.org/a.svg#b&quot; )"/>',
        '<rect filter="url(data:image/svg+xml;base64,PHN2Zy8+#f)"/>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<set attributeName="xlink:href" to="https://example.org"/>',
        '<set attributeName="onclick" to="alert(1)"/>',
        '<animate attributeName="fill" values="url(https://example.org/a)"/>',
        '<handler xmlns="http://www.w3.org/2001/xml-events">alert(1)</handler>',
        '<g xml:base="https://example.org/"><use href="#a"/></g>',
        '<object data="https://example.org"/><embed src="https://example.org"/>',
        '<?xml-stylesheet href="https://example.org/a.css"?>',
        "<!-- https://example.org javascript: -->",
        '<metadata><rdf:a xmlns:rdf="https://example.org/rdf" onclick="alert(1)"/></metadata>',
        '<title><script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script></title>',
        '<text><tspan href="https://example.org">x</tspan></text>',
    ],
)
def test_what_runs_or_loads_is_taken_out_of_an_svg(inner: str) -> None:
    done = clean(f'<svg {SVG}><rect id="stays" width="3"/>{inner}<text>and this</text></svg>').lower()
    for trace in (
        "script",
        "alert",
        "example.org",
        "etc/passwd",
        "onload",
        "onclick",
        "data:image/svg",
        "default#time2",
    ):
        assert trace not in done, done
    assert 'id="stays"' in done
    assert "and this" in done


def test_labels_and_looks_stay() -> None:
    pixel = base64.b64encode(picture("PNG")).decode()
    kept = [
        '<style>.node rect{fill:#ECECFF;stroke-width:1px}.edge{marker-end:url(#arrow)}</style>',
        '<rect class="a b" style="fill: none; stroke: url(#grad)" transform="translate(1 2)" data-id="n1"/>',
        f'<image href="data:image/png;base64,{pixel}" width="8"/>',
        f'<image xlink:href="data:image/png;base64,\n{pixel}" width="9"/>',
        '<use xlink:href="#glyph" x="4"/>',
        '<text font-family="DejaVu Sans" x="1">日本語 &amp; Ελληνικά &lt;b&gt; 🚀</text>',
        '<a><text>linked</text></a>',
        '<animate attributeName="opacity" values="0;1" dur="1s"/>',
    ]  # fmt: skip
    done = clean(f'<svg {SVG} viewBox="0 0 10 10">' + "".join(kept) + "</svg>")
    for part in kept:
        assert part.replace("\n", " ") in done
    label = (
        '<foreignObject width="80" height="24"><div xmlns="http://www.w3.org/1999/xhtml" style="display: '
        'table-cell; line-height: 1.5;"><span class="nodeLabel"><p>Start &amp; go</p></span></div></foreignObject>'
    )
    assert "Start &amp; go" in clean(f"<svg {SVG}>{label}</svg>")
    assert "display: table-cell" in clean(f"<svg {SVG}>{label}</svg>")


def test_words_around_what_is_removed_stay() -> None:
    done = clean(f"<svg {SVG}><text>before <script>x</script>between<script>x</script> after</text></svg>")
    assert "before between after" in done


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg {}>&a;</svg>', "entities"),
        ('<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg {}>&b;</svg>', "entities"),
        ("<svg {}><g></svg>", "well formed"),
        ("<svg {}>&undefined;</svg>", "well formed"),
        ("<svg/>", "root"),
        ('<?xml version="1.0" encoding="utf-16"?><svg {}/>', "utf-16"),
        ("<svg {}>" + "<g>" * 300 + "</g>" * 300 + "</svg>", "well formed"),
        ("<svg {}>" + "<g/>" * 1_000_001 + "</svg>", "elements"),
        ('<svg width="100000" height="100000" {}/>', "over the limit"),
        ('<svg width="40in" height="1e9" {}/>', "over the limit"),
    ],
)
def test_svgs_that_cannot_be_made_safe_are_refused(svg: str, words: str) -> None:
    assert words in refusal(svg.format(SVG).encode())


def test_an_undefined_entity_of_a_named_doctype_loads_nothing() -> None:
    doctype = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    done = clean(
        f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!-- c -->\n{doctype}<svg {SVG}><g/>&nbsp;</svg>'
    )
    assert "DOCTYPE" not in done


def test_a_drawing_that_multiplies_itself_is_refused_at_once() -> None:
    levels = ['<g id="l0"><rect/></g>']
    levels += [f'<g id="l{n}">' + f'<use href="#l{n - 1}"/>' * 10 + "</g>" for n in range(1, 30)]
    before = time.monotonic()
    assert "repeating itself" in refusal(f"<svg {SVG}><defs>{''.join(levels)}</defs></svg>".encode())
    assert time.monotonic() - before < 30
    assert clean(f'<svg {SVG}><g id="a"><use href="#a"/></g><use id="b" href="#c"/><use id="c" href="#b"/></svg>')
    chain = "".join(f'<use id="c{n}" href="#c{n + 1}"/>' for n in range(20_000))
    assert "repeating itself" in refusal(f"<svg {SVG}>{chain}</svg>".encode())


def test_a_bomb_inside_an_svg_is_refused() -> None:
    inside = base64.b64encode(png(50_000, 50_000)).decode()
    assert "50000" in refusal(f'<svg {SVG}><image href="data:image/png;base64,{inside}"/></svg>'.encode())


text_of_svg = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
hostile_parts = st.sampled_from(
    ["url(", ")", "@import", "\\", "72", "/*", "*/", "'", '"', ";", "{", "}", "javascript:", "http://example.org/",
     "#a", "expression(", " ", "u\\72l(", "image-set(", "u", "r", "l", "(", "@", "import", "data:image/svg+xml,"]
)  # fmt: skip


@given(st.lists(hostile_parts, max_size=14).map("".join), st.sampled_from(["style", "fill", "text", "class"]))
@settings(max_examples=1500, deadline=None)
def test_no_mixture_of_hostile_parts_gets_through(mixture: str, where: str) -> None:
    root = etree.Element("{http://www.w3.org/2000/svg}svg")
    if where == "text":
        etree.SubElement(root, "{http://www.w3.org/2000/svg}style").text = mixture
    else:
        etree.SubElement(root, "{http://www.w3.org/2000/svg}rect").set(where, mixture)
    done = etree.fromstring(inspect(etree.tostring(root)).content)
    left = " ".join([*done.itertext(), *(value for part in done.iter() for value in part.attrib.values())])
    lowered = left.lower()
    for bare in (lowered, strip_comments(lowered)):
        assert "@import" not in bare
        assert "javascript:" not in bare
        assert "expression(" not in bare
        start = bare.find("url(")
        while start >= 0:
            assert bare[start + 4 :].lstrip(" '\"").startswith("#a"), left
            start = bare.find("url(", start + 1)


def strip_comments(css: str) -> str:
    while "/*" in css:
        start = css.index("/*")
        end = css.find("*/", start + 2)
        css = css[:start] + (css[end + 2 :] if end >= 0 else "")
    return css


@given(text_of_svg)
@settings(deadline=None)
def test_words_of_any_script_stay(words: str) -> None:
    root = etree.Element("{http://www.w3.org/2000/svg}svg")
    etree.SubElement(root, "{http://www.w3.org/2000/svg}text").text = words
    done = etree.fromstring(inspect(etree.tostring(root, encoding="utf-8")).content)
    assert (done[0].text or "") == words


@given(st.binary(max_size=300), st.sampled_from(["", "a.csv", "a.svg", "a.png"]), st.sampled_from(
    [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.4", b"RIFF\x00\x00\x00\x00WEBP", b"<svg "]
))  # fmt: skip
@settings(max_examples=1500, deadline=None)
def test_any_bytes_get_a_type_or_a_reason(content: bytes, name: str, start: bytes) -> None:
    try:
        done = inspect(start + content, name)
    except Refused as refused:
        assert refused.reason
    else:
        assert "/" in done.media_type


@given(st.integers(0, 200), st.integers(0, 255), st.sampled_from(["PNG", "GIF", "JPEG", "WEBP"]))
@settings(max_examples=500, deadline=None)
def test_a_picture_with_a_changed_byte_never_crashes(place: int, value: int, form: str) -> None:
    content = bytearray(picture(form))
    content[place % len(content)] = value
    try:
        inspect(bytes(content))
    except Refused:
        pass


# ---- PDF ------------------------------------------------------------------------------------------------------

PACKED = zlib.compress(b"1 0 2 30 << /S /JavaScript /JS (app.alert\\(1\\)) >>")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pdf(b"1 0 obj << /OpenAction << /S /JavaScript /JS (app.alert) >> >> endobj"), "JavaScript"),
        (pdf(b"1 0 obj << /S /J#61vaScr#69pt >> endobj"), "JavaScript"),
        (pdf(b"1 0 obj << /S/Launch /F (cmd.exe) >> endobj"), "starts a program"),
        (pdf(b"1 0 obj << /Type /EmbeddedFile >> stream\nabc\nendstream endobj"), "embedded file"),
        (pdf(b"1 0 obj << /S /SubmitForm >> endobj"), "sends a form"),
        (pdf(b"1 0 obj << /S /GoToR /F (other.pdf) >> endobj"), "opens another file"),
        (pdf(b"1 0 obj << /Encrypt 5 0 R >> endobj"), "encrypted"),
        (pdf(b"1 0 obj << /Type /ObjStm /N 1 /First 8 /Filter /FlateDecode >> stream\n" + PACKED + b"\nendstream"),
         "JavaScript"),
        (pdf(b"1 0 obj << /Type /Obj#53tm /N 1 /X (obj) /Filter /FlateDecode >> stream\r\n" + PACKED + b"\nendstream"),
         "JavaScript"),
        (pdf(b"1 0 obj << /Type /ObjStm /First 8 /Filter [/ASCIIHexDecode /FlateDecode] >> stream\n00\nendstream"),
         "unusual way"),
        (pdf(b"1 0 obj << /Subtype /Image /Width 50000 /Height 50000 >> stream\n00\nendstream"), "50000 by 50000"),
        (pdf(tail=b"<html>"), "behind its end"),
        (pdf() + archive(), "behind its end"),
        (b"%PDF-1.4\nnothing", "breaks off"),
        (b"\x00\x00" + pdf(), "before its header"),
    ],
)  # fmt: skip
def test_active_and_broken_pdfs_are_refused(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_a_pdf_that_unpacks_without_end_is_refused() -> None:
    bomb = zlib.compress(bytes(700 * 1024 * 1024), 9)
    assert len(bomb) < 1_000_000
    content = pdf(b"1 0 obj << /Filter /FlateDecode >> stream\n" + bomb + b"\nendstream endobj")
    assert "512 MiB" in refusal(content)


def test_words_on_a_page_are_no_action() -> None:
    page = zlib.compress(b"BT (Pre/Launch phase, /JavaScript) Tj ET")
    content = pdf(b"1 0 obj << /Filter /FlateDecode >> stream\n" + page + b"\nendstream endobj")
    assert inspect(content).media_type == "application/pdf"


def test_json_stays_byte_for_byte() -> None:
    content = json.dumps({"größe": [1.5, "x"]}, ensure_ascii=False).encode()
    assert inspect(content).content == content
