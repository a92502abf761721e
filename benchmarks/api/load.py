"""The API under load: sessions queued through it, run by workers, followed by readers, while status is asked.

    python -m benchmarks.api.load --sessions 200 --workers 2 --readers 50 --out docs/benchmarks

Starts a server and workers of its own on loopback over an empty data folder, and compares a status request under
load with one to the same server at rest. Fails when a session is lost or a reader misses an event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from deepresearch.client import AsyncClient
from deepresearch.model.session import SessionState

_QUESTIONS = (
    "When was the harbour of Lindvik opened?",
    "How many quays does the harbour of Lindvik have?",
    "How much diesel did the fleet burn in 2024?",
    "Who runs the ferries of Lindvik?",
)

_DOCUMENTS = {
    "harbour.md": "# Harbour\n\nThe harbour of Lindvik was opened in 1931. It has four quays for ferries.\n",
    "fleet.md": "# Fleet\n\nThe fleet burned 910 tonnes of diesel in 2023. The fleet burned 840 tonnes of diesel in 2024.\n",
    "company.md": "# Company\n\nTervane Sound Ferries runs the ferries of Lindvik. It has 212 employees.\n",
}

#: Status requests a second while the sessions run, and how many the server at rest is asked.
_PROBES_A_SECOND = 10
_AT_REST = 200


def main() -> None:
    """Run it and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deepresearch-load-") as folder:
        measured = run(Path(folder), asked.sessions, asked.workers, asked.readers, asked.database_url)
    print(json.dumps(measured, indent=2))
    if asked.out:
        name = f"api-load-{measured['database']}"
        (asked.out / f"{name}.json").write_text(json.dumps(measured, indent=2) + "\n")
        (asked.out / f"{name}.md").write_text(as_table(measured))


def run(
    folder: Path, sessions: int, workers: int, readers: int, database_url: str = ""
) -> dict[str, float | int | str]:
    """Measure once. Raises `AssertionError` when anything is lost."""
    settings = {
        "DEEPRESEARCH_HOME": str(folder / "home"),
        "DEEPRESEARCH_API_REQUESTS_PER_MINUTE": "1000000",
        "DEEPRESEARCH_MAX_WAITING_PER_TENANT": str(sessions + 10),
        "DEEPRESEARCH_LOG_FORMAT": "json",
        **({"DEEPRESEARCH_DATABASE_URL": database_url} if database_url else {}),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
    environment = {**kept, **settings}
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    with _process(folder, environment, "serve", "--addr", f"127.0.0.1:{port}", "--no-workers-in-process"):
        _wait_for(base)
        documents = folder / "documents"
        documents.mkdir()
        for name, text in _DOCUMENTS.items():
            (documents / name).write_text(text)
        return asyncio.run(_measure(base, folder, environment, documents, sessions, workers, readers, database_url))


async def _measure(
    base: str,
    folder: Path,
    environment: dict[str, str],
    documents: Path,
    sessions: int,
    workers: int,
    readers: int,
    database_url: str,
) -> dict[str, float | int | str]:
    async with AsyncClient(base) as client, httpx.AsyncClient(base_url=base, timeout=60) as http:
        await client.ingest("load", [documents])
        first = await client.submit(_QUESTIONS[0], collection="load", session_id="at-rest")
        at_rest = [await _status(http, first.id) for _ in range(_AT_REST)]
        await client.cancel(first.id)

        begun = time.monotonic()
        ids = await _submitted(client, sessions)
        queued = time.monotonic() - begun
        stop = asyncio.Event()
        probing = asyncio.create_task(_probe(http, ids, stop))
        following = [asyncio.create_task(_follow(client, ids[number::readers])) for number in range(readers)]
        begun = time.monotonic()
        with _processes(folder, environment, workers):
            counts = [count for counts in await asyncio.gather(*following) for count in counts]
        took = time.monotonic() - begun
        stop.set()
        under_load = await probing

        states = [(await client.session(session_id)).state for session_id in ids]
        lost = sum(state is not SessionState.COMPLETED for state in states)
        assert lost == 0, f"{lost} of {sessions} sessions did not complete"
        assert len(counts) == sessions
        for session_id, count in zip(
            (session_id for number in range(readers) for session_id in ids[number::readers]), counts, strict=True
        ):
            stored = await client.stored_events(session_id)
            assert count == len(stored), f"a reader of {session_id} saw {count} of {len(stored)} events"
    return {
        "database": "postgresql" if database_url else "sqlite",
        "sessions": sessions,
        "workers": workers,
        "readers": readers,
        "lost": lost,
        "events": sum(counts),
        "submit_seconds": round(queued, 2),
        "run_seconds": round(took, 1),
        "sessions_per_second": round(sessions / took, 2),
        "probes": len(under_load),
        "status_at_rest_p50_ms": _percentile(at_rest, 50),
        "status_at_rest_p95_ms": _percentile(at_rest, 95),
        "status_under_load_p50_ms": _percentile(under_load, 50),
        "status_under_load_p95_ms": _percentile(under_load, 95),
        "status_under_load_p99_ms": _percentile(under_load, 99),
        "p95_ratio": round(_percentile(under_load, 95) / _percentile(at_rest, 95), 2),
        "processors": os.cpu_count() or 0,
        "load_average": round(os.getloadavg()[0], 1),
    }


async def _submitted(client: AsyncClient, sessions: int) -> list[str]:
    """Queue all, some at a time."""
    gate = asyncio.Semaphore(8)

    async def submit(number: int) -> str:
        async with gate:
            question = _QUESTIONS[number % len(_QUESTIONS)]
            record = await client.submit(question, collection="load", session_id=f"load-{number:04}")
            return record.id

    return list(await asyncio.gather(*(submit(number) for number in range(sessions))))


async def _follow(client: AsyncClient, ids: Sequence[str]) -> list[int]:
    """Follow sessions one after the other; gives how many events of each came, in order and without a gap."""
    counts = []
    for session_id in ids:
        last = 0
        async for event in client.events(session_id):
            assert event.number == last + 1, f"{session_id}: {event.number} came after {last}"
            last = event.number
        counts.append(last)
    return counts


async def _probe(http: httpx.AsyncClient, ids: Sequence[str], stop: asyncio.Event) -> list[float]:
    """Ask for states at a steady rate, however long answers take; milliseconds of each."""
    asking: list[asyncio.Task[float]] = []
    number = 0
    while not stop.is_set():
        asking.append(asyncio.create_task(_status(http, ids[number % len(ids)])))
        number += 7
        await asyncio.sleep(1 / _PROBES_A_SECOND)
    return list(await asyncio.gather(*asking))


async def _status(http: httpx.AsyncClient, session_id: str) -> float:
    begun = time.perf_counter()
    answer = await http.get(f"/v1/sessions/{session_id}")
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - begun) * 1000


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, math.ceil(len(ordered) * percent / 100) - 1)], 1)


