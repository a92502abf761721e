"""HTML: what a reader sees of a page, in order, with headings and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from deepresearch.corpus.dating import read_date, version_of
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.main_content import MainContent, main_content
from deepresearch.corpus.parsed import Parsed, TextBuilder, one_line, storable
from deepresearch.corpus.sniffing import NotReadableError
from deepresearch.corpus.tables import make_table
from deepresearch.corpus.web_fallback import text_blocks
from deepresearch.corpus.web_tables import is_data_table, table_grid

SILENT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "svg",
        "math",
        "canvas",
        "object",
        "embed",
        "iframe",
        "audio",
        "video",
        "map",
        "select",
        "datalist",
        "button",
        "input",
        "textarea",
        "progress",
        "meter",
        "dialog",
    ]
)
BOILERPLATE = frozenset({"nav", "footer", "aside"})
BOILERPLATE_ROLES = frozenset({"navigation", "contentinfo", "banner", "complementary", "search", "menu", "menubar"})
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "caption",
    ]
)
TIGHT = frozenset({"li", "dd", "dt"})
HEADINGS = {f"h{level}": level for level in range(1, 7)}
HIDING_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d])", re.IGNORECASE
)
CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)|<\?xml[^>]{0,100}encoding=[\"']([\w.-]+)",
    re.IGNORECASE,
)

DATE_NAMES = (
    "article:modified_time", "dcterms.modified", "dc.date.modified", "last-modified", "revised",
    "article:published_time",
    "dcterms.date", "dc.date", "dcterms.created", "dc.date.issued", "date", "pubdate", "publishdate",
    "datepublished", "citation_date",
    "citation_publication_date",
)  # fmt: skip
MAX_HEADINGS = 20_000
#: A main part with less of the page's text than this is a mistake: then the page is read whole.
LEAST_MAIN = 0.1
VERSION_NAMES = ("version", "dcterms.hasversion", "revision")


def declared_charset(data: bytes) -> str | None:
    """The charset a page names in its first 4,096 bytes."""
    match = CHARSET.search(data[:4096])
    return (match[1] or match[2]).decode("ascii") if match else None


def parse_web_page(text: str, limits: LoadLimits, *, main_only: bool = False) -> Parsed:
    """The visible text of a whole page. Raises `NotReadableError` when there is no markup.

    Left out: scripts, styles, form controls, comments, what is hidden (``hidden``, ``aria-hidden``,
    ``display: none``), and what the page marks as navigation, footer or aside; with `main_only` also what is not
    marked and still beside its matter: banners, teasers, comments.
    """
    from lxml import etree

    # libxml2 cuts a document off at a depth of 255 unless it is told that the input is huge.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    text = storable(text)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except (etree.XMLSyntaxError, etree.ParserError, ValueError) as error:
        raise NotReadableError("broken", "it holds no HTML that can be read") from error
    if root is None:
        raise NotReadableError("broken", "it holds no HTML that can be read")
    parsed = _Page(limits).read(root)
    if main_only and (main := main_content(text)) is not None:
        narrowed = _Page(limits, main).read(root)
        if len(narrowed.text) >= LEAST_MAIN * len(parsed.text):
            parsed = narrowed
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        return _without_structure(text, parsed)
    return parsed


def _without_structure(text: str, parsed: Parsed) -> Parsed:
    builder = TextBuilder()
    for block in text_blocks(text):
        builder.block(block)
    note = "The page nests too deep: its text was taken without headings, tables and the marks of hidden parts."
    return replace(parsed, text=builder.text, headings=[], tables=[], notes=[note])


class _Page:
    def __init__(self, limits: LoadLimits, main: MainContent | None = None) -> None:
        self.main = main
        self.beside = 0
        self.limits = limits
        self.builder = TextBuilder()
        self.inline: list[str] = []
        self.tight = False
        self.marker = ""
        self.hidden = 0
        self.boilerplate = 0
        self.cells = 0
        self.cut_rows = 0

    def read(self, root: Any) -> Parsed:
        body = root.find("body")
        self._walk(root if body is None else body)
        self._flush()
        if not self.builder.length and self.boilerplate:
            # A page that is nothing but an aside: better that than nothing.
            self.builder, self.boilerplate = TextBuilder(), 0
            self._walk(root if body is None else body, keep_boilerplate=True)
            self._flush()
        notes = self.builder.notes
        if self.hidden:
            notes.append(f"Text the page hides from its readers was left out ({self.hidden:,} elements).")
        if self.boilerplate:
            notes.append(f"Navigation, footer and asides were left out ({self.boilerplate:,} elements).")
        if self.beside:
            notes.append(f"What is beside the page's main text was left out ({self.beside:,} paragraphs).")
        if self.cut_rows:
            notes.append(f"{self.cut_rows:,} rows of large tables are in the text but were not taken as cells.")
        parsed = Parsed(
            text=self.builder.text,
            media_type="text/html",
            headings=self.builder.headings,
            tables=self.builder.tables,
            notes=notes,
            language=(root.get("lang") or "")[:2].lower() or None,
        )
        self._metadata(root, parsed)
        return parsed

    def _metadata(self, root: Any, parsed: Parsed) -> None:
        values: dict[str, str] = {}
        for meta in root.iter("meta"):
            name = meta.get("name") or meta.get("property") or meta.get("itemprop") or meta.get("http-equiv")
            if name and meta.get("content"):
                values.setdefault(name.lower(), meta.get("content"))
        title = one_line(root.findtext(".//head/title") or root.findtext(".//title") or "")
        top = next((heading.title for heading in parsed.headings if heading.level == 1), None)
        parsed.title = title or values.get("og:title") or top
        parsed.date = next((found for name in DATE_NAMES if (found := read_date(values.get(name, "")))), None)
        if parsed.date is None:
            for element in root.iter("time"):
                if element.get("datetime") and (element.get("pubdate") is not None or element.get("itemprop")):
                    parsed.date = read_date(element.get("datetime"))
                    break
        parsed.date_is_said = parsed.date is not None
        parsed.version = next((version_of(values[name]) for name in VERSION_NAMES if values.get(name)), None)

    def _walk(self, top: Any, *, keep_boilerplate: bool = False) -> None:
        from lxml import etree

        walker = etree.iterwalk(top, events=("start", "end"))
        for event, element in walker:
            tag = element.tag
            if event == "end":
                if tag in BLOCKS:
                    self._flush()
                if element.tail and element is not top:
                    self.inline.append(element.tail)
                continue
            if not isinstance(tag, str) or self._is_left_out(element, tag, keep_boilerplate):
                walker.skip_subtree()
            elif tag == "table" and is_data_table(element):
                self._flush()
                self._table(element)
                walker.skip_subtree()
            elif tag in HEADINGS:
                self._flush()
                title = self._cell_text(element)
                if title and (self.main is None or tag == "h1" or self.main.holds(title)):
                    self._heading(HEADINGS[tag], title)
                walker.skip_subtree()
            else:
                self._enter(element, tag)
                if element.text:
                    self.inline.append(element.text)

    def _heading(self, level: int, title: str) -> None:
        if len(self.builder.headings) < MAX_HEADINGS:
            self.builder.heading(level, title)
        else:
            self.builder.block(title)

    def _is_left_out(self, element: Any, tag: str, keep_boilerplate: bool) -> bool:
        if tag in SILENT:
            return True
        if _is_hidden(element):
            self.hidden += 1
            return True
        role = element.get("role")
        if not keep_boilerplate and (tag in BOILERPLATE or (role and role.lower() in BOILERPLATE_ROLES)):
            if tag != "nav" and any(
                child.tag in ("main", "article", "h1") for child in element.iter("main", "article", "h1")
            ):
                return False
            self.boilerplate += 1
            return True
        return False

    def _enter(self, element: Any, tag: str) -> None:
        if tag == "br":
            self.inline.append("\n")
        elif tag == "pre":
            self._flush()
        elif tag in BLOCKS:
            self._flush()
            self.tight = tag in TIGHT and element.getprevious() is not None
            if tag == "li":
                self.marker = "- "
        elif tag in ("td", "th"):
            self.inline.append(" ")

    def _flush(self) -> None:
        if not self.inline:
            return
        joined = storable("".join(self.inline))
        self.inline.clear()
        # A <br> was added as a line feed of its own; line feeds of the source are mere white space.
        text = " ".join(joined.split())
        if text and self.main is not None and not self.main.holds(text):
            self.beside += 1
            self.marker, self.tight = "", False
        elif text:
            self.builder.block(self.marker + text, tight=self.tight)
            self.marker, self.tight = "", False

    def _visible(self, top: Any) -> Iterator[str]:
        """The text of one cell or heading."""
        stack: list[Any] = [top]
        while stack:
            element = stack.pop()
            if isinstance(element, str):
                yield element
                continue
            following: list[Any] = []
            if isinstance(element.tag, str) and element.tag not in SILENT and not _is_hidden(element):
                if element.tag == "br" or element.tag in BLOCKS:
                    yield " "
                if element.text:
                    yield element.text
                for child in element:
                    following.append(child)
                    if child.tail:
                        following.append(child.tail)
            elif element is not top and _is_hidden(element):
                self.hidden += 1
            stack.extend(reversed(following))

    def _table(self, table: Any) -> None:
        caption_element = table.find("caption")
        caption = one_line("".join(self._visible(caption_element))) if caption_element is not None else ""
        if caption:
            self.builder.block(caption)
        else:
            caption = self._line_above()
        rows = table.iter("tr")
        grid, header_rows = table_grid(
            rows,
            self._cell_text,
            self._hides,
            max_columns=self.limits.table_columns,
            max_rows=self.limits.table_rows,
            max_cells=self.limits.cells - self.cells,
        )
        if grid:
            start = self.builder.next_block()
            placed = self.builder.grid(grid)
            self.cells += sum(len(row) for row in placed)
            self.builder.tables.append(
                make_table(
                    len(self.builder.tables) + 1,
                    placed,
                    start=start,
                    end=self.builder.length,
                    header_rows=header_rows or None,
                    caption=caption or None,
                )
            )
        for number, row in enumerate(rows):
            self.cut_rows += 1
            texts = [self._cell_text(cell) for cell in row if cell.tag in ("td", "th") and not self._hides(cell)]
            self.builder.block("\t".join(texts), tight=number > 0)

    def _cell_text(self, cell: Any) -> str:
        return one_line("".join(self._visible(cell)))

    def _hides(self, element: Any) -> bool:
        hidden = _is_hidden(element)
        self.hidden += hidden
        return hidden

    def _line_above(self) -> str:
        """The heading above, or a short paragraph between it and the table."""
        if not self.builder.parts:
            return ""
        last = self.builder.parts[-1].strip()
        named = re.match(r"(?:table|tabelle|tableau|tabla|exhibit)\b", last, re.IGNORECASE)
        if last and "\t" not in last and len(last) <= 160 and (named or not last.endswith(".")):
            return last.rstrip(":")
        return self.builder.headings[-1].title if self.builder.headings else ""


def _is_hidden(element: Any) -> bool:
    if not element.keys():
        return False
    attributes = element.attrib
    if "hidden" in attributes and attributes["hidden"].lower() != "until-found":
        return True
    if attributes.get("aria-hidden", "").lower() == "true":
        return True
    style = attributes.get("style")
    return bool(style and HIDING_STYLE.search(style))
