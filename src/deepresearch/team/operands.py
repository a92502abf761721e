"""The cells that an operation in a question is over: one thing at several periods, or several things at one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from deepresearch.model.documents import Document
from deepresearch.team.cell_choice import Asked, CellWeights, Scored, asked_of, named_stems, score_cells
from deepresearch.team.listed_operands import listed
from deepresearch.team.operations import Operation, asked_operation, asks_how_much_less, without_average
from deepresearch.team.placed_cells import PlacedCell, placed_cells
from deepresearch.team.word_lists import TIME_STEMS

#: A question has to name the operands at least this well.
FLOOR = 0.5
_TABLES = 6
_LONGEST = 12
_SPAN = re.compile(
    r"\b(?:from|between)\b[^?]*?\b(?:19|20)\d\d\b[^?]*?\b(?:to|and|until|through)\b|"
    r"(?:19|20)\d\d\s*(?:-|–|to|through|until)\s*\S*(?:19|20)\d\d|"
    r"\b(?:over|across|during|for) (?:the )?(?:\w+[\s-])?(?:years|period)",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(
    r"\s(?:and(?: the| its)?|to(?: the| its)?|as an? (?:percent(?:age)?|per\s?cent|%|share|proportion|fraction) of|"
    r"over|in|of|"
    r"than|from|versus|vs\.?|against|compared (?:to|with)|divided by|minus|plus|is|was|are|were|out of|relative to|"
    r"(?:does|do|did) \w+|attributable to)\s|,\s",
    re.IGNORECASE,
)
#: Cuts that seldom stand between two operands.
_WEAK = re.compile(r"\W*(?:of|from|is|was|are|were|in)?\W*", re.IGNORECASE)
_WHOLE_FIRST = re.compile(
    r"\b(?:what|which) (?:percent(?:age)?|per\s?cent|%|share|part|proportion|fraction) of\b"
    r".*?\b(?:is|was|are|were|did|does|do|"
    r"comes?|came|consists?|relates?|made|makes?|represents?|represented|accounted)\b(?! *$)",
    re.IGNORECASE,
)
_PLAIN_DIFFERENCE = re.compile(r"\bdifference\b[^?]*\bbetween\b", re.IGNORECASE)
_MOVES = frozenset({Operation.DIFFERENCE, Operation.PERCENTAGE_CHANGE})
_TWO_SIDED = frozenset({Operation.RATIO, Operation.SHARE})


@dataclass(frozen=True)
class Operands:
    """An operation with its cells in the order in which it takes them, and how well the question names them."""

    operation: Operation
    cells: tuple[PlacedCell, ...]
    score: float


def find_operands(question: str, documents: Sequence[Document]) -> Operands | None:
    """What a question wants computed from which cells, or None when it asks for no operation or names no cells."""
    operation = asked_operation(question)
    if operation is None:
        return None
    cells = [one for one in placed_cells(documents) if one.number is not None]
    asked = asked_of(question)
    if operation in (Operation.PERCENTAGE_CHANGE, Operation.SHARE):
        asked = replace(asked, soft=asked.soft - {"percent"})
    weights = CellWeights(cells)
    scored = _best_tables(score_cells(replace(asked, years=()), cells, weights))
    if not scored:
        return None
    cells = [one.placed for one in scored]
    if operation is Operation.AVERAGE and _is_named_average(scored[0].placed, question):
        operation = asked_operation(without_average(question))
        if operation is None:
            return None
    if len(asked.years) == 1 and operation in _MOVES and _is_named_change(scored, asked):
        return None
    if operation in (Operation.SUM, Operation.AVERAGE) and len(asked.years) < 2 and (things := listed(asked, scored)):
        return Operands(operation, tuple(one.placed for one in things), FLOOR)
    single = None if operation in _TWO_SIDED else _over_periods(operation, question, asked, scored)
    several = _over_things(operation, question, asked, cells, weights)
    if several is not None and len(asked.years) >= 2 and single is not None:
        return several if several.score > single.score + 0.15 else single
    if several is not None and (single is None or several.score > single.score - (0.0 if asked.years else -0.1)):
        return several
    return single


def _is_named_average(best: PlacedCell, question: str) -> bool:
    """Whether "average" is part of what the best cell is called and is said only once."""
    named = named_stems(cell.text for cell in (*best.label, *best.heads))
    return bool({"averag", "mean"} & named) and len(re.findall(r"\baverage\b", question, re.IGNORECASE)) == 1


def _is_named_change(scored: Sequence[Scored], asked: Asked) -> bool:
    """Whether the row that is asked for is itself called a change: "Net decrease in cash"."""
    best = scored[0]
    named = named_stems(cell.text for cell in best.placed.label)
    return best.named > 0.99 and bool({"increas", "decreas", "chang"} & named & (asked.soft | asked.hard))


def _best_tables(scored: Sequence[Scored]) -> list[Scored]:
    """The cells of the few tables that hold the best ones: an operation stays within one table."""
    tables = list(dict.fromkeys((one.placed.document.sha256, one.placed.table.id) for one in scored))[:_TABLES]
    kept = set(tables)
    return [one for one in scored if (one.placed.document.sha256, one.placed.table.id) in kept]


def _line(one: PlacedCell) -> tuple[object, ...]:
    """What stays the same along one thing's periods: table, and the words of row, groups and headings but the time."""
    words = (frozenset(_timeless(cell.text for cell in cells)) for cells in (one.label, one.groups, one.heads))
    return (one.document.sha256, one.table.id, *words)


