"""Which documents have been overtaken by a later version of themselves.

Two documents are versions of one another when their names agree once marks of version and date are taken
away, and

- one says so (``supersedes version 1.0``, ``withdrawn and replaced by``), or
- they bear marks of version (``v1``/``v2``, ``draft``/``final``, ``Rev. B``), or
- their texts are nearly the same and their dates differ.

Members of a series (annual reports, minutes, newsletters: the same name for another period) are not
versions of one another, whatever they share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import unquote

from deepresearch.evidence.dates import Period, find_dates
from deepresearch.evidence.shingles import candidate_pairs, containment, resemblance, shingles
from deepresearch.model.documents import Document

NEAR_COPY = 0.55
"""Least resemblance of two texts that are taken for versions by their text alone."""

SHARED_PART = 0.25
"""Least shared part of the smaller text when names and marks already speak for versions."""

_VERSION = re.compile(
    r"\b(?:version|ver|rev(?:ision)?|edition|ausgabe|fassung|v)[\s._-]*(\d+(?:\.\d+)*|"
    r"[a-h](?![a-z]))\b|\b(\d+)(?:st|nd|rd|th)\s+(?:edition|revision)\b|\br(\d+)\b",
    re.IGNORECASE,
)
_STAGES: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (rank, re.compile(rf"(?<![a-z]){pattern}(?![a-z])", re.IGNORECASE))
    for rank, pattern in (
        (1, r"(?:outline|working copy|rough)"),
        (
            2,
            r"(?:drafts?|entwurf|preliminary|provisional|interim|vorläufig\w*|brouillon|consultation "
            "(?:draft|version)|unreviewed|wip)",
        ),
        (3, r"(?:review copy|for review|proposed)"),
        (4, r"(?:final|approved|endfassung|adopted|issued|published|signed)"),
        (
            5,
            r"(?:revised|updated?|amended|corrected|überarbeitet\w*|corrigendum|reissued|consolidated|new|"
            "latest|neu)",
        ),
    )
)
_OLD = re.compile(
    "(?<![a-z])(?:old|superseded|obsolete|archived?|outdated|withdrawn|alt|veraltet|previous)(?![a-z])", re.IGNORECASE
)
_SERIES = re.compile(
    r"\b(?:annual|yearly|quarterly|monthly|weekly|daily|half[- ]year\w*|minutes|newsletter|"
    "bulletin|agenda|protokoll|meeting|statements?|accounts|"
    "jahresbericht|geschäftsbericht|monatsbericht|quartalsbericht|press release|results|digest|"
    "log|diary|invoice|statistics|yearbook|issue|"
    r"rapport annuel|logbook|readings|survey \d{4})\b",
    re.IGNORECASE,
)
_REPLACES = re.compile(
    r"\b(?:supersed(?:es|ing)|replac(?:es|ing)|cancels and replaces|overrid(?:es|ing)|ersetzt|"
    "remplace|sustituye|sostituisce|vervangt|"
    r"is a revision of|is the revised version of|corrects and replaces|takes the place of|updates and replaces)\b",
    re.IGNORECASE,
)
_REPLACED = re.compile(
    r"\b(?:(?:is|was|has been|have been|been|now)\s+(?:superseded|replaced|withdrawn)|superseded "
    "by|replaced by|withdrawn|no longer (?:valid|in force|current)|"
    r"ersetzt durch|wurde ersetzt|zurückgezogen|remplacé par|obsolete)\b",
    re.IGNORECASE,
)
_SELF = re.compile(
    r"\b(?:this|the present|current|dieses?|ce(?:tte)?|este|esta|"
    r"questo)\s+(?:\w+\s+){0,3}?(?:document|version|edition|report|policy|guideline|guidance|"
    "procedure|manual|plan|revision|"
    "handbook|specification|paper|note|standard|release|text|schedule|dokument|fassung|version|"
    r"richtlinie|documento|instruction|protocol|code|statement)\b|"
    r"^\s*[>*_#\s]*(?:status\s*:?\s*)?(?:supersedes|replaces|superseded|withdrawn|ersetzt)\b",
    re.IGNORECASE | re.MULTILINE,
)
_EARLIER = re.compile(
    r"\b(?:version|edition|revision|issue|draft|release|fassung|all (?:earlier|previous)|earlier|"
    r"previous|prior|dated|of \d|vom \d|from \d)\b",
    re.IGNORECASE,
)
_STEM_SEPARATORS = re.compile(r"[\s_\-.,;:()\[\]–—/]+")
_COPY = re.compile(r"\(\d+\)$|\bcopy(?: \d+)?$|\bkopie$", re.IGNORECASE)


@dataclass(frozen=True)
class _Version:
    """What a document says of its own place among versions."""

    document: Document

    @cached_property
    def name(self) -> str:
        """The file name without folder and suffix, or the last part of an address."""
        path = PurePosixPath(unquote(self.document.source.split("?")[0].rstrip("/")))
        return path.stem

    @cached_property
    def heading(self) -> str:
        """Title and file name together: where marks of version stand."""
        return f"{self.document.title} \n {self.name.replace('_', ' ')}"

    @cached_property
    def opening(self) -> str:
        """The first lines, where a document speaks about itself."""
        return self.document.text[:1500]

    @cached_property
    def bases(self) -> frozenset[str]:
        """Title and file name without marks of version, stage and date."""
        return frozenset(base for text in (self.document.title, self.name) if len(base := base_name(text)) > 3)

    @cached_property
    def number(self) -> tuple[int, ...] | None:
        """The version number, from the vocabulary's field, the names or the opening lines."""
        for text in (
            f"version {self.document.version}" if self.document.version else "",
            self.heading,
            self.opening[:400],
        ):
            for match in _VERSION.finditer(text.replace("_", " ")):
                written = match.group(1) or match.group(2) or match.group(3)
                if written[0].isalpha():
                    return (ord(written.lower()) - 96,)
                return tuple(int(part) for part in written.split("."))
        return None

    @cached_property
    def stage(self) -> int:
        """How finished the document calls itself: 0 when it says nothing."""
        text = f"{self.document.version or ''} {self.heading}".replace("_", " ").replace("-", " ")
        return max((rank for rank, pattern in _STAGES if pattern.search(text)), default=self._status_line)

    @cached_property
    def _status_line(self) -> int:
        line = re.search(r"\b(?:status|state|stand)\s*:\s*([^\n]{3,40})", self.opening[:600], re.IGNORECASE)
        return max((rank for rank, pattern in _STAGES if line and pattern.search(line.group(1))), default=0)

    @cached_property
    def marked_old(self) -> bool:
        """Whether names or a self-description call the document overtaken."""
        return bool(_OLD.search(self.heading.replace("_", " ").replace("-", " "))) or self.says_replaced is not None

    @cached_property
    def says_replaced(self) -> str | None:
        """The sentence in which the document calls itself replaced or withdrawn."""
        for sentence in _sentences(self.opening):
            if _REPLACED.search(sentence) and _SELF.search(sentence):
                return sentence
        return None

    @cached_property
    def says_replaces(self) -> str | None:
        """The sentence in which the document says that it replaces another."""
        text = self.document.text
        for sentence in _sentences(self.opening + "\n" + text[-800:] if len(text) > 1500 else text):
            if _REPLACES.search(sentence) and (_SELF.search(sentence) or _EARLIER.search(sentence)):
                return sentence
        return None

    @cached_property
    def period(self) -> Period | None:
        """The period that title or file name say the document is about."""
        found = [
            period for text in (self.document.title, re.sub(r"[_.]", " ", self.name)) for period in find_dates(text)
        ]
        return found[0] if found else None

    @cached_property
    def date(self) -> date | None:
        """The document's own date, or else a full date in its names, or else the first in its opening lines."""
        if self.document.date is not None:
            return self.document.date
        named = [period for period in find_dates(self.name.replace("_", " ")) if period.grain in ("day", "month")]
        found = named or [period for period in find_dates(self.opening[:400]) if period.grain in ("day", "month")]
        return found[0].first if found else None

    @cached_property
    def is_series(self) -> bool:
        """Whether documents of this name appear again and again, each for its own period."""
        return bool(_SERIES.search(self.heading.replace("_", " ").replace("-", " ")))

    @cached_property
    def shingles(self) -> frozenset[int]:
        """The text's runs of words."""
        return shingles(self.document.text)


