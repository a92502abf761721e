"""Attacks by what lies in the working folder (27 to 35, 60)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from tests.sandbox.attacks.model import Attack, Outcome


def _only_honest(outcome: Outcome) -> None:
    assert outcome.paths() <= {"honest.txt"}
    assert outcome.rejected()


def _nothing_hostile(outcome: Outcome) -> None:
    for path in outcome.paths():
        assert not path.startswith("/")
        assert ".." not in path.split("/")
        assert path.isprintable()


def _content_checked(outcome: Outcome) -> None:
    kinds = {output.path: output.media_type for output in outcome.result.outputs}
    for output in outcome.result.outputs:
        if output.media_type == "image/svg+xml":
            for trace in (b"script", b"file:", b"iframe", b"onload", b"http://127"):
                assert trace not in output.content
    assert "active.svg" in kinds
    assert {"entity.svg", "active.pdf", "both.png", "bomb.png"} <= outcome.rejected()
    assert kinds["page.png"] == "text/plain"


def _archive_untouched(outcome: Outcome) -> None:
    (bomb,) = outcome.result.outputs
    assert bomb.media_type == "application/octet-stream"
    assert bomb.size < 1_000_000
    assert outcome.memory_grown < 128 * 1024 * 1024


def _documented(_outcome: Outcome) -> None:
    page = Path(__file__).parents[3] / "docs/security.md"
    assert "locks" in page.read_text(encoding="utf-8")


def _bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100 * 1024 * 1024))
        archive.writestr("../../etc/cron.d/owned", "x")
    return buffer.getvalue()


def _is_empty(outcome: Outcome) -> None:
    assert not outcome.result.outputs


def _no_passwd(outcome: Outcome) -> None:
    assert not outcome.shows("root:x:0:0")
    assert not outcome.shows(outcome.canary)


ATTACKS = [
    Attack(
        "symlinks", (27,), "Outputs that are symbolic links are never followed",
        """
open("honest.txt", "w").write("honest")
for number, target in enumerate([CANARY, "/etc/passwd", "../../../.." + CANARY, "/proc/self/environ", "dangling",
                                 "loop", "/proc/1/root" + CANARY, "/"]):
    os.symlink(target, f"link{number}.png")
os.symlink("loop", "loop")
""",
        ("ok",), _only_honest,
    ),
    Attack(
        "symlinked-parent", (28,), "A folder replaced by a link is never entered",
        """
open("honest.txt", "w").write("honest")
os.symlink(os.path.dirname(CANARY), "out")
os.symlink("/etc", "etc")
os.mkdir("real"); os.rename("real", "was-real"); os.symlink("/", "real")
""",
        judge=_only_honest,
    ),
    Attack(
        "hard-links", (29,), "Hard links are not handed out, and none to anything outside can be made",
        """
open("honest.txt", "w").write("honest")
open("first.txt", "w").write("x"); os.link("first.txt", "second.txt")
for target in (CANARY, "/etc/passwd", sys.executable):
    refused(f"link to {target}", os.link, target, "stolen")
""",
        judge=_only_honest,
    ),
    Attack(
        "fifo", (30,), "A named pipe cannot hold the collector up",
        """
try: os.mkfifo("plot.svg")
except OSError: pass
""",
        judge=_is_empty,
    ),
    Attack(
        "sockets-and-devices", (31,), "Sockets are rejected, device nodes cannot be made",
        """
held = socket.socket(socket.AF_UNIX); held.bind("plot.svg")
refused("char device", os.mknod, "null", 0o20666, os.makedev(1, 3))
refused("block device", os.mknod, "disk", 0o60666, os.makedev(8, 0))
""",
        judge=_is_empty,
    ),
    Attack(
        "swapping", (32,), "Swapping files and links in a loop while they are collected leaks nothing",
        """
open("honest.txt", "w").write("honest")
for worker in range(8):
    if os.fork() == 0:
        os.setsid()
        while True:
            name = f"swap{worker}.txt"
            try:
                with open(name + ".f", "w") as file: file.write("file")
                os.rename(name + ".f", name)
                os.symlink(CANARY if worker % 2 else "/etc/passwd", name + ".l"); os.rename(name + ".l", name)
            except OSError: pass
time.sleep(1.5)
""",
        judge=_no_passwd,
    ),
    Attack(
        "hostile-names", (33,), "Hostile names are escaped or rejected",
        r"""
for name in [b"new\nline.txt", b"x" * 255, b"\xff\xfe.txt", b"-rf", b"a\xe2\x80\xaegnp.exe", b"Case.txt", b"case.txt",
             b"esc\x1b[2J.txt", b"tab\t.txt", b"..hidden", b"\xe2\x80\xa6.txt", b"a\\..\\b.txt", b"CON", b" lead"]:
    with open(name, "wb") as file: file.write(b"x")
os.makedirs(b"\xff/..a/b", exist_ok=True); open(b"\xff/..a/b/c.txt", "w").close()
""",
        judge=_nothing_hostile,
    ),
    Attack(
        "hostile-content", (34,), "Active SVG is cleaned; active PDF, polyglots and pixel bombs are refused",
        r'''
import struct, zlib
def chunk(kind, body): return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def png(w, h): return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))
                       + chunk(b"IDAT", zlib.compress(bytes(h * (3 * w + 1)) if w * h < 1e6 else b"")) + chunk(b"IEND", b""))
ns = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
open("active.svg", "w").write(f"""<svg {ns} onload="fetch('http://127.0.0.1:{PORT}')"><script>alert(1)</script>
<image xlink:href="file:///etc/passwd"/><image href="http://127.0.0.1:{PORT}/x.png"/>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="file:///etc/passwd"/></foreignObject></svg>""")
open("entity.svg", "w").write(f'<!DOCTYPE svg [<!ENTITY a SYSTEM "file://{CANARY}">]><svg {ns}><text>&a;</text></svg>')
open("active.pdf", "wb").write(b"%PDF-1.4\n1 0 obj <</OpenAction<</S/JavaScript/JS(app.alert)>>>> endobj\n%%EOF\n")
open("both.png", "wb").write(png(3, 3) + b"<html><script>alert(1)</script></html>")
open("bomb.png", "wb").write(png(50_000, 50_000))
open("page.png", "w").write("<html><script>alert(1)</script></html>")
''',
        judge=_content_checked,
    ),
    Attack(
        "archive-bomb", (35,), "Archives are opaque bytes, as inputs and as outputs",
        'os.rename("in.zip", "out.zip")\n',
        judge=_archive_untouched, files={"in.zip": _bomb()},
    ),
    Attack(
        "locks", (60,), "Locks on shared read-only files are a channel that is documented; leases are refused",
        """
import fcntl
for name in ("/usr/bin/dot", sys.executable, "/etc/passwd"):
    with open(name, "rb") as file:
        refused(f"lease on {name}", fcntl.fcntl, file, 1024, fcntl.F_WRLCK)
        refused(f"write lock on {name}", fcntl.lockf, file, fcntl.LOCK_EX | fcntl.LOCK_NB)
""",
        judge=_documented,
    ),
]  # fmt: skip
