"""Questions of TAT-QA whose answer is a cell, or one operation over cells, and that name row and period."""

from __future__ import annotations

import ast
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA_SET = "tatqa.dev.json"
SCALES = {"": 1.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "percent": 1.0}
_STOP = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "per", "than", "that", "the")
)
_STOP |= frozenset(("to", "was", "were", "what", "with", "its", "is", "are"))
_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")


@dataclass(frozen=True)
class Place:
    """A cell of the gold table: row and column from 0, and its number."""

    row: int
    column: int
    number: float


@dataclass(frozen=True)
class Question:
    """One selected question. `operands` are, in the order of the derivation, the cells that may be meant (by value)."""

    id: str
    text: str
    kind: str
    operands: tuple[tuple[Place, ...], ...]
    answer: float
    scale: str
    strict: bool


@dataclass(frozen=True)
class Page:
    """One table with its paragraphs and its selected questions."""

    id: str
    table: list[list[str]]
    paragraphs: list[str]
    questions: tuple[Question, ...]


def data_file() -> Path:
    """Where the data set should be: `DEEPRESEARCH_DATA`, else ``../shared/data`` beside the project."""
    given = os.environ.get("DEEPRESEARCH_DATA")
    folder = Path(given) if given else Path(__file__).parents[2].parent / "shared" / "data"
    return folder / DATA_SET


def read(path: Path) -> list[Page]:
    """All pages with the questions that are selected from them, in the order of the file."""
    return [_page(one) for one in json.loads(path.read_text(encoding="utf-8"))]


def number(text: str) -> float | None:
    """The number a gold cell or answer shows: brackets are a minus, a lone dash is zero."""
    bare = re.sub(r"[\s$€£¥%]|US|million|thousand|billion", "", text)
    if bare in ("-", "–", "—"):
        return 0.0
    match = re.fullmatch(r"(\(?)([-–−]?)(\(?)(\d[\d,]*(?:\.\d+)?|\.\d+)\)*", bare)
    if match is None:
        return None
    value = float(match[4].replace(",", ""))
    return -value if any(match[group] for group in (1, 2, 3)) else value


def _page(one: dict[str, Any]) -> Page:
    table: list[list[str]] = one["table"]["table"]
    paragraphs = [entry["text"] for entry in sorted(one["paragraphs"], key=lambda entry: entry["order"])]
    found = [_question(entry, table) for entry in one["questions"] if "table" in entry["answer_from"]]
    return Page(one["table"]["uid"], table, paragraphs, tuple(question for question in found if question is not None))


def _question(entry: dict[str, Any], table: list[list[str]]) -> Question | None:
    text = entry["question"]
    if entry["answer_type"] == "span":
        answers = entry["answer"] if isinstance(entry["answer"], list) else [entry["answer"]]
        value = number(answers[0]) if len(answers) == 1 else None
        if value is None or _YEAR.fullmatch(answers[0].strip()):
            return None
        kind, numbers = "lookup", [value]
    elif entry["answer_type"] == "arithmetic" and isinstance(entry["answer"], int | float):
        shape = _shape(entry["derivation"])
        if shape is None:
            return None
        kind, numbers = shape
        value = float(entry["answer"])
    else:
        return None
    operands = tuple(_places(table, one, text) for one in numbers)
    if not all(operands):
        return None
    named = all(any(_row_named(table, place, text) for place in places) for places in operands)
    if not named:
        return None
    strict = all(any(_period_named(table, place, text) for place in places) for places in operands)
    return Question(entry["uid"], text, kind, operands, value, entry["scale"], strict)


