"""The page as one document: its style and its script are inside it and named by their hashes in its policy."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)


@router.get("/")
def page() -> Response:
    """The page."""
    content, policy = _page()
    return Response(
        content,
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"},
    )


@lru_cache(maxsize=1)
def _page() -> tuple[bytes, str]:
    style, script = _resource("page.css"), _resource("page.js")
    report_style = files("deepresearch.report").joinpath("style.css").read_text("utf-8")
    document = _resource("page.html").replace("/*style*/", style).replace("/*script*/", script)
    # The report is shown in a frame of this page without any rights; its own style is the one thing it needs.
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}' '{_hash(report_style)}'; "
        "img-src data:; connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return document.encode("utf-8"), policy


def _resource(name: str) -> str:
    return files("deepresearch.api.page").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
