"""Everything the doctor looks at, in the order it is told."""

from __future__ import annotations

from collections.abc import Iterator

from deepresearch.doctor import machine, otlp, ports, stores
from deepresearch.doctor import sandbox as sandboxes
from deepresearch.doctor.check import Check, Finding, run_checks
from deepresearch.doctor.configuration import read_settings


def examine(*, draw: bool = True) -> Iterator[Finding]:
    """Look at everything and give each finding as it is known. Changes nothing; takes at most about a minute.

    With `draw` false the sandbox is looked at but nothing is drawn in it, which takes seconds.
    """
    settings, findings = read_settings()
    yield from findings
    checks = [
        Check("python", machine.python_version),
        Check("libraries", machine.known_weaknesses),
        Check("data folder", lambda: machine.folders(settings), 15.0),
        Check("clock", machine.clock),
        Check("ports", lambda: ports.ports(settings)),
        Check("database", lambda: stores.database(settings), 15.0),
        Check("qdrant", lambda: stores.qdrant(settings)),
        Check("otlp", lambda: otlp.endpoints(settings), 15.0),
        Check("control groups", sandboxes.control_groups),
        Check("sandbox", lambda: sandboxes.back_ends(settings), 30.0),
    ]
    if draw:
        checks.append(Check("drawing", lambda: sandboxes.drawing(settings), sandboxes.DRAWING_SECONDS))
    yield from run_checks(checks)
