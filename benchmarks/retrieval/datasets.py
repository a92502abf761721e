"""Public sets with relevance judgements, as passages and questions."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deepresearch.model.documents import Passage

_PAGE_PIECE = 5  # sentences


@dataclass(frozen=True)
class Collection:
    """`questions` are texts, each with the grades (1 and up) of its relevant passages by passage id."""

    name: str
    passages: list[Passage]
    questions: list[tuple[str, dict[str, int]]]


def data_folder() -> Path | None:
    """Where the public sets are: DEEPRESEARCH_DATA, or ../shared/data beside the project. None if not
    there.
    """
    folder = Path(os.environ.get("DEEPRESEARCH_DATA") or Path(__file__).parents[3] / "shared" / "data")
    return folder if (folder / "cranfield.documents.xml").exists() else None


def make(name: str, text: str, heading: tuple[str, ...] = ()) -> Passage:
    """A passage that is its whole document."""
    return Passage(id=name, sha256=f"of-{name}", start=0, end=len(text), text=text, heading_path=heading)


def cranfield(folder: Path) -> Collection:
    """1,400 abstracts of aerodynamics, 225 questions."""
    xml = (folder / "cranfield.documents.xml").read_text("utf-8")
    passages = []
    for document in re.findall(r"<doc>(.*?)</doc>", xml, re.DOTALL):
        number = re.search(r"<docno>(.*?)</docno>", document, re.DOTALL)
        text = re.search(r"<text>(.*?)</text>", document, re.DOTALL)
        if number:
            passages.append(make(number[1].strip(), text[1].strip() if text else ""))
    titles = re.findall(r"<title>(.*?)</title>", (folder / "cranfield.queries.xml").read_text("utf-8"), re.DOTALL)
    grades: dict[int, dict[str, int]] = {}
    for line in (folder / "cranfield.qrels.txt").read_text("utf-8").splitlines():
        question, _, document, grade = line.split()
        if int(grade) > 0:
            grades.setdefault(int(question), {})[document] = int(grade)
    questions = [(titles[number - 1].strip(), grades[number]) for number in sorted(grades)]
    return Collection("Cranfield", passages, questions)


def cranfield_short(folder: Path) -> Collection:
    """Cranfield with six of ten abstracts cut down to their first sentence: uneven, poor documents."""
    whole = cranfield(folder)
    passages = [
        make(one.id, one.text.split(" .", 1)[0] + " .") if place * 7919 % 100 < 60 else one
        for place, one in enumerate(whole.passages)
    ]
    return Collection("Cranfield, 60 % cut", passages, whole.questions)


def _wice(folder: Path, piece: int, name: str) -> Collection:
    passages: list[Passage] = []
    questions: list[tuple[str, dict[str, int]]] = []
    pages: dict[tuple[str, ...], int] = {}
    for line in (folder / "wice.claims.dev.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        sentences = tuple(record["evidence"])
        if sentences not in pages:
            pages[sentences] = len(pages)
            passages += [
                make(f"{pages[sentences]}-{start // piece}", " ".join(sentences[start : start + piece]))
                for start in range(0, len(sentences), piece)
            ]
        page = pages[sentences]
        grades = {f"{page}-{place // piece}": 1 for group in record["supporting_sentences"] for place in group}
        if grades:
            questions.append((record["claim"], grades))
    return Collection(name, passages, questions)


def wice_sentences(folder: Path) -> Collection:
    """Claims of WiCE against all 41,700 sentences of all pages."""
    return _wice(folder, 1, "WiCE sentences")


def wice_pieces(folder: Path) -> Collection:
    """Claims of WiCE against runs of five sentences of all pages."""
    return _wice(folder, _PAGE_PIECE, "WiCE pieces")


def clapnq(folder: Path) -> Collection:
    """Questions of CLAPNQ against the sentences of all its passages, under the page's title."""
    passages: list[Passage] = []
    questions: list[tuple[str, dict[str, int]]] = []
    for line in (folder / "clapnq.dev.answerable.jsonl").read_text("utf-8").splitlines():
        record = json.loads(line)
        chosen = {sentence for answer in record["output"] for sentence in answer.get("selected_sentences", [])}
        grades = {}
        for number, page in enumerate(record["passages"]):
            for place, sentence in enumerate(page["sentences"]):
                name = f"{record['id']}-{number}-{place}"
                passages.append(make(name, sentence, (page["title"],)))
                if sentence in chosen:
                    grades[name] = 1
        if grades:
            questions.append((record["input"], grades))
    return Collection("CLAPNQ sentences", passages, questions)


def clapnq_among_wice(folder: Path) -> Collection:
    """The same questions with all sentences of WiCE among the passages: a scattered collection."""
    one, other = clapnq(folder), wice_sentences(folder)
    return Collection("CLAPNQ among WiCE", one.passages + other.passages, one.questions)


def tatqa(folder: Path) -> Collection:
    """Questions of TAT-QA against paragraphs and tables of all reports; many name neither firm nor year."""
    passages: list[Passage] = []
    questions: list[tuple[str, dict[str, int]]] = []
    for report, record in enumerate(json.loads((folder / "tatqa.dev.json").read_text("utf-8"))):
        passages += [make(f"{report}-{one['order']}", one["text"]) for one in record["paragraphs"]]
        rows = "\n".join(" | ".join(row) for row in record["table"]["table"])
        passages.append(make(f"{report}-table", rows))
        for question in record["questions"]:
            grades = {f"{report}-{order}": 1 for order in question.get("rel_paragraphs", [])}
            if "table" in question.get("answer_from", ""):
                grades[f"{report}-table"] = 1
            if grades:
                questions.append((question["question"], grades))
    return Collection("TAT-QA", passages, questions)


SETS: dict[str, Callable[[Path], Collection]] = {
    "cranfield": cranfield,
    "cranfield-short": cranfield_short,
    "wice": wice_sentences,
    "wice-pieces": wice_pieces,
    "clapnq": clapnq,
    "clapnq-among-wice": clapnq_among_wice,
    "tatqa": tatqa,
}


def random_passages(folder: Path, number: int) -> Iterator[Passage]:
    """Passages of three to eight sentences drawn from all sets, twenty to a document: natural words in
    any number.
    """
    sentences = {one.text for one in clapnq_among_wice(folder).passages if 30 < len(one.text) < 600}
    for abstract in cranfield(folder).passages:
        sentences.update(part.strip() + "." for part in abstract.text.split(" .") if len(part) > 30)
    pool = sorted(sentences)
    chance = random.Random(0)
    for place in range(number):
        text = " ".join(chance.choice(pool) for _ in range(chance.randint(3, 8)))
        yield Passage(id=f"p{place}", sha256=f"d{place // 20}", start=0, end=len(text), text=text)


def mixed_questions(folder: Path, number: int) -> list[str]:
    """Questions of Cranfield and CLAPNQ and claims of WiCE in a fixed random order."""
    texts = [text for one in (cranfield, clapnq, wice_sentences) for text, _ in one(folder).questions]
    random.Random(1).shuffle(texts)
    return texts[:number]
