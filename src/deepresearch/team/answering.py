"""Does a sentence answer a question? By the question's terms, the rare ones counting most, and its answer type.

The estimate decides between an answer and "not in these sources", so it leans to silence: a term of the question
that the documents never use, or a number asked for and not given, weighs heavily.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from deepresearch.evidence import find_dates, find_quantities
from deepresearch.model.plan import QuestionType, SubQuestion
from deepresearch.team.questions import words, years
from deepresearch.team.stemming import stem, stems
from deepresearch.team.word_lists import LIGHT_WORDS, QUESTION_WORDS, TREND_WORDS

_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b(?:january|february|march|april|may|june|july|august|"
    r"september|october|november|december|spring|summer|autumn|winter|monday|tuesday|wednesday|thursday|friday|"
    r"saturday|sunday)\b|\b\d{1,2}[:.]\d\d\b|\b(?:am|pm)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|thousand|"
    r"million|billion|dozen|half|twice|none)\b",
    re.IGNORECASE,
)
_HOW_MANY = re.compile(
    r"\b(?:how many|wie ?viele?|combien d[e'’])\s*((?:[^\W\d_]+[\s-]+){0,2}[^\W\d_]+)", re.IGNORECASE
)
_PEOPLE = frozenset(
    map(stem, ("people", "persons", "employees", "staff", "workers", "inhabitants", "residents", "members", "menschen"))
)
#: Says which, not how many.
_ONE_OF = re.compile(r"\bone of (?:the|its|their|our)\b", re.IGNORECASE)
#: Words between a number and what it counts, at most.
_COUNTED_WITHIN = 5
_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|caused?|causes|reasons?|therefore|so that|thanks to|result(?:s|ed)? (?:of|from|in)|"
    r"led to|leads to|as a consequence|since|driven by|explain(?:s|ed)?|attribut\w+|weil|deshalb|wegen)\b",
    re.IGNORECASE,
)
_DEFINES = re.compile(r"^(?:\w+[\s-]+){1,8}?(?:is|are|means|refers to|denotes|was|were|describes)\b", re.IGNORECASE)
_WHO = re.compile(r"^\s*who(?:m|se)?\b", re.IGNORECASE)
_WHERE = re.compile(r"^\s*where\b", re.IGNORECASE)
_NAME = re.compile(r"(?<!^)(?<![.!?]\s)\b[^\W\d_a-z][\w’'-]+", re.UNICODE)


_LIGHT = frozenset(stem(word) for word in LIGHT_WORDS)


class TermWeights:
    """How telling a stem is: the fewer of the documents use it, the heavier; unknown to all, heaviest.

    Words that say little by themselves ("carry", "belong") count less than half.
    """

    def __init__(self, passages: Iterable[tuple[str, str]]) -> None:
        """`passages` are pairs of a document's SHA-256 and a text of it."""
        said: dict[str, set[str]] = {}
        for document, text in passages:
            said.setdefault(document, set()).update(stems(text))
        self._seen = Counter(stem for stems_of_one in said.values() for stem in stems_of_one)
        self._total = len(said)

    def __getitem__(self, stemmed: str) -> float:
        weight = math.log(1 + (self._total + 0.5) / (self._seen[stemmed] + 0.5))
        return weight * (0.4 if stemmed in _LIGHT else 1.0)


def asked_stems(sub_question: SubQuestion) -> tuple[str, ...]:
    """The stems an answer has to speak of.

    Words that only say how values move are left out, except where their cause is asked for.
    """
    terms: Sequence[str] = sub_question.terms
    if sub_question.type is not QuestionType.CAUSE:
        terms = [term for term in terms if term.casefold() not in TREND_WORDS] or terms
    return tuple(dict.fromkeys(stem(term) for term in terms))


def coverage(asked: Sequence[str], sentence: set[str], around: set[str], weights: TermWeights) -> float:
    """Weighted share of the asked stems in the sentence, or (at 0.7) in the heading, title and neighbours around it."""
    total = sum(weights[one] for one in asked)
    if not total:
        return 0.0
    got = sum(weights[one] * (1.0 if one in sentence else 0.7 if one in around else 0.0) for one in asked)
    return got / total


def form_fit(sub_question: SubQuestion, sentence: str) -> float | None:
    """How well a sentence has the form of the answer (0 or 1), or None where no form is asked for.

    A definition begins with what is asked for and says what it is.
    """
    if sub_question.type is not QuestionType.DEFINITION:
        return None
    opening = _DEFINES.search(sentence.strip())
    if opening is None:
        return 0.0
    return 1.0 if set(asked_stems(sub_question)) & set(stems(opening[0])) else 0.0


def gives_type(sub_question: SubQuestion, sentence: str) -> bool:
    """Whether the sentence has the kind of thing the question asks for: a number, a date, a reason, a name."""
    asked_years = {str(year) for year in years(sub_question.text)}
    own = sentence
    for year in asked_years:
        own = own.replace(year, " ")
    match sub_question.type:
        case QuestionType.QUANTITY:
            has_number = bool(_NUMBER.search(own)) or bool(find_quantities(own))
            return has_number and _counts_what_is_asked(sub_question.text, own)
        case QuestionType.TIME:
            return bool(_DATE.search(own))
        case QuestionType.CAUSE:
            return bool(_CAUSE.search(sentence))
        case _ if _WHO.search(sub_question.text) or _WHERE.search(sub_question.text):
            return bool(_NAME.search(sentence.strip()))
        case _:
            return True


def _counts_what_is_asked(question: str, sentence: str) -> bool:
    """Whether a number of the sentence counts what "how many" asks after: "four quays", "ships: 6", "employs 212 people".

    Times are no numbers here. True for questions that ask for another number.
    """
    asked = _HOW_MANY.search(question)
    if asked is None:
        return True
    wanted = {stem(word) for word in words(asked[1]) if word.casefold() not in QUESTION_WORDS}
    if wanted & _PEOPLE:
        wanted |= _PEOPLE
    if not wanted:
        return True
    for period in reversed(find_dates(sentence)):
        sentence = sentence[: period.start] + " " + sentence[period.end :]
    sentence = _ONE_OF.sub(" ", sentence)
    if any(stem(quantity.counted) in wanted for quantity in find_quantities(sentence) if quantity.counted):
        return True
    tokens = words(sentence)
    numbers = [place for place, token in enumerate(tokens) if _NUMBER.match(token)]
    named = [place for place, token in enumerate(tokens) if stem(token) in wanted]
    return any(-4 <= there - number <= _COUNTED_WITHIN for number in numbers for there in named)


def names_the_years(sub_question: SubQuestion, sentence: str, around: str) -> bool:
    """Whether the years a question names are those of the sentence: in it, or said by its heading or title.

    A trend wants a span: the sentence must name none beyond its end.
    """
    wanted = years(sub_question.text)
    if not wanted:
        return True
    said = set(years(sentence))
    if sub_question.type is QuestionType.TREND:
        return not said or (max(said) <= max(wanted) and max(said) >= min(wanted))
    return bool(said & set(wanted)) or (not said and bool(set(years(around)) & set(wanted)))
