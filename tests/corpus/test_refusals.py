"""Every file that cannot be read is refused with its kind and half a sentence."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
from tests.corpus.made_files import Run, assemble_pdf, lines, make_all, make_docx, make_pdf, make_xlsx

from deepresearch.corpus import LoadLimits, load, load_bytes, split
from deepresearch.model.errors import SourceError

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def zipped(parts: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def word_file(body: str, before: str = "") -> bytes:
    document = f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document})


def rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    j = 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    out = bytearray()
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def encrypted_pdf(password: bytes = b"secret") -> bytes:
    """A PDF that needs a password: the standard handler, revision 2 (ISO 32000-1, 7.6.3)."""
    padded = (password + PADDING)[:32]
    owner = rc4(hashlib.md5(padded).digest()[:5], padded)
    identity = b"0123456789abcdef"
    key = hashlib.md5(padded + owner + (-4).to_bytes(4, "little", signed=True) + identity).digest()[:5]
    user = rc4(key, PADDING)
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
        4: b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (owner.hex().encode(), user.hex().encode()),
    }
    return assemble_pdf(objects, f" /Encrypt 4 0 R /ID [<{identity.hex()}> <{identity.hex()}>]")


def entity_bomb() -> bytes:
    entities = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{number} "{f"&a{number - 1};" * 10}">' for number in range(1, 10)
    )
    return word_file("<w:p><w:r><w:t>&a9;</w:t></w:r></w:p>", f"<!DOCTYPE x [{entities}]>")


CASES: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("a.txt", b"", "empty"),
    "only white space": ("a.txt", b" \r\n\t\n", "empty"),
    "only a mark": ("a.md", b"\xef\xbb\xbf", "empty"),
    "binary named .txt": ("a.txt", bytes(range(256)) * 30, "binary"),
    "a NUL far inside": ("a.txt", b"text " * 50_000 + b"\0" + b"more", "binary"),
    "an image named .md": ("a.md", b"\x89PNG\r\n\x1a\n" + bytes(100), "binary"),
    "encrypted PDF": ("a.pdf", encrypted_pdf(), "encrypted"),
    "PDF cut off": ("a.pdf", make_pdf([lines(["Text"])])[:200], "broken"),
    "PDF of nothing but its header": ("a.pdf", b"%PDF-1.7\n" + b"x" * 500, "broken"),
    "scanned PDF": ("a.pdf", make_pdf([[], []]), "no_text"),
    "Word file cut off": ("a.docx", make_docx()[:2_000], "broken"),
    "workbook cut off": ("a.xlsx", make_xlsx()[:-400], "broken"),
    "encrypted Office file": (
        "a.docx",
        OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(99),
        "encrypted",
    ),
    "old Word file": ("a.doc", OLE + bytes(600) + "WordDocument".encode("utf-16-le") + bytes(99), "unknown_format"),
    "RTF": ("a.rtf", b"{\\rtf1 hello}", "unknown_format"),
    "ZIP archive": ("a.zip", zipped({"a.txt": "hello"}), "unknown_format"),
    "entity bomb": ("a.docx", entity_bomb(), "broken"),
    "entity of a local file": (
        "a.docx",
        word_file("<w:p><w:r><w:t>&x;</w:t></w:r></w:p>", '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>'),
        "broken",
    ),
    "zip bomb": ("a.docx", word_file(" " * 160_000_000), "too_large"),
    "empty Word file": ("a.docx", word_file(""), "no_text"),
    "empty page": ("a.html", b"<!doctype html><html><body><script>x</script></body></html>", "no_text"),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_refused_in_one_sentence(case: str) -> None:
    name, data, kind = CASES[case]
    with pytest.raises(SourceError) as caught:
        load_bytes(data, f"/somewhere/{name}")
    assert caught.value.kind == kind
    assert caught.value.path == f"/somewhere/{name}"
    assert 10 < len(caught.value.reason) < 200
    assert "\n" not in str(caught.value) and "Traceback" not in str(caught.value)


def test_the_limit_is_named_before_a_byte_too_many_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(SourceError, match=r"200\.0 MB and the limit for text files is 50 MB") as caught:
        load(path)
    assert caught.value.kind == "too_large"
    pdf = tmp_path / "a.pdf"
    pdf.write_bytes(make_pdf([lines(["Text"])]))
    with pytest.raises(SourceError, match=r"PDF files is 0\.0001 MB"):
        load(pdf, LoadLimits(pdf_bytes=100))


def test_missing_folders_pipes_and_links(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, kind in (("none.txt", "missing"), (".", "binary"), ("pipe", "binary"), ("loop", "missing")):
        with pytest.raises(SourceError) as caught:
            load(tmp_path / name)
        assert caught.value.kind == kind


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    path.chmod(0)
    with pytest.raises(SourceError) as caught:
        load(path)
    assert caught.value.kind == "permission"


def test_wrong_extensions_are_read_by_content(tmp_path: Path) -> None:
    files = make_all()
    for name, wrong, media in (
        ("report.pdf", "report.txt", "application/pdf"),
        ("study.docx", "study.pdf", "wordprocessingml"),
        ("sales.xlsx", "sales.csv", "spreadsheetml"),
        ("traffic.pptx", "traffic.docx", "presentationml"),
        ("river.html", "river.txt", "text/html"),
        ("log.txt", "log.pdf", "text/plain"),
        ("log.txt", "log", "text/plain"),
    ):
        document = load_bytes(files[name], wrong)
        assert media in document.media_type
        if wrong != "log" and not name.startswith("log"):
            assert any("although it is named" in note for note in document.notes)


def test_names_that_are_no_unicode_survive_json(tmp_path: Path) -> None:
    from deepresearch.corpus import discover, source_path
    from deepresearch.model.documents import Document

    folder = os.fsencode(tmp_path)
    for name in (b"caf\xe9 \xff.txt", "日本 😀 данные.txt".encode()):
        Path(os.fsdecode(folder + b"/" + name)).write_text("Some text.")
    documents = [load(path) for path in discover([tmp_path])]
    assert len(documents) == 2
    for document in documents:
        again = Document.model_validate_json(document.model_dump_json())
        assert source_path(again.source).read_text() == "Some text."
        assert split(again)


def test_huge_pages_and_deep_nesting_keep_their_text() -> None:
    deep = "<html><body>" + "<div>" * 50_000 + "<p>hello &amp; there</p><script>no</script>" + "</div>" * 50_000
    assert load_bytes(deep.encode(), "a.html").text == "hello & there"
    cells = "<td rowspan=1000 colspan=1000>a</td>" * 20
    spans = f"<html><table><tr>{cells}</tr>{'<tr><td>1</td><td>2</td></tr>' * 50}</table></html>"
    document = load_bytes(spans.encode(), "a.html")
    assert all(document.text[cell.start : cell.end] == cell.text for row in document.tables[0].rows for cell in row)


def test_a_table_over_the_limit_is_cut_and_said() -> None:
    limits = LoadLimits(table_rows=5)
    rows = "".join(f"{number},x\n" for number in range(50))
    document = load_bytes(rows.encode(), "a.csv", limits)
    assert len(document.tables[0].rows) == 5
    assert document.text == rows
    assert "About 45 rows" in document.notes[0]
    markup = "<html><table>" + "".join(f"<tr><td>{n}</td><td>y</td></tr>" for n in range(50)) + "</table></html>"
    page = load_bytes(markup.encode(), "a.html", limits)
    assert len(page.tables[0].rows) == 5
    assert "49\ty" in page.text


def test_pdf_pages_that_are_blank_are_named() -> None:
    text: list[Run] = [Run(72, 700, "A page with enough text to be read as a page of text.")]
    document = load_bytes(make_pdf([text, [], text]), "a.pdf")
    assert document.notes == ("Pages without text (blank or pictures): 2.",)
    assert [page.number for page in document.pages] == [1, 2, 3]
