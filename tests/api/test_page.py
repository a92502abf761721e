"""The page in a real browser: ask, watch, read, decide; at a desk and on a phone."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.api.chromium import chromium
from tests.api.conftest import ACME
from tests.api.servers import DOCUMENTS, QUESTION, Server
from tests.report.browser import needs_chromium

_REPORT = "!document.getElementById('report').hidden"
_STATE = "document.getElementById('session-state').textContent"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "harbour.md"
    path.write_text(DOCUMENTS["harbour.md"])
    return path


def test_the_page_is_whole_in_itself_and_its_policy_is_strict(http: httpx.Client) -> None:
    answer = http.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    for outside in ('src="http', 'href="http', "url(", "@import", "//cdn"):
        assert outside not in answer.text


@needs_chromium
def test_a_person_asks_and_reads(http: httpx.Client, local: Server, document: Path, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as tab:
        tab.size(1200, 900)
        tab.go(f"{local.base}/")
        tab.until("document.getElementById('ask') && !document.getElementById('ask').hidden")
        tab.run(f"document.getElementById('question').value = {QUESTION!r}")
        tab.choose_files("#files", document)
        tab.run("document.getElementById('send').click()")
        tab.until(f"{_STATE} === 'completed'")
        tab.until(_REPORT)
        assert "1931" in tab.run("document.getElementById('frame').srcdoc")
        # The frame renders it with its own style, and without any right: a script in it would not run.
        assert tab.run("document.getElementById('frame').sandbox.length") == 0
        stages = tab.run("document.getElementById('stages').textContent")
        assert "Reading documents" in stages
        assert "Verifying" in stages
        assert tab.run(f"document.getElementById('sessions').textContent.includes({QUESTION!r})")
        assert tab.messages == []


@needs_chromium
def test_on_a_phone_nothing_is_wider_than_the_screen(local: Server, document: Path, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as tab:
        tab.size(360, 740, phone=True)
        tab.go(f"{local.base}/")
        tab.until("document.getElementById('ask') && !document.getElementById('ask').hidden")
        tab.run(f"document.getElementById('question').value = {('W' * 200)!r} + ' harbour?'")
        tab.run("document.getElementById('review').click()")
        tab.choose_files("#files", document)
        tab.run("document.getElementById('send').click()")
        tab.until(f"{_STATE} === 'needs review'")
        tab.until(_REPORT)
        assert tab.run("document.documentElement.scrollWidth") <= 360
        small = tab.run(
            "[...document.querySelectorAll('button')].filter(one => one.offsetParent && one.offsetHeight < 40).length"
        )
        assert small == 0, "buttons are large enough for a thumb"
        tab.run("document.querySelector('#review-form button[value=approve]').click()")
        tab.until(f"{_STATE} === 'completed'")
        tab.until(_REPORT)
        assert tab.messages == []


@needs_chromium
def test_a_token_is_asked_for_and_kept_for_the_tab(shared: Server, tmp_path: Path) -> None:
    with chromium(tmp_path / "profile") as tab:
        tab.go(f"{shared.base}/")
        tab.until("document.getElementById('gate') && !document.getElementById('gate').hidden")
        tab.run("document.getElementById('token').value = 'wrong'")
        tab.run("document.getElementById('gate-form').requestSubmit()")
        tab.until("!document.getElementById('gate-error').hidden")
        tab.run(f"document.getElementById('token').value = {ACME!r}")
        tab.run("document.getElementById('gate-form').requestSubmit()")
        tab.until("!document.getElementById('ask').hidden")
        assert tab.run("document.getElementById('gate').hidden")
        assert tab.run("localStorage.length") == 0
        assert tab.run("document.cookie") == ""


@needs_chromium
def test_hostile_words_stay_words(http: httpx.Client, local: Server, tmp_path: Path) -> None:
    nasty = tmp_path / "x.md"
    words = (
        "# <img src=x onerror=alert(1)>\n\nThe harbour of <script>document.title='owned'</script> was opened in 1931.\n"
    )
    nasty.write_text(words)
    with chromium(tmp_path / "profile") as tab:
        tab.go(f"{local.base}/")
        tab.until("document.getElementById('ask') && !document.getElementById('ask').hidden")
        tab.run(
            "document.getElementById('question').value = '<img src=x onerror=\"document.title=1\"> harbour opened?'"
        )
        tab.choose_files("#files", nasty)
        tab.run("document.getElementById('send').click()")
        tab.until(_REPORT)
        assert tab.run("document.title") == "DeepResearch"
        assert tab.run("document.querySelectorAll('main img, main script').length") == 0
        assert tab.messages == []
