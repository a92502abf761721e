"""Folders, globs and names to files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepresearch.corpus import discover
from deepresearch.model.errors import UsageError


def names(paths: list[Path], folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in paths]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    for name in (
        "b.md", "a.txt", "sub/deep/c.pdf", "sub/日本 😀.txt", ".hidden", ".git/config", "~$x.docx", "Thumbs.db",
        "sub/.DS_Store",
        "a.txt~",
    ):  # fmt: skip
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return top


def test_a_folder_is_walked_in_a_stable_order_without_litter(tree: Path) -> None:
    expected = ["a.txt", "b.md", "sub/日本 😀.txt", "sub/deep/c.pdf"]
    assert names(discover([tree]), tree) == expected
    assert names(discover([tree, tree / "a.txt", str(tree / "sub")]), tree) == expected


def test_globs_and_files_named_outright(tree: Path) -> None:
    assert names(discover([str(tree / "*.md")]), tree) == ["b.md"]
    assert names(discover([str(tree / "**" / "*.pdf")]), tree) == ["sub/deep/c.pdf"]
    assert names(discover([tree / ".hidden"]), tree) == [".hidden"]
    (tree / "odd[1].txt").write_text("x")
    assert names(discover([tree / "odd[1].txt"]), tree) == ["odd[1].txt"]


def test_links_in_circles_and_out_of_the_folder(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("x")
    (tree / "circle").symlink_to(tree)
    (tree / "out").symlink_to(outside)
    (tree / "leak.txt").symlink_to(outside / "secret.txt")
    (tree / "broken").symlink_to(tree / "nowhere")
    (tree / "same.txt").symlink_to(tree / "a.txt")
    found = names(discover([tree]), tree)
    assert found == ["a.txt", "b.md", "same.txt", "sub/日本 😀.txt", "sub/deep/c.pdf"]
    # A link named by the person is followed.
    assert discover([tree / "leak.txt"]) == [tree / "leak.txt"]


def test_names_of_bytes_that_are_no_unicode(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.txt")).write_text("x")
    (path,) = discover([tmp_path])
    assert path.read_text() == "x"


def test_what_cannot_be_carried_out(tree: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ".hidden").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    for given, words in (
        ([], "No sources"),
        ([tree / "none.txt"], "no such file"),
        ([empty], "no file to read"),
        ([str(tree / "*.xyz")], "no such file"),
        ([tmp_path / "dangling"], "leads nowhere"),
        ([tmp_path / "pipe"], "neither a file nor a folder"),
        (["a\0b"], "impossible path"),
        ([""], "impossible path"),
        ([tree / "a.txt" / "b"], "no such file"),
    ):
        with pytest.raises(UsageError, match=words):
            discover(given)