def base_name(text: str) -> str:
    """A title or file name without marks of version, stage and date, in lower case."""
    flat = re.sub(r"[_]+", " ", text)
    for period in reversed(find_dates(flat)):
        flat = flat[: period.start] + " " + flat[period.end :]
    flat = _VERSION.sub(" ", _COPY.sub(" ", flat.strip()))
    flat = _STEM_SEPARATORS.sub(" ", flat)
    for _, pattern in _STAGES:
        flat = pattern.sub(" ", flat)
    flat = _OLD.sub(" ", flat)
    flat = re.sub(r"\b(?:\d{6,8}|19\d\d|20\d\d|version|from|of|as|dated|the)\b", " ", flat)
    return " ".join(flat.lower().split())


def _sentences(text: str) -> Iterable[str]:
    return re.split(r"(?<=[.!?])\s+|\n+", text)


def find_superseded(documents: Iterable[Document]) -> dict[str, str]:
    """For each overtaken document its SHA-256, and that of the newest version of it."""
    versions = {document.sha256: _Version(document) for document in documents}
    newer: dict[str, str] = {}
    for first, second in sorted(_pairs(versions)):
        older = _older(versions[first], versions[second])
        if older is None:
            continue
        later = second if older == first else first
        if older not in newer or _is_newer(versions[later], versions[newer[older]]):
            newer[older] = later
    return {old: _last(old, newer) for old in newer if _last(old, newer) != old}


