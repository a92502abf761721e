"""Bakes Matplotlib's settings and font list into a folder. Runs with the interpreter of the runtime being built.

    python -I fonts.py FOLDER

Scripts name fonts that the machine of their author had (Arial, SimHei, Hiragino Sans) or none at all, and write
in any script. So the list that is baked answers to those names with fonts that are there, and the default family is a
chain that ends in symbols and emoji, whose missing glyphs are looked up along it. Standard library and Matplotlib only.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path
from typing import Any

#: Looked for in this order, character by character. Those that are not installed are left out.
CHAIN = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "Noto Emoji",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Bengali",
    "Noto Sans Tamil",
    "Noto Sans Thai",
    "Noto Sans Ethiopic",
    "Noto Sans Symbols",
    "Noto Sans Symbols2",
    "Noto Sans Math",
    "Symbola",
)
SERIF = ("DejaVu Serif", "Noto Serif CJK JP")
MONOSPACE = ("DejaVu Sans Mono", "Noto Sans Mono CJK JP")

#: Names that scripts ask for, and the installed families that stand in, best first.
STAND_INS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("Arial", "Helvetica", "Helvetica Neue", "Arial Unicode MS"): ("Liberation Sans", "DejaVu Sans"),
    ("Verdana", "Tahoma", "Segoe UI", "Calibri", "Trebuchet MS", "Lucida Grande"): ("DejaVu Sans",),
    ("Times New Roman", "Times", "Cambria", "Georgia"): ("Liberation Serif", "DejaVu Serif"),
    ("Courier New", "Courier", "Consolas", "Menlo", "Monaco"): ("Liberation Mono", "DejaVu Sans Mono"),
    ("SimHei", "Microsoft YaHei", "PingFang SC", "Heiti SC", "STHeiti", "Source Han Sans SC", "WenQuanYi Micro Hei"): (
        "Noto Sans CJK SC",
        "Noto Sans CJK JP",
        "WenQuanYi Zen Hei",
        "Droid Sans Fallback",
    ),
    ("SimSun", "NSimSun", "FangSong", "KaiTi", "STSong", "Songti SC"): (
        "Noto Serif CJK SC",
        "Noto Sans CJK SC",
        "Noto Sans CJK JP",
    ),
    ("Microsoft JhengHei", "PingFang TC", "PingFang HK", "Heiti TC", "MingLiU"): (
        "Noto Sans CJK TC",
        "Noto Sans CJK JP",
    ),
    ("IPAexGothic", "IPAGothic", "TakaoGothic", "MS Gothic", "Yu Gothic", "Meiryo", "Hiragino Sans", "Noto Sans JP"): (
        "Noto Sans CJK JP",
        "Droid Sans Fallback",
    ),
    ("Malgun Gothic", "NanumGothic", "AppleGothic", "Noto Sans KR"): ("Noto Sans CJK KR", "Noto Sans CJK JP"),
    ("Apple Color Emoji", "Segoe UI Emoji", "Segoe UI Symbol", "Noto Color Emoji", "EmojiOne"): (
        "Noto Emoji",
        "Symbola",
    ),
}

#: Weights that are listed: a long list makes every search for a font slow.
_WEIGHTS = (400, 700)
_KEPT = ("DejaVu", "Liberation", "Noto Sans CJK", "Noto Serif CJK", "Noto Sans Mono CJK", "STIX", "cm", "Symbola")


def bake(folder: Path) -> None:
    """Write `fontlist-….json` and `matplotlibrc` into `folder`, which must exist."""
    os.environ["MPLCONFIGDIR"] = str(folder)
    os.environ["MPLBACKEND"] = "Agg"
    from matplotlib import font_manager  # type: ignore[import-not-found, unused-ignore]

    manager: Any = font_manager.fontManager
    manager.ttflist = [entry for entry in manager.ttflist if _wanted(entry)]
    families = {entry.name for entry in manager.ttflist}
    manager.ttflist += _stand_ins(manager.ttflist, families)
    for listed in folder.glob("fontlist-*.json"):
        font_manager.json_dump(manager, str(listed))
    chains = {
        "sans-serif": _present(CHAIN, families),
        "serif": _present(SERIF, families) + _present(CHAIN[1:], families),
        "monospace": _present(MONOSPACE, families) + _present(CHAIN[1:], families),
    }
    # Only families named here are searched for a missing glyph: those behind a generic name are alternatives to it.
    lines = [f"font.family: {', '.join(['sans-serif', *chains['sans-serif'][1:]])}"]
    lines += [f"font.{kind}: {', '.join(names)}" for kind, names in chains.items()]
    (folder / "matplotlibrc").write_text("backend: Agg\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _present(names: tuple[str, ...], families: set[str]) -> list[str]:
    return [name for name in names if name in families]


def _wanted(entry: Any) -> bool:
    name, weight = entry.name, entry.weight
    if name not in CHAIN and not name.startswith(_KEPT):
        return False
    return name.startswith(("DejaVu", "STIX", "cm")) or weight in _WEIGHTS or weight in ("normal", "regular", "bold")


def _stand_ins(entries: list[Any], families: set[str]) -> list[Any]:
    made = []
    for names, candidates in STAND_INS.items():
        present = _present(candidates, families)
        if not present:
            continue
        faces = [entry for entry in entries if entry.name == present[0]]
        for name in names:
            if name not in families:
                made += [dataclasses.replace(face, name=name) for face in faces]
    return made


if __name__ == "__main__":
    bake(Path(sys.argv[1]))
