"""
Facts as statements give them: of what, which attribute, when, how much, and under which conditions.

A fact is read from one quantity (or one dated event) of a statement and the words around it. Two facts may
be compared only when all of this agrees (`conflicts.py`), so everything that narrows a figure is kept
apart: proper names, numbered things (``Unit 2``), and `scope` words such as ``net``, ``forecast``, ``per``,
``women``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepresearch.evidence import words
from deepresearch.evidence.dates import Period, find_dates
from deepresearch.evidence.quantities import Quantity, find_quantities
from deepresearch.evidence.words import Span
from deepresearch.model.base import Value


class Statement(Value):
    """One sentence with where it stands. `id` is the claim's; `context` the headings above it, outermost
    first.

    `origin` is one name for all documents of one origin (`independence.py`); left out, each document is its
    own.
    """

    id: str
    text: str
    sha256: str
    source: str = ""
    title: str = ""
    context: tuple[str, ...] = ()
    date: datetime.date | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """
    A value with everything that says what it is the value of. Exactly one of `quantity` and `when` is
    set.

    `names` are stems of proper names, `terms` stems of the other content words near the value, `scope`
    marks that must agree, `known` all stems of the statement's surroundings (title, headings), `period` the
    time the value is for.
    """

    statement: Statement
    quantity: Quantity | None
    when: Period | None
    event: str
    names: frozenset[str]
    terms: frozenset[str]
    scope: frozenset[str]
    known: frozenset[str]
    period: Period | None
    said: str


_SYNONYMS: dict[str, str] = {}
for _word, _others in {
    "consumption": "use used uses using usage consume consumed consumes consuming demand verbrauch verbraucht "
    "verbrauchte",
    "employee": "employees staff workforce headcount workers worker employed employs employ personnel "
    "mitarbeiter beschäftigte jobs",
    "revenue": "revenues sales turnover umsatz umsätze",
    "cost": "costs expenditure expenses spending spent expense outlay outlays kosten",
    "production": "produced produces produce output generated generates generation generate yield yielded "
    "producing erzeugung erzeugte produktion",
    "emission": "emissions emitted emits emit emissionen",
    "population": "inhabitants residents einwohner inhabitant",
    "profit": "profits earnings gewinn surplus",
    "capacity": "capable leistung",
    "visitor": "visitors visits guests attendance visited attended welcomed",
    "investment": "invested invests invest investments capex",
    "price": "prices priced preis",
    "electricity": "power strom electric electrical",
    "accident": "accidents incidents injuries",
    "waste": "refuse rubbish garbage",
    "customer": "customers clients subscribers",
    "area": "size surface covers covering covered spans fläche",
}.items():
    _SYNONYMS.update(dict.fromkeys(_others.split(), _word))

# Verbs and nouns of reporting: they say that a value is given, not which.
_REPORTING = words.word_set("""
    amount amounted amounts amounting total totalled totaled totalling totaling come came comes stand stood
    stands reach reached reaches reaching report reported reports reporting record recorded records
    recording figure figures value level levels number numbers according accounts accounted show shows
    showed shown year years annual annually month months quarter day days figure register registered
    registers registering measure measured measures measuring put puts state stated states note noted notes
    see saw seen rise rose risen rises rising fall fell fallen falls falling increase increased increases
    increasing decrease decreased decreases decreasing grow grew grown grows growing drop dropped drops
    climb climbed climbs decline declined declines declining up down higher lower say said says give gave
    given gives find found finds overall equal equals equalled equivalent correspond corresponds count
    counted counts post posted posts document documents documented table data audit audited auditors list
    listed lists publish published indicate indicated indicates estimate result results around roughly
    approximately about nearly almost exactly just slightly well remain remained remains full whole during
    across throughout end start overview summary review period account books tally tallied make made makes
    run ran runs have take took taken betrug beträgt lag liegt stieg sank jahr insgesamt belief meldete
    erreichte confirm confirmed confirms calendar close closed compare compared comparison versus against
    site's plant's our we their its mean also again still already recent recently latest page final version
    statement""")
_SCOPE: dict[str, str] = {}
for _mark, _others in {
    "forecast": """
        forecast forecasts forecasted projected projection projections project expected expects expect
        expecting planned plan plans planning target targets targeted goal goals aim aims aimed will would
        should could might budget budgeted budgets anticipated anticipates estimate estimates outlook
        scenario assumed assumes assumption proposed proposal intends intended ambition pledged pledge
        prognose geplant erwartet ziel soll prévu previsto objective""",
    "net": "net netto",
    "gross": "gross brutto",
    "average": "average averages averaged mean median durchschnitt durchschnittlich moyenne",
    "maximum": "peak maximum max highest record top upper",
    "minimum": "minimum min lowest least lower-bound",
    "cumulative": "cumulative cumulatively aggregate combined together altogether",
    "women": "women woman female females girls",
    "men": "men man male males boys",
    "domestic": "domestic national home inland",
    "foreign": "foreign international abroad overseas",
    "direct": "direct",
    "indirect": "indirect",
    "import": "import imports imported",
    "export": "export exports exported",
    "capacity": "capacity",
    "share": "share proportion fraction portion anteil part",
    "excluding": "excluding exclude excluded excludes without except",
    "including": "including included includes include",
    "part_time": "part-time temporary seasonal",
    "full_time": "full-time permanent",
    "winter": "winter",
    "summer": "summer",
    "weekday": "weekday weekdays",
    "weekend": "weekend weekends",
    "north": "north northern",
    "south": "south southern",
    "east": "east eastern",
    "west": "west western",
    "restated": "restated adjusted",
    "previous": "previous earlier former previously prior last",
    "first": "first",
    "second": "second",
    "third": "third",
    "before": "before",
    "after": "after",
    "operating": "operating operational",
    "renewable": "renewable renewables",
    "fossil": "fossil",
    "industry": "industry industrial",
    "household": "household households residential",
    "urban": "urban city",
    "rural": "rural",
    "adult": "adults adult",
    "child": "children child",
    "other": "other rest remaining",
    "only": "alone",
    "half": "half",
    "daily": "daily",
    "monthly": "monthly",
    "weekly": "weekly",
    "hourly": "hourly",
    "quarterly": "quarterly",
    "indoor": "indoor",
    "outdoor": "outdoor",
    "public": "public",
    "private": "private",
    "heating": "heating heat thermal",
    "cooling": "cooling",
    "hypothetical": "if unless hypothetical hypothetically",
    "negated": "not no never denied denies without wrongly incorrectly erroneously",
}.items():
    _SCOPE.update(dict.fromkeys(_others.split(), _mark))

_CHANGE_BEFORE = re.compile(
    r"\b(?:(?:rose|risen|rises?|rising|fell|fallen|falls?|falling|increas\w+|decreas\w+|grew|"
    r"grown|grows?|growing|dropp\w+|drops?|climb\w+|declin\w+|improv\w+|cut|reduc\w+|shrank|"
    r"gain\w*|lost|los[st]\w*|added|expand\w+|widen\w+|narrow\w+|up|down|growth|saving|stieg|sank|"
    r"wuchs)(?:\s+(?:\w+\s+){0,4}?(?:by|of|um))?|"
    "(?:growth|change|rise|increase|decrease|drop|decline|gain|reduction|savings?|improvement|"
    r"difference|anstieg|rückgang)\s+(?:\w+\s+){0,6}?(?:of|by|was|came to|amounted to|um|von))\s*"
    "(?:(?:about|around|roughly|nearly|almost|some|a|an|another|over|more than|less than|"
    r"approximately|only|just|approx\.?|rund|etwa)\s+)*(?:[$€£]\s?)?$",
    re.IGNORECASE,
)
_CHANGE_AFTER = re.compile(
    r"^\s*(?:\w+\s+){0,3}?(?:more|less|fewer|higher|lower|increase|decrease|rise|drop|decline|"
    "growth|reduction|gain|fall|cut|jump|up|down|above|below|saving|better|worse|mehr|weniger|"
    r"year-on-year|yoy|compared (?:with|to)|than)\b",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\b(?:from|von|up from|down from|compared (?:with|to)|against|after|versus|vs\.?|instead of|"
    r"not|rather than|previously)\s+(?:\w+\s+){0,3}?(?:[$€£]\s?)?$",
    re.IGNORECASE,
)
_OF_WHOLE = re.compile(r"\bout of (?:a total of )?(?:\w+\s)?$|\bof (?:the |all |its )?$", re.IGNORECASE)
_CLAUSE = re.compile(
    r";|\s[–—]\s|,?\s+(?:while|whereas|but|although|though|with|und|aber|während|as)\s+|"
    r",\s+(?:and|of which|including|compared|up|down|which|against)\s+|\s+and\s+|\.\s|,\s"
)
_EVENTS: dict[str, str] = {}
for _event, _others in {
    "founded": "founded established founding gegründet",
    "opened": "opened inaugurated opening eröffnet",
    "commissioned": "commissioned",
    "completed": "completed finished completion fertiggestellt",
    "started": "started began begun launched launch",
    "closed": "closed shut decommissioned closure geschlossen",
    "signed": "signed",
    "acquired": "acquired bought purchased acquisition",
    "born": "born geboren",
    "died": "died gestorben",
    "built": "built constructed erected gebaut",
    "merged": "merged",
    "discovered": "discovered",
    "awarded": "awarded",
    "introduced": "introduced",
    "replaced": "replaced",
    "installed": "installed",
    "abolished": "abolished",
    "joined": "joined",
    "adopted": "adopted",
}.items():
    _EVENTS.update(dict.fromkeys(_others.split(), _event))


def find_facts(statements: Iterable[Statement]) -> list[Fact]:
    """The facts of all statements, in their order.

    Which capitalised first words are names is learnt from the statements themselves: a word that stands in
    lower case somewhere is none.
    """
    listed = list(statements)
    common = frozenset(
        span.text for statement in listed for span in words.word_spans(statement.text) if span.text.islower()
    )
    return [fact for statement in listed for fact in _facts_of(statement, common)]


def _facts_of(statement: Statement, common: frozenset[str]) -> list[Fact]:
    text = statement.text
    if text.rstrip().endswith("?") or not any(character.isdigit() for character in text):
        return []
    quantities = find_quantities(text)
    periods = find_dates(text)
    taken = [(quantity.start, quantity.end) for quantity in quantities]
    taken += [(period.start, period.end) for period in periods]
    surroundings = " . ".join((statement.title, *statement.context))
    known = frozenset(_canonical(span) for span in words.word_spans(surroundings))
    outer = _outer_period(statement)
    language = words.language_of(text)
    facts: list[Fact] = []
    paired = _paired(text, quantities, periods)
    for index, quantity in enumerate(quantities):
        if _FROM.search(text[max(0, quantity.start - 40) : quantity.start]) or quantity.counted in ("times", "fold"):
            continue
        start, end = _neighbourhood(text, quantities, index)
        names, terms, scope, said = _terms(text, start, end, taken, common, language)
        whole_names, _, whole_scope, _ = _terms(text, 0, len(text), taken, common, language)
        if _is_change(text, quantity):
            scope |= {"@change"}
        if _OF_WHOLE.search(text[max(0, quantity.start - 20) : quantity.start]) and index > 0:
            scope |= {"@whole"}
        for mark in ("forecast", "hypothetical", "negated"):
            if mark in whole_scope:
                scope |= {mark}
        period = paired[index]
        if (
            period is not None
            and period.relation in ("until", "before")
            and period.grain == "year"
            and "forecast" in scope
        ):
            scope |= {"@by"}
        facts.append(
            Fact(
                statement,
                quantity,
                None,
                "",
                frozenset(names or whole_names),
                frozenset(terms),
                frozenset(scope),
                known,
                period or outer,
                said,
            )
        )
    facts.extend(_events_of(statement, periods, taken, common, known, language))
    return facts


def _outer_period(statement: Statement) -> Period | None:
    """The one period that the nearest heading or else the title names."""
    for text in (*reversed(statement.context), statement.title):
        found = [period for period in find_dates(text) if period.grain != "day"]
        if len(found) == 1:
            return found[0]
        if found:
            return None
    return None


def _neighbourhood(text: str, quantities: Sequence[Quantity], index: int) -> tuple[int, int]:
    """
    The clause of a quantity: the whole sentence when it stands alone, else up to the separators towards its
    neighbours."""
    quantity = quantities[index]
    start, end = 0, len(text)
    if index > 0:
        borders = list(_CLAUSE.finditer(text, quantities[index - 1].end, quantity.start))
        start = borders[0].end() if borders else quantities[index - 1].end
    if index + 1 < len(quantities):
        borders = list(_CLAUSE.finditer(text, quantity.end, quantities[index + 1].start))
        end = borders[-1].start() if borders else quantity.end
    return start, end


def _terms(
    text: str, start: int, end: int, taken: Sequence[tuple[int, int]], common: frozenset[str], language: str
) -> tuple[set[str], set[str], set[str], str]:
    """
    Names, other content stems, scope marks, and the content words as written, of a stretch of a statement."""
    names: set[str] = set()
    terms: set[str] = set()
    scope: set[str] = set()
    said: list[str] = []
    ignored = words.stop_words(language)
    spans = [span for span in words.word_spans(text) if start <= span.start < end]
    for span in spans:
        if any(left <= span.start < right for left, right in taken):
            continue
        lower = span.text.lower()
        mark = _SCOPE.get(lower)
        if mark is not None:
            scope.add(mark)
        if span.text[:1].isdigit():
            names.add(f"#{span.text}")
            continue
        if len(span.text) == 1 and span.text.isupper() and span.text not in "AI":
            names.add(f"#{span.text}")
            continue
        if lower in ignored or lower in _REPORTING or (mark is not None and mark != "capacity"):
            continue
        if lower not in _SYNONYMS and _is_name(text, span, common, language):
            names.add(_canonical(span))
            said.append(span.text)
        elif len(lower) > 1:
            terms.add(_canonical(span))
            said.append(span.text)
    return names, terms, scope, " ".join(said)


def _is_name(text: str, span: Span, common: frozenset[str], language: str) -> bool:
    if not span.text[:1].isupper():
        return False
    if span.text.isupper() and len(span.text) > 1:
        return True
    lower = span.text.lower()
    at_start = not text[: span.start].strip(" \"'“‘(*_#>-") or text[: span.start].rstrip()[-1:] in (".", ":", "!", "?")
    if language == "german" or at_start:
        return lower not in common
    return True


def _canonical(span: Span) -> str:
    return canonical_word(span.text)


def canonical_word(word: str) -> str:
    """The stem that stands for a word and its near synonyms."""
    lower = word.lower().replace("’", "'").removesuffix("'s")
    return words.stem(_SYNONYMS.get(lower, lower))


def _is_change(text: str, quantity: Quantity) -> bool:
    before, after = text[max(0, quantity.start - 70) : quantity.start], text[quantity.end : quantity.end + 30]
    if re.search(r"\b(?:to|auf|at|reaching|reached)\s+(?:\w+\s+){0,2}$", before):
        return False
    return bool(_CHANGE_BEFORE.search(before) or _CHANGE_AFTER.search(after))


def _paired(text: str, quantities: Sequence[Quantity], periods: Sequence[Period]) -> list[Period | None]:
    """
    The period of each quantity: the only one there is, or the nearest, a following one before a preceding
    one."""
    usable = [
        period
        for period in periods
        if not re.search(
            r"\b(?:since|published|dated|updated|founded|opened|built|established|issued)\s+(?:in\s+)?$",
            text[max(0, period.start - 20) : period.start],
            re.IGNORECASE,
        )
    ]
    if len(usable) == 1:
        return [usable[0]] * len(quantities)
    result: list[Period | None] = []
    for quantity in quantities:
        best: tuple[float, Period] | None = None
        for period in usable:
            after = period.start >= quantity.end
            gap = period.start - quantity.end if after else quantity.start - period.end
            between = text[quantity.end : period.start] if after else text[period.end : quantity.start]
            crossed = sum(
                1
                for other in quantities
                if other is not quantity
                and min(period.start, quantity.start) < other.start < max(period.start, quantity.start)
            )
            cost = gap + 200 * crossed + 25 * len(_CLAUSE.findall(between)) - (15 if after else 0)
            if best is None or cost < best[0]:
                best = cost, period
        result.append(best[1] if best else None)
    return result


def _events_of(
    statement: Statement,
    periods: Sequence[Period],
    taken: Sequence[tuple[int, int]],
    common: frozenset[str],
    known: frozenset[str],
    language: str,
) -> list[Fact]:
    text = statement.text
    facts: list[Fact] = []
    for place, period in enumerate(periods):
        if period.relation != "at" or period.grain not in ("day", "month", "quarter", "year"):
            continue
        reach = periods[place - 1].end if place else 0
        before = words.word_spans(text[max(reach, period.start - 60) : period.start])[-5:]
        event = next((found for span in reversed(before) if (found := _EVENTS.get(span.text.lower()))), None)
        if event is None:
            continue
        names, terms, scope, said = _terms(text, 0, len(text), taken, common, language)
        terms -= {words.stem(other) for other, group in _EVENTS.items() if group == event}
        facts.append(
            Fact(
                statement, None, period, event, frozenset(names), frozenset(terms), frozenset(scope), known, None, said
            )
        )
    return facts
