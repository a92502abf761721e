"""One artefact of each kind, drawn for real: whether a freshly built runtime can do its work."""

from __future__ import annotations

from dataclasses import dataclass

from deepresearch.sandbox.contract import ProfileName, SandboxRequest, Status
from deepresearch.sandbox.core import Sandbox

_PLOT = """
import matplotlib.pyplot as plt
plt.plot([2019, 2020, 2021], [3.1, 2.7, 3.9], marker="o")
plt.title("Growth, Wachstum, 成長")
plt.savefig("plot.{kind}")
"""

_NETWORK = """
import networkx as nx
graph = nx.DiGraph([("question", "plan"), ("plan", "search"), ("search", "report")])
nx.nx_pydot.to_pydot(graph).write_svg("network.svg")
"""

_DIAGRAM = """
import subprocess
with open("diagram.mmd", "w") as file:
    file.write("flowchart LR; Question --> Plan --> Report")
subprocess.run(["mmdc", "-i", "diagram.mmd", "-o", "diagram.svg"], check=True)
"""


@dataclass(frozen=True, slots=True)
class Check:
    """A script, the artefact it owes, and a word that must be in it (drawings that are text only)."""

    name: str
    script: str
    output: str
    media_type: str
    word: bytes = b""
    profile: ProfileName = ProfileName.PLAIN


CHECKS = (
    Check("Matplotlib PNG", _PLOT.format(kind="png"), "plot.png", "image/png"),
    Check("Matplotlib PDF", _PLOT.format(kind="pdf"), "plot.pdf", "application/pdf"),
    Check("NetworkX through Graphviz to SVG", _NETWORK, "network.svg", "image/svg+xml", b"search"),
    Check("Mermaid to SVG", _DIAGRAM, "diagram.svg", "image/svg+xml", b"Report", ProfileName.MERMAID),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check went; `detail` says why not, or how large the artefact is."""

    name: str
    passed: bool
    detail: str
    duration_ms: int
    unavailable: bool = False


async def smoke(sandbox: Sandbox, timeout: float = 90.0) -> list[Outcome]:
    """Run every check, one after another."""
    return [await _run(sandbox, check, timeout) for check in CHECKS]


async def _run(sandbox: Sandbox, check: Check, timeout: float) -> Outcome:
    request = SandboxRequest(script=check.script, expects=(check.output,), profile=check.profile, timeout=timeout)
    result = await sandbox.run(request)
    if result.status is not Status.SUCCESS:
        last = result.stderr.strip().splitlines()[-1:] or [""]
        detail = f"{result.message} {last[0]}".strip()
        return Outcome(check.name, False, detail, result.duration_ms, result.reason.value == "unavailable")
    output = result.output(check.output)
    if output.media_type != check.media_type:
        return Outcome(check.name, False, f"{check.output} is {output.media_type}", result.duration_ms)
    if check.word not in output.content:
        return Outcome(check.name, False, f"{check.output} lacks the label {check.word.decode()}", result.duration_ms)
    return Outcome(check.name, True, f"{check.output}, {output.size} bytes", result.duration_ms)
