"""Questions taken apart by their words: type, terms, parts. No model, no data."""

from __future__ import annotations

import re

from deepresearch.model.plan import Plan, QuestionType, SubQuestion
from deepresearch.team.word_lists import QUESTION_WORDS, TREND_WORDS

_TYPES: tuple[tuple[QuestionType, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (QuestionType.CAUSE, r"^\W*(?:why|warum|weshalb|wieso|pourquoi)\b|\bwhat (?:caused|causes|led to|explains)\b"),
        (
            QuestionType.TREND,
            r"\b(trends?|over (?:the )?(?:years|time|last|past)|develop(?:ed|ment)?|evol\w+|"
            r"(?:has|have|did|does)\b.*\b(?:chang|grow|grew|increas|decreas|fall|fell|ris|rose|declin|shr[aiu]nk|drop)\w*|"
            r"(?:growth|increase|decrease|decline|change|rise|drop)\s+(?:of|in)\b|from\s+\d{4}\s+to\s+\d{4}|"
            r"between\s+\d{4}\s+and\s+\d{4}|since\s+\d{4}|entwick\w+|évolu\w+|evoluci\w+)\b",
        ),
        (QuestionType.CAUSE, r"\b(?:why|causes?d?|reasons?)\b"),
        (
            QuestionType.COMPARISON,
            r"\b(?:compar\w+|versus|vs\.?|differ\w*|(?:more|less|higher|lower|larger|smaller|better|worse|fewer|older|newer|"
            r"faster|slower|cheaper|longer|shorter)\b(?:.*\b(?:than|or)\b)?|highest|lowest|largest|smallest|most|least|"
            r"best|worst|oldest|newest|fastest|slowest|cheapest|longest|shortest)\b",
        ),
        (
            QuestionType.QUANTITY,
            r"\bhow (?:many|much|large|big|high|long|far|old|fast|heavy|deep|wide|tall)\b|\bwie ?viele?\b|\bcombien\b|"
            r"\b(?:what|which)\b[^?]*?\b(?:number|amount|share|percentage|total|average|mean|sum|costs?|price|rate|speed|"
            r"height|length|weight|size|salary|budget|capacity|revenue|profit|population|temperature|distance|quota|limit|"
            r"threshold|target|fee|fare|turnover|value)\b",
        ),
        (QuestionType.TIME, r"\bwhen\b|\b(?:what|which|in what) (?:year|date|day|month|time)\b|\bwann\b|\bquand\b"),
        (QuestionType.LIST, r"\b(?:list|name (?:all|the)|which (?:\w+ )?\w+s\b|what are)\b"),
        (QuestionType.DEFINITION, r"^\s*(?:what|who) (?:is|are|was|were)\b|\bdefine\b|\bmean(?:s|ing)? of\b"),
    )
)

_WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*", re.UNICODE)
_SPLIT = re.compile(
    r"\?\s+|;\s+|\n+|,?\s+and\s+(?=(?:why|how|when|who|where|what|which)\b)|,?\s+und\s+(?=(?:warum|wie|wann|wer|wo|was)\b)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def words(text: str) -> list[str]:
    """The words of a text in order, hyphens and inner dots kept."""
    return _WORD.findall(text)


def content_terms(text: str) -> tuple[str, ...]:
    """The words that say what a question is about, in order and once each."""
    seen: dict[str, str] = {}
    for word in words(text):
        if word.casefold() not in QUESTION_WORDS:
            seen.setdefault(word.casefold(), word)
    return tuple(seen.values())


def years(text: str) -> tuple[int, ...]:
    """The years a question names, ascending."""
    return tuple(sorted({int(year) for year in _YEAR.findall(text)}))


def classify(question: str) -> QuestionType:
    """The kind of answer a question wants; `FACT` when nothing says more."""
    for kind, pattern in _TYPES:
        if pattern.search(question):
            return kind
    return QuestionType.FACT


def parts(question: str) -> list[str]:
    """The question's own parts: several questions in one, in order. A part without a subject borrows the first's."""
    pieces = [piece.strip(" ,.?") for piece in _SPLIT.split(question)]
    pieces = [piece for piece in pieces if content_terms(piece) or re.search(r"\b(?:why|when|how)\b", piece, re.I)]
    if len(pieces) < 2:
        return [question.strip()]
    subject = [term for term in content_terms(pieces[0]) if term.casefold() not in TREND_WORDS]
    complete = [pieces[0]]
    for piece in pieces[1:4]:
        own = [term for term in content_terms(piece) if term.casefold() not in TREND_WORDS]
        complete.append(piece if len(own) >= 2 else f"{piece} ({' '.join(subject)})")
    return [part[0].upper() + part[1:] for part in complete]


def plan(question: str) -> Plan:
    """The plan for a question: its parts as sub-questions, each with its type, queries and terms."""
    kind = classify(question)
    subs = []
    for position, part in enumerate(parts(question), start=1):
        terms = content_terms(part)
        queries = [part]
        if terms and len(terms) < len(words(part)):
            queries.append(" ".join(terms))
        subs.append(SubQuestion(id=f"S{position}", text=part, type=classify(part), queries=tuple(queries), terms=terms))
    numeric = {QuestionType.TREND, QuestionType.COMPARISON, QuestionType.QUANTITY}
    return Plan(
        question=question,
        type=kind,
        sub_questions=tuple(subs),
        wants_computation=any(sub.type in numeric for sub in subs) or len(years(question)) >= 2,
    )