def _shape(derivation: str) -> tuple[str, list[float]] | None:
    """The kind of a derivation and its operands: a+b, a-b, a/b, (a-b)/b, (a+b+…)/n; None for any other."""
    text = re.sub(r"[\s$€£%]", "", derivation).replace("[", "(").replace("]", ")").replace("–", "-")
    text = _NUMBER.sub(lambda match: match[0].replace(",", ""), text)
    text = re.sub(r"(?<![\d.])0+(?=\d)", "", text)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    match tree:
        case ast.BinOp(ast.BinOp(a, ast.Sub(), b), ast.Div(), c):
            numbers = [_leaf(a), _leaf(b), _leaf(c)]
            if None not in numbers and abs(numbers[1] or 0) == abs(numbers[2] or 0):
                return "percentage change", [float(numbers[0] or 0), float(numbers[1] or 0)]
            return None
        case ast.BinOp(a, ast.Sub(), ast.Constant(1)) if isinstance(a, ast.BinOp) and isinstance(a.op, ast.Div):
            pair = [_leaf(a.left), _leaf(a.right)]
            return None if None in pair else ("percentage change", [one for one in pair if one is not None])
        case ast.BinOp(total, ast.Div(), count) if (terms := _terms(total)) and len(terms) > 1:
            # (2019-2017+1) is how the data set counts three years.
            return ("average", terms) if _value(count) == len(terms) else None
        case ast.BinOp(a, ast.Sub(), b):
            pair = [_leaf(a), _leaf(b)]
            return None if None in pair else ("difference", [one for one in pair if one is not None])
        case ast.BinOp(a, ast.Div(), b):
            pair = [_leaf(a), _leaf(b)]
            return None if None in pair else ("ratio", [one for one in pair if one is not None])
        case ast.BinOp(_, ast.Add(), _) if terms := _terms(tree):
            return "sum", terms
    return None


def _leaf(node: ast.expr) -> float | None:
    match node:
        case ast.Constant(int() | float() as written):
            return float(written)
        case ast.UnaryOp(ast.USub(), inner) if (value := _leaf(inner)) is not None:
            return -value
    return None


def _terms(node: ast.expr) -> list[float] | None:
    match node:
        case ast.BinOp(left, ast.Add(), right):
            first, second = _terms(left), _terms(right)
            return [*first, *second] if first and second else None
        case ast.UnaryOp(ast.USub(), inner) if isinstance(inner, ast.BinOp):
            terms = _terms(inner)
            return [-one for one in terms] if terms else None
    value = _leaf(node)
    return None if value is None else [value]


def _value(node: ast.expr) -> float | None:
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
            first, second = _value(left), _value(right)
            if first is None or second is None:
                return None
            return first + second if isinstance(sign, ast.Add) else first - second
    return _leaf(node)


def _places(table: list[list[str]], value: float, question: str) -> tuple[Place, ...]:
    """The cells that show this value (whatever the sign: derivations leave it out), the named ones if there are any."""
    found = [
        Place(row, column, shown)
        for row, cells in enumerate(table)
        for column, cell in enumerate(cells)
        if column and (shown := number(cell)) is not None and abs(shown) == abs(value)
    ]
    named = [place for place in found if _row_named(table, place, question) and _period_named(table, place, question)]
    return tuple(named or found)


def _row_named(table: list[list[str]], place: Place, question: str) -> bool:
    """Whether the question has at least half of the content words of the row's label (or is of a year in it)."""
    label = next((cell for cell in table[place.row][: place.column] if cell.strip()), "")
    own = _content(label)
    return bool(own) and 2 * len(own & _content(question)) >= len(own)


def _period_named(table: list[list[str]], place: Place, question: str) -> bool:
    """Whether the question names a year of the cell's column or row, or all the words of its column's heading."""
    asked = set(_YEAR.findall(question))
    if re.search(r"(?:FY|F)'?\d\d\b", question):
        asked |= {f"20{two}" for two in re.findall(r"(?:FY|F)'?(\d\d)\b", question)}
    head = [
        row[place.column]
        for row in table[: place.row]
        if number(row[place.column]) is None or _is_year(row[place.column])
    ]
    above = [cell for row in table[: place.row] for cell in row if number(cell) is None]
    label = table[place.row][0]
    years = {year for text in head for year in _years(text)}
    if not years:
        years = {year for text in [label, *above] for year in _years(text)}
    if asked & years:
        return True
    words = _content(head[-1]) if head else frozenset()
    return bool(words) and not any(_years(text) for text in head) and words <= _content(question)


def _years(text: str) -> set[str]:
    return set(_YEAR.findall(text)) | {f"20{two}" for two in re.findall(r"\b(?:FY|F)'?(\d\d)\b", text)}


def _is_year(text: str) -> bool:
    return _YEAR.fullmatch(text.strip()) is not None


def _content(text: str) -> frozenset[str]:
    found = re.findall(r"[a-z]+|\d+", text.lower())
    return frozenset(word.rstrip("s") for word in found if word not in _STOP)
