"""Reports are written whole or not at all."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.report.material import ferry_report

from deepresearch.model.errors import StorageError
from deepresearch.report import write_reports
from deepresearch.report.files import clean_name


def test_paths_are_absolute_and_every_file_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = write_reports(*ferry_report(), Path("new folder/ünter"))
    assert list(report.paths) == ["markdown", "html", "json"]
    for path in [*report.paths.values(), *(figure.path for figure in report.figures)]:
        assert Path(path).is_absolute() and Path(path).stat().st_size > 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    name = "01-co2-emissions-of-tervane-sound-ferries-2014-to-2024-tonnes.svg"
    assert written == {
        f"new folder/ünter/{file}" for file in ("report.md", "report.html", "report.json", f"figures/{name}")
    }


def test_nothing_but_paths_and_figures_changes(tmp_path: Path) -> None:
    report, texts, artefacts = ferry_report()
    written = write_reports(report, texts, artefacts, tmp_path)
    restored = written.model_copy(update={"paths": report.paths, "figures": report.figures})
    assert restored == report
    assert written.figures[0].sha256 == report.figures[0].sha256


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    def contents() -> dict[str, bytes]:
        write_reports(*ferry_report(), tmp_path)
        return {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert contents() == contents()


def test_a_figure_without_bytes_becomes_a_limit(tmp_path: Path) -> None:
    report, texts, _ = ferry_report()
    for artefacts in ({}, {report.figures[0].sha256: b"MZ no picture"}):
        written = write_reports(report, texts, artefacts, tmp_path)
        assert written.figures == ()
        assert len(written.limits) == len(report.limits) + 1
        assert report.figures[0].title in written.limits[-1]


def test_an_empty_report_is_still_a_report(tmp_path: Path) -> None:
    report, _, _ = ferry_report()
    empty = report.model_copy(
        update={
            "answer": "", "claims": (), "conflicts": (), "limits": (), "figures": (), "sub_questions": (),
            "sources": (), "scripts": (),
        }
    )  # fmt: skip
    written = write_reports(empty, {}, {}, tmp_path)
    for kind in ("markdown", "html"):
        assert "No answer was found in these sources." in Path(written.paths[kind]).read_text("utf-8")


def test_a_file_in_the_way_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(StorageError, match=r"taken: the report was not written because a file .* Choose another --out"):
        write_reports(*ferry_report(), tmp_path / "taken")
    with pytest.raises(StorageError):
        write_reports(*ferry_report(), tmp_path / "taken" / "below")
    assert (tmp_path / "taken").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taken"]


def test_a_folder_where_a_file_has_to_be_leaves_the_older_files(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(StorageError, match="was not written"):
        write_reports(*ferry_report(), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]


_AS_NOBODY = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.report.material import ferry_report
from deepresearch.model.errors import StorageError
from deepresearch.report import write_reports
import os
import deepresearch.report.html
write_reports(*ferry_report(), Path(sys.argv[3]))  # everything is loaded before the user changes
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    write_reports(*ferry_report(), Path(sys.argv[1]))
except StorageError as error:
    print(error)
"""


def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    for parent in [tmp_path, *tmp_path.parents][:3]:
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", _AS_NOBODY, closed, Path(__file__).parents[2], tmp_path / "first"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.stdout.strip() == (
        f"{closed}: the report was not written because this user may not write there. Choose another --out."
    )
    assert list(closed.iterdir()) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system of 48 kB cannot be mounted here (that takes root)")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_leaves_the_older_report_whole(tiny_disk: Path) -> None:
    report, texts, artefacts = ferry_report()
    small = report.model_copy(update={"claims": (), "scripts": (), "figures": ()})
    write_reports(small, texts, {}, tiny_disk)
    before = {path: path.read_bytes() for path in tiny_disk.rglob("*") if path.is_file()}
    assert len(before) == 3
    with pytest.raises(StorageError, match="the disk is full"):
        write_reports(report, texts, artefacts, tiny_disk)
    after = {path: path.read_bytes() for path in tiny_disk.rglob("*") if path.is_file()}
    assert after == before
    assert not (tiny_disk / "figures").exists()


def test_a_link_in_place_of_a_report_is_replaced_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("untouched")
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.md").symlink_to(elsewhere)
    write_reports(*ferry_report(), out)
    assert elsewhere.read_text() == "untouched"
    assert not (out / "report.md").is_symlink()


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("CO2 (tonnes), 2014–2024", "co2-tonnes-2014-2024"),
        ("../../etc/passwd", "etc-passwd"),
        ("Größe des Flusses: weiß", "grosse-des-flusses-weiss"),
        ("日本語", ""),
        ("a" * 300, "a" * 60),
        ("con\x00\n.svg", "con-svg"),
        ("", ""),
    ],
)
def test_file_names_are_clean(title: str, name: str) -> None:
    assert clean_name(title) == name


PDF = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "media_type", "shown"),
    [
        (png(), "image/png", 'src="data:image/png;base64,'),
        (PDF, "application/pdf", 'href="figures/01-co2'),
    ],
)
def test_pictures_are_shown_inside_and_other_figures_linked(
    content: bytes, media_type: str, shown: str, tmp_path: Path
) -> None:
    report, texts, _ = ferry_report()
    written = write_reports(report, texts, {report.figures[0].sha256: content}, tmp_path)
    (figure,) = written.figures
    assert figure.media_type == media_type
    assert Path(figure.path).read_bytes() == content
    assert shown in Path(written.paths["html"]).read_text("utf-8")
