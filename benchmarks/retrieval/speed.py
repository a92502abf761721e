"""How fast passages are taken in and found, beside LanceDB (hybrid) and bm25s, each in a process of its own.

`python -m benchmarks.retrieval.speed ENGINE NUMBER FOLDER` measures one engine at one size and prints JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.retrieval.datasets import data_folder, mixed_questions, random_passages
from benchmarks.retrieval.measures import percentile

if TYPE_CHECKING:
    from deepresearch.retrieval import Index

    _Opener = Callable[[Path], AbstractContextManager[Index]]

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
ENGINES = ("deepresearch", "lancedb", "bm25s")
SERVER_BESIDE = ("deepresearch", "qdrant-server")
SERVER = "DEEPRESEARCH_BENCH_QDRANT_URL"
_QUESTIONS = 200
_WARM_UP = 20
_LIMIT = 10


def growth(sizes: Sequence[int], engines: Sequence[str] = ENGINES) -> list[dict[str, object]]:
    """A row for each engine and size; engines that are not installed are named and left out."""
    rows = []
    for number in sizes:
        for engine in engines:
            if missing := _missing(engine):
                print(f"{missing}: left out", file=sys.stderr)
                continue
            with tempfile.TemporaryDirectory() as place:
                row: dict[str, object] = {"engine": engine, "passages": number}
                try:
                    for step in ("write", "read"):
                        row |= _child(step, engine, number, place)
                finally:
                    if engine == "qdrant-server":
                        _remove_from_server(Path(place))
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    return rows


def _missing(engine: str) -> str | None:
    """What keeps an engine from being measured."""
    if engine == "deepresearch":
        return None
    if engine == "qdrant-server":
        return None if os.environ.get(SERVER) else f"{engine} needs {SERVER}, the address of a server for this alone"
    return None if find_spec(engine) else f"{engine} is not installed (pip install 'deepresearch[bench]')"


def _child(step: str, engine: str, number: int, place: str) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.retrieval.speed", step, engine, str(number), place]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return {f"{step} failed with": done.returncode}
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def _resident() -> float:
    """Megabytes of this process in memory."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _times(search: Callable[[str], object], questions: Sequence[str]) -> dict[str, object]:
    """The best of three passes over the questions, since a machine shared with others is never slow alike."""
    for text in questions[:_WARM_UP]:
        search(text)
    passes = []
    for _ in range(3):
        spent = time.process_time()
        taken = []
        for text in questions:
            began = time.perf_counter()
            search(text)
            taken.append(1000 * (time.perf_counter() - began))
        spent = 1000 * (time.process_time() - spent) / len(questions)
        passes.append((percentile(taken, 0.5), percentile(taken, 0.95), spent))
    middle, late, spent = min(passes)
    return {"p50 ms": middle, "p95 ms": late, "processor ms": spent, "resident MB": _resident()}


def _embedded(folder: Path) -> AbstractContextManager[Index]:
    from deepresearch.retrieval import EmbeddedIndex

    return EmbeddedIndex(folder / "index", background=False)


@contextmanager
def _on_server(folder: Path) -> Iterator[Index]:
    from deepresearch.retrieval.server import ServerIndex, connect

    with closing(connect(os.environ[SERVER])) as client, ServerIndex(client, _collection(folder)) as index:
        yield index


def _collection(folder: Path) -> str:
    return f"benchmark-{folder.name}"


def _remove_from_server(folder: Path) -> None:
    from deepresearch.retrieval.server import connect, remove_collection

    with closing(connect(os.environ[SERVER])) as client:
        remove_collection(client, _collection(folder))


def _write_ours(open_index: _Opener, folder: Path, number: int, data: Path) -> dict[str, object]:
    passages = list(random_passages(data, number))
    began = time.perf_counter()
    with open_index(folder) as index:
        index.upsert(passages)
        index.search("warm up the fit")
        stored = time.perf_counter() - began
        plain = _times(lambda text: index.search(text, _LIMIT), mixed_questions(data, 120))
        began = time.perf_counter()
        index.optimize()
        return {
            "passages/s": number / stored,
            "optimize s": time.perf_counter() - began,
            "p50 ms before": plain["p50 ms"],
            "p95 ms before": plain["p95 ms"],
        }


def _read_ours(open_index: _Opener, folder: Path, number: int, data: Path) -> dict[str, object]:
    began = time.perf_counter()
    with open_index(folder) as index:
        opened = time.perf_counter() - began
        times = _times(lambda text: index.search(text, _LIMIT), mixed_questions(data, _QUESTIONS))
        return {"open s": opened, **times}