@contextmanager
def _process(folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[None]:
    with (folder / f"{arguments[0]}-{time.monotonic_ns()}.log").open("wb") as log:
        command = [sys.executable, "-m", "deepresearch", *arguments]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def _processes(folder: Path, environment: dict[str, str], workers: int) -> Iterator[None]:
    if not workers:
        yield
        return
    with _process(folder, environment, "worker"), _processes(folder, environment, workers - 1):
        yield


def _wait_for(base: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{base}/healthz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def as_table(measured: dict[str, float | int | str]) -> str:
    """The figures as a page."""
    rows = [
        ("sessions queued through the API", "sessions"),
        ("workers (processes, up to 5 sessions each at a time)", "workers"),
        ("readers of event streams at once", "readers"),
        ("sessions lost", "lost"),
        ("events read, each session's without a gap", "events"),
        ("seconds to queue all of them", "submit_seconds"),
        ("seconds until the last was finished", "run_seconds"),
        ("sessions a second", "sessions_per_second"),
        ("status requests during that time", "probes"),
        ("status request at rest, p50 / ms", "status_at_rest_p50_ms"),
        ("status request at rest, p95 / ms", "status_at_rest_p95_ms"),
        ("status request under load, p50 / ms", "status_under_load_p50_ms"),
        ("status request under load, p95 / ms", "status_under_load_p95_ms"),
        ("status request under load, p99 / ms", "status_under_load_p99_ms"),
        ("p95 under load, as a multiple of that at rest", "p95_ratio"),
        ("processors of the machine, shared by server, workers, readers and others", "processors"),
        ("load average at the end", "load_average"),
    ]
    lines = [
        f"# The API under load, on {measured['database']}",
        "",
        "Three small documents in one collection; server, workers and all clients on one machine. A load average far",
        "above the processors means that other programs had the machine too: the figures are then an upper bound, and",
        "the multiple of the same server at rest, measured in the same run, says more than the milliseconds.",
        "",
        f"    python -m benchmarks.api.load --sessions {measured['sessions']} --workers {measured['workers']} "
        f"--readers {measured['readers']} --out docs/benchmarks",
        "",
        "| what | figure |",
        "|---|---|",
        *(f"| {what} | {measured[name]} |" for what, name in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
