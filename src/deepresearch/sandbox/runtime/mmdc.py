#!/usr/bin/env python3
"""The command `mmdc` where no browser is at hand: draws Mermaid diagrams with merman.

Understands the options of mermaid-cli that scripts use. SVG and PNG; no PDF, no formulas.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn


def main() -> None:
    """Draw one diagram."""
    options = _options()
    source = sys.stdin.read() if options.input in (None, "-") else _read(options.input)
    if options.output is None:
        options.output = (options.input if options.input not in (None, "-") else "out") + ".svg"
    kind = options.outputFormat or Path(options.output).suffix.lstrip(".").lower()
    if kind not in ("svg", "png"):
        _fail(f"This sandbox has no browser, so mmdc draws svg and png here and not {kind!r}.")
    svg = _draw(source, options)
    data = _rasterise(svg, options) if kind == "png" else svg.encode()
    if options.output == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(options.output).write_bytes(data)
    if not options.quiet and options.output != "-":
        print("Generating single mermaid chart")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mmdc", description="Draw a Mermaid diagram as SVG or PNG.")
    parser.add_argument("-i", "--input", help="file with the diagram; - for standard input")
    parser.add_argument("-o", "--output", help="file to write, .svg or .png; - for standard output")
    parser.add_argument("-e", "--outputFormat", help="svg or png, whatever the output's name ends in")
    parser.add_argument("-t", "--theme", default="default", help="default, forest, dark, neutral or base")
    parser.add_argument("-b", "--backgroundColor", default="white")
    parser.add_argument("-c", "--configFile", help="JSON configuration of Mermaid")
    parser.add_argument("-w", "--width", type=int, default=800)
    parser.add_argument("-H", "--height", type=int, default=600)
    parser.add_argument("-s", "--scale", type=float, default=1.0)
    parser.add_argument("-I", "--svgId")
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-p", "--puppeteerConfigFile", help="ignored: there is no browser")
    parser.add_argument("-C", "--cssFile", help="ignored: there is no browser")
    return parser.parse_args()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as refused:
        _fail(f"{path}: {refused.strerror}")


def _draw(source: str, options: argparse.Namespace) -> str:
    import merman  # type: ignore[import-not-found, unused-ignore]

    site: dict[str, Any] = {"theme": options.theme}
    if options.configFile:
        site |= json.loads(_read(options.configFile))
    request = {
        "svg": {"pipeline": "resvg-safe", "diagram_id": options.svgId or "my-svg"},
        "site_config": site,
    }
    try:
        svg: str = merman.Merman().render_svg(source, json.dumps(request))
    except Exception as refused:
        _fail(str(getattr(refused, "message", refused)))
    return svg


def _rasterise(svg: str, options: argparse.Namespace) -> bytes:
    import resvg_py  # type: ignore[import-not-found, unused-ignore]

    # A font must be named, or the labels would be left out without a word.
    background = None if options.backgroundColor == "transparent" else options.backgroundColor
    data = resvg_py.svg_to_bytes(
        svg_string=svg,
        background=background,
        zoom=max(1, round(options.scale)),
        font_dirs=["/usr/share/fonts"],
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
        serif_family="DejaVu Serif",
        monospace_family="DejaVu Sans Mono",
    )
    return bytes(data)


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