def _vectors(data: Path, number: int) -> tuple[list[str], Callable[[Sequence[str]], list[list[float]]]]:
    """The passages' texts, and an encoder for the vectors that LanceDB is given: the same as the
    product's.
    """
    from benchmarks.retrieval.datasets import make
    from deepresearch.retrieval.dense import Entry
    from deepresearch.retrieval.lsa import LatentSemanticEncoder
    from deepresearch.retrieval.sparse import BM25
    from deepresearch.retrieval.statistics import TermStatistics

    texts = [one.text for one in random_passages(data, number)]

    def entry(text: str) -> Entry:
        return Entry(text, BM25().encode_document(make("", text))[0])

    sample = [entry(text) for text in texts[:10_000]]
    encoder = LatentSemanticEncoder()
    encoder.fit(sample, TermStatistics.of([one.terms for one in sample], len(sample)))

    def encode(some: Sequence[str]) -> list[list[float]]:
        return [list(map(float, row)) for row in encoder.encode_documents([entry(text) for text in some])]

    return texts, encode


def _write_lancedb(folder: Path, number: int, data: Path) -> dict[str, object]:
    import lancedb

    texts, encode = _vectors(data, number)
    parts = []
    for start in range(0, number, 5_000):
        some = texts[start : start + 5_000]
        parts.append(
            [{"id": start + i, "text": t, "vector": v} for i, (t, v) in enumerate(zip(some, encode(some), strict=True))]
        )
    began = time.perf_counter()
    table = lancedb.connect(folder).create_table("passages", parts[0])
    for part in parts[1:]:
        table.add(part)
    table.create_fts_index("text")
    if number >= 10_000:
        table.create_index(metric="cosine", vector_column_name="vector")
    return {"passages/s": number / (time.perf_counter() - began)}


def _read_lancedb(folder: Path, number: int, data: Path) -> dict[str, object]:
    import lancedb

    _, encode = _vectors(data, min(number, 10_000))
    questions = mixed_questions(data, _QUESTIONS)
    vectors = dict(zip(questions, encode(questions), strict=True))
    table = lancedb.connect(folder).open_table("passages")

    def search(text: str) -> object:
        words = " ".join(word for word in text.split() if word.isalnum())  # quotes and brackets are its syntax
        return table.search(query_type="hybrid").vector(vectors[text]).text(words).limit(_LIMIT).to_list()

    return _times(search, questions)


def _write_bm25s(folder: Path, number: int, data: Path) -> dict[str, object]:
    import bm25s
    import Stemmer

    texts = [one.text for one in random_passages(data, number)]
    began = time.perf_counter()
    engine = bm25s.BM25()
    stemmer = Stemmer.Stemmer("english")
    engine.index(bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False), show_progress=False)
    engine.save(folder / "bm25s", corpus=[{"text": text} for text in texts])
    return {"passages/s": number / (time.perf_counter() - began)}


def _read_bm25s(folder: Path, number: int, data: Path) -> dict[str, object]:
    import bm25s
    import Stemmer

    engine = bm25s.BM25.load(folder / "bm25s", load_corpus=True, mmap=True, show_progress=False)
    stemmer = Stemmer.Stemmer("english")

    def search(text: str) -> object:
        tokens = bm25s.tokenize([text], stopwords="en", stemmer=stemmer, show_progress=False)
        return engine.retrieve(tokens, k=_LIMIT, show_progress=False)

    return _times(search, mixed_questions(data, _QUESTIONS))


_STEPS: dict[tuple[str, str], Callable[[Path, int, Path], dict[str, object]]] = {
    ("write", "deepresearch"): partial(_write_ours, _embedded),
    ("read", "deepresearch"): partial(_read_ours, _embedded),
    ("write", "qdrant-server"): partial(_write_ours, _on_server),
    ("read", "qdrant-server"): partial(_read_ours, _on_server),
    ("write", "lancedb"): _write_lancedb,
    ("read", "lancedb"): _read_lancedb,
    ("write", "bm25s"): _write_bm25s,
    ("read", "bm25s"): _read_bm25s,
}


def small_corpora(data: Path) -> list[dict[str, object]]:
    """From an empty folder to the first hit in a fresh process: 300 and 5,000 passages."""
    rows = []
    for number in (300, 5_000):
        taken = []
        for _ in range(3):
            with tempfile.TemporaryDirectory() as place:
                began = time.perf_counter()
                inside = _child("small", "deepresearch", number, place)
                taken.append((time.perf_counter() - began, inside))
        whole, inside = min(taken, key=lambda one: one[0])
        rows.append({"passages": number, "process s": whole, **inside})
    return rows


def _small(folder: Path, number: int, data: Path) -> dict[str, object]:
    passages = list(random_passages(data, number))
    began = time.perf_counter()
    from deepresearch.retrieval import EmbeddedIndex

    with EmbeddedIndex(folder / "index") as index:
        index.upsert(passages)
        written = time.perf_counter() - began
        index.search("what is the pressure on a wing")
        return {"open and write s": written, "to the first hit s": time.perf_counter() - began}


def main() -> int:
    """One step of one engine; prints what it measured as JSON."""
    step, engine, number, place = sys.argv[1:5]
    data = data_folder()
    if data is None:
        return 1
    run = _small if step == "small" else _STEPS[(step, engine)]
    print(json.dumps(run(Path(place), int(number), data)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
