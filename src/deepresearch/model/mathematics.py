"""Computations: what is asked of the sandbox for a report, and what came of it."""

from __future__ import annotations

from enum import StrEnum

from deepresearch.model.base import Value
from deepresearch.model.evidence import Quote


class MathStatus(StrEnum):
    """How the computations of a session ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"


class DataPoint(Value):
    """One value of a series with the exact words it was read from."""

    label: str
    value: float
    quote: Quote


class Series(Value):
    """Values of one thing over periods or categories, as the documents give them. `unit` may be empty."""

    name: str
    unit: str
    axis: str
    points: tuple[DataPoint, ...]


class MathRequest(Value):
    """A script to run for a report, with its input files (name to UTF-8 text) and the outputs it owes.

    `by_model` says that a language model wrote the script.
    """

    id: str
    title: str
    script: str
    files: dict[str, str]
    expects: tuple[str, ...]
    series: tuple[Series, ...]
    by_model: bool = False


class Figure(Value):
    """A picture a run drew. `path` is absolute once the report is written."""

    path: str
    title: str
    run_id: str
    media_type: str
    sha256: str


class Artefact(Value):
    """A file a run returned; its bytes are in the store under `sha256`."""

    name: str
    media_type: str
    size: int
    sha256: str


class MathResult(Value):
    """What came of a request. `values` are the numbers the script printed as JSON, by name.

    `script` is the program that ran where it is another than the one first asked for (mended after a failure).
    """

    request_id: str
    run_id: str
    status: MathStatus
    reason: str
    note: str
    values: dict[str, float | str]
    artefacts: tuple[Artefact, ...]
    duration_ms: int
    backend: str
    script: str | None = None


class MathSummary(Value):
    """The state of mathematics in a report. `degradation_note` is for people, empty when all went well."""

    status: MathStatus
    alert_required: bool
    degradation_note: str
    runs: tuple[str, ...]
