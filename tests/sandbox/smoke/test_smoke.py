"""The image draws what it is for: run with DEEPRESEARCH_SANDBOX_TESTS=1 and DEEPRESEARCH_SANDBOX_IMAGE=NAME set.

    DEEPRESEARCH_SANDBOX_TESTS=1 DEEPRESEARCH_SANDBOX_IMAGE=deepresearch-python-sandbox:latest \
        python -m pytest tests/sandbox/smoke
"""

from __future__ import annotations

import os
import struct

import pytest
from lxml import etree

from deepresearch.sandbox import Output, PoolOptions, ProfileName, Sandbox, SandboxRequest, Status
from deepresearch.settings import Settings

IMAGE = os.environ.get("DEEPRESEARCH_SANDBOX_IMAGE", "")

pytestmark = pytest.mark.skipif(
    os.environ.get("DEEPRESEARCH_SANDBOX_TESTS") != "1" or not IMAGE,
    reason="set DEEPRESEARCH_SANDBOX_TESTS=1 and DEEPRESEARCH_SANDBOX_IMAGE to the name of a built image",
)

PLOT = """
import matplotlib.pyplot as plt
plt.figure(figsize=(4, 3))
plt.plot([2019, 2020, 2021], [3.1, 2.7, 3.9], marker="o", label="Wachstum, 成長, рост")
plt.legend()
plt.savefig("plot.{kind}")
"""

NETWORK = """
import networkx as nx
graph = nx.DiGraph([("question", "plan"), ("plan", "search"), ("search", "report")])
nx.nx_agraph.write_dot(graph, "network.dot")
import subprocess
subprocess.run(["dot", "-Tsvg", "network.dot", "-o", "network.svg"], check=True)
"""

DIAGRAM = """
import subprocess
with open("diagram.mmd", "w") as file:
    file.write("flowchart LR\\n  Question --> Plan\\n  Plan --> Report")
subprocess.run(["mmdc", "-i", "diagram.mmd", "-o", "diagram.svg"], check=True)
"""


async def drawn(script: str, name: str, profile: ProfileName = ProfileName.PLAIN) -> Output:
    settings = Settings(sandbox_image=IMAGE)
    async with Sandbox.open(settings, backend="docker", pool=PoolOptions(warm={})) as sandbox:
        result = await sandbox.run(SandboxRequest(script=script, expects=(name,), profile=profile, timeout=120))
    assert result.status is Status.SUCCESS, f"{result.message} {result.stderr}"
    assert result.backend == "docker"
    assert not [entry for entry in result.rejected if entry.path == name]
    return result.output(name)


def labels(output: Output) -> str:
    assert output.media_type == "image/svg+xml"
    root = etree.fromstring(output.content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return " ".join(root.itertext())


async def test_matplotlib_png() -> None:
    output = await drawn(PLOT.format(kind="png"), "plot.png")
    assert output.media_type == "image/png"
    assert struct.unpack(">II", output.content[16:24]) == (400, 300)


async def test_matplotlib_pdf() -> None:
    import pypdfium2

    output = await drawn(PLOT.format(kind="pdf"), "plot.pdf")
    assert output.media_type == "application/pdf"
    assert len(pypdfium2.PdfDocument(output.content)) == 1


async def test_networkx_through_graphviz() -> None:
    assert {"question", "plan", "search", "report"} <= set(labels(await drawn(NETWORK, "network.svg")).split())


async def test_mermaid() -> None:
    output = await drawn(DIAGRAM, "diagram.svg", ProfileName.MERMAID)
    assert {"Question", "Plan", "Report"} <= set(labels(output).split())


async def test_a_warm_page_draws_the_same_diagram() -> None:
    settings = Settings(sandbox_image=IMAGE)
    cold = await drawn(DIAGRAM, "diagram.svg", ProfileName.MERMAID)
    pool = PoolOptions(warm={ProfileName.MERMAID: 1})
    async with Sandbox.open(settings, backend="docker", pool=pool) as sandbox:
        assert sandbox.pool is not None
        await sandbox.pool.wait_warm(ProfileName.MERMAID)
        result = await sandbox.run(SandboxRequest(script=DIAGRAM, profile=ProfileName.MERMAID, timeout=60))
    assert result.status is Status.SUCCESS, result.stderr
    assert result.output("diagram.svg").content == cold.content