def _pairs(versions: dict[str, _Version]) -> set[tuple[str, str]]:
    """Pairs worth a look: a common base name, nearly the same text, or one names the other as replaced."""
    by_base: dict[str, list[str]] = {}
    for key, version in versions.items():
        for base in version.bases:
            by_base.setdefault(base, []).append(key)
    pairs = {
        (min(first, second), max(first, second))
        for keys in by_base.values()
        for index, first in enumerate(keys)
        for second in keys[index + 1 :]
        if first != second
    }
    pairs |= candidate_pairs({key: version.shingles for key, version in versions.items()})
    for key, version in versions.items():
        for sentence in (version.says_replaces, version.says_replaced):
            if sentence is not None:
                pairs |= {
                    (min(key, other), max(key, other))
                    for other in versions
                    if other != key and _names(sentence, versions[other])
                }
    return pairs


def _names(sentence: str, version: _Version) -> bool:
    """Whether a sentence names a document by its title."""
    title = " ".join(version.document.title.lower().split())
    return len(title) > 8 and title in " ".join(sentence.lower().split())


def _older(first: _Version, second: _Version) -> str | None:
    """Which of two documents the other has overtaken, if any."""
    explicit = _explicitly_older(first, second)
    if explicit is not None:
        return explicit
    same_name = bool(first.bases & second.bases)
    if _different_periods(first, second):
        return None
    shared = containment(first.shingles, second.shingles)
    marks = _by_marks(first, second)
    if same_name and marks is not None and shared >= SHARED_PART:
        return marks
    alike = resemblance(first.shingles, second.shingles)
    series = first.is_series or second.is_series
    if alike >= NEAR_COPY and alike < 1.0 and same_name and not series:
        return marks or _by_date(first, second)
    return None


def _explicitly_older(first: _Version, second: _Version) -> str | None:
    for new, old in ((first, second), (second, first)):
        related = bool(new.bases & old.bases) or containment(new.shingles, old.shingles) >= SHARED_PART
        if new.says_replaces and (
            _names(new.says_replaces, old) or (related and _points_at(new.says_replaces, new, old))
        ):
            return old.document.sha256
        if old.says_replaced and (
            _names(old.says_replaced, new) or (related and _points_at(old.says_replaced, old, new))
        ):
            return old.document.sha256
    return None


def _points_at(sentence: str, speaker: _Version, other: _Version) -> bool:
    """Whether what a sentence says of the other version (number, date) fits it.

    Saying neither fits a document of the same name.
    """
    numbers = [
        tuple(int(part) for part in match.group(1).split("."))
        for match in re.finditer(r"\b(?:version|revision|edition|rev\.?|v)\s?(\d+(?:\.\d+)*)", sentence, re.IGNORECASE)
    ]
    if numbers and other.number is not None:
        return other.number in numbers or other.number[:1] in numbers
    dates = find_dates(sentence)
    if dates and other.date is not None:
        return any(period.first <= other.date <= period.last for period in dates)
    if _different_periods(speaker, other) and (speaker.is_series or other.is_series):
        return False
    return bool(speaker.bases & other.bases)


def _different_periods(first: _Version, second: _Version) -> bool:
    """Whether the two are about different times by their names: members of a series, or editions for a year."""
    if first.period is None or second.period is None:
        both_dated = first.date is not None and second.date is not None and first.date != second.date
        return (first.is_series or second.is_series) and both_dated and _by_marks(first, second) is None
    if first.period.same(second.period):
        return False
    dated_names = first.period.grain == "day" and second.period.grain == "day"
    # Full dates in the names of what is no series are the days on which the versions were made.
    return first.is_series or second.is_series or not dated_names


def _by_marks(first: _Version, second: _Version) -> str | None:
    """The older by version number, then by being marked old, then by stage."""
    if first.number is not None and second.number is not None and first.number != second.number:
        return first.document.sha256 if first.number < second.number else second.document.sha256
    if first.marked_old != second.marked_old:
        return first.document.sha256 if first.marked_old else second.document.sha256
    if first.stage != second.stage and (first.stage or second.stage):
        stages = first.stage or 4, second.stage or 4  # a document that says nothing is taken for issued
        if stages[0] != stages[1]:
            return first.document.sha256 if stages[0] < stages[1] else second.document.sha256
    if (first.number is None) != (second.number is None):
        numbered, plain = (first, second) if first.number is not None else (second, first)
        if numbered.number is not None and numbered.number > (1,):
            return plain.document.sha256
    return None


def _by_date(first: _Version, second: _Version) -> str | None:
    if first.date is None or second.date is None or first.date == second.date:
        return None
    return first.document.sha256 if first.date < second.date else second.document.sha256


def _is_newer(first: _Version, second: _Version) -> bool:
    """Whether the first is the later of two that both overtook a third."""
    older = _by_marks(first, second) or _by_date(first, second)
    return older == second.document.sha256


def _last(key: str, newer: dict[str, str]) -> str:
    seen = {key}
    while key in newer and newer[key] not in seen:
        key = newer[key]
        seen.add(key)
    return key