def _timeless(texts: Iterator[str]) -> Iterator[str]:
    for stemmed in named_stems(texts):
        if not any(character.isdigit() for character in stemmed) and stemmed not in TIME_STEMS:
            yield stemmed


def _over_periods(operation: Operation, question: str, asked: Asked, scored: Sequence[Scored]) -> Operands | None:
    wanted = set(asked.years)
    if operation is Operation.SUM and len(wanted) == 1:
        return None
    lines: dict[tuple[object, ...], dict[int, Scored]] = {}
    for one in scored:
        years = one.placed.years
        if len(years) == 1:
            lines.setdefault(_line(one.placed), {}).setdefault(years[0], one)
    best: Operands | None = None
    for line in lines.values():
        found = _along(operation, question, asked.years, line)
        if found and (best is None or found.score > best.score):
            best = found
    return best if best is not None and best.score >= FLOOR else None


def _along(operation: Operation, question: str, wanted: tuple[int, ...], line: dict[int, Scored]) -> Operands | None:
    """The cells of one line at the periods that the question names: all within a span for a sum or an average."""
    have = sorted(line)
    if not set(wanted) <= set(have) or len(have) < 2:
        return None
    moves = operation in _MOVES
    implied = 0.0
    if moves:
        if len(wanted) == 1:
            implied = 0.15
            position = have.index(wanted[0])
            if position == 0:
                return None
            years = [have[position - 1], have[position]]
        else:
            years = [min(wanted or have), max(wanted or have)]
    elif len(wanted) >= 2:
        spans = bool(_SPAN.search(question)) and len(wanted) == 2
        years = [year for year in have if min(wanted) <= year <= max(wanted)] if spans else sorted(wanted)
    elif len(wanted) == 1:
        return None
    else:
        years = have
    if len(years) > _LONGEST:
        return None
    chosen = [line[year] for year in years]
    score = sum(one.score for one in chosen) / len(chosen) + (0.1 if wanted else 0.0) - implied
    if operation is Operation.DIFFERENCE and not _first_less_second(question, wanted):
        chosen.reverse()
    return Operands(operation, tuple(one.placed for one in chosen), round(score, 9))


def _first_less_second(question: str, wanted: tuple[int, ...]) -> bool:
    """Whether a difference between periods is asked for as the earlier value less the later one."""
    if asks_how_much_less(question):
        return True
    return bool(_PLAIN_DIFFERENCE.search(question)) and len(wanted) == 2 and wanted[0] < wanted[1]


def _over_things(
    operation: Operation, question: str, asked: Asked, cells: Sequence[PlacedCell], weights: CellWeights
) -> Operands | None:
    if len(asked.years) > 1 and operation not in _TWO_SIDED:
        return None
    best: Operands | None = None
    for left, right, cost in _sides(question):
        first = _best(left, asked, cells, weights)
        if first is None:
            continue
        second = _best(right, asked, cells, weights, beside=first)
        if second is None or second.score < FLOOR or first.score < FLOOR:
            continue
        score = (first.score + second.score) / 2 * (
            0.6 + 0.4 * len(first.met | second.met) / max(1, len(asked.hard | asked.soft))
        ) - cost
        turned = bool(_WHOLE_FIRST.search(question)) and operation in _TWO_SIDED
        turned |= operation is Operation.PERCENTAGE_CHANGE and not (_dated(first) and _dated(second))
        pair = (second, first) if turned else (first, second)
        if best is None or round(score, 9) > best.score:
            best = Operands(operation, tuple(one.placed for one in pair), round(score, 9))
    return best


def _dated(one: Scored) -> bool:
    return bool(TIME_STEMS & named_stems(cell.text for cell in (*one.placed.heads, *one.placed.label)))


def _sides(question: str) -> Iterator[tuple[Asked, Asked, float]]:
    """The question cut in two at each word that may stand between its operands, shared words given to both sides."""
    for cut in _SEPARATOR.finditer(question):
        left, right = asked_of(question[: cut.start()]), asked_of(question[cut.end() :])
        if not (left.hard | left.soft) or not (right.hard | right.soft):
            continue
        cost = 0.06 if _WEAK.fullmatch(cut[0]) else 0.0
        yield left, right, cost
        words_left = list(re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", question[: cut.start()]))
        words_right = list(re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", question[cut.end() :]))
        tail, head = asked_of(" ".join(words_right[1:])), asked_of(" ".join(words_left[:-1]))
        if tail.hard and len(words_right) > 1:
            yield replace(left, hard=left.hard | tail.hard), right, cost
        if head.hard and len(words_left) > 1:
            yield left, replace(right, hard=right.hard | head.hard), cost


def _best(
    side: Asked, whole: Asked, cells: Sequence[PlacedCell], weights: CellWeights, beside: Scored | None = None
) -> Scored | None:
    """The best cell for one side; the second stands in the first one's table, row or column, and is another."""
    years = side.years or whole.years
    found = score_cells(replace(side, years=years), cells, weights)
    if beside is None:
        return found[0] if found else None
    first = beside.placed
    for one in found:
        other = one.placed
        if (
            other.cell != first.cell
            and other.table.id == first.table.id
            and other.document.sha256 == first.document.sha256
            and (other.column == first.column or other.row == first.row or other.years == first.years)
        ):
            return one
    return None
