"""The report as one HTML file that holds everything and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from pygments import highlight  # type: ignore[import-untyped,unused-ignore]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped,unused-ignore]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped,unused-ignore]

from deepresearch.report import names
from deepresearch.report.layout import Layout
from deepresearch.report.visible import visible

_LONGEST_COLOURED_SCRIPT = 40_000


def render_html(layout: Layout, pictures: Mapping[str, str]) -> str:
    """Return the whole report. `pictures` gives the ``data:`` address of each figure by its `path`.

    Every value that the template prints is escaped, and unseen characters are made visible first. The content
    security policy allows pictures from ``data:`` and the one style sheet by its hash, and nothing else.
    """
    style = _resource("style.css")
    return _template().render(
        layout=layout,
        report=layout.report,
        pictures=pictures,
        style=Markup(style),  # noqa: S704 - our own file
        policy=content_security_policy(style),
        names=names,
        coloured=_coloured,
    )


def content_security_policy(style: str) -> str:
    """Return a policy that allows this style sheet and pictures inside the file, and no script at all."""
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; script-src 'none'; "
        "base-uri 'none'; form-action 'none'"
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(_resource("template.html.j2"))


def _resource(name: str) -> str:
    return files("deepresearch.report").joinpath(name).read_text("utf-8")


def _shown(value: object) -> object:
    """Run over everything the template prints, so that no place can forget it. Escaping comes after it."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _coloured(script: str) -> Markup:
    """Return a Python script with its parts marked for the style sheet; very long ones plain."""
    shown = visible(script).strip("\n")
    if len(shown) > _LONGEST_COLOURED_SCRIPT:
        return Markup.escape(shown)
    # The formatter escapes every token; its own spans are the only markup.
    return Markup(highlight(shown, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))  # noqa: S704
