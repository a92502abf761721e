"""An assistant's side of the protocol: the SDK's own client, over the real command in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent

from mcp import Client, StdioServerParameters


@asynccontextmanager
async def assistant(environment: Mapping[str, str], *options: str, mode: str = "auto") -> AsyncIterator[Client]:
    """A client of ``deepresearch mcp`` with these options; what it writes to standard error goes into ``mcp.log``."""
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "deepresearch", "mcp", *options], env=dict(environment)
    )
    log = Path(environment["DEEPRESEARCH_HOME"]) / "mcp.log"
    with log.open("a") as errors:
        async with Client(stdio_client(server, errlog=errors), mode=mode) as client:
            yield client


def structured(result: CallToolResult) -> dict[str, Any]:
    """The structured answer of a tool that did not fail."""
    assert not result.is_error, said(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def refusal(result: CallToolResult) -> str:
    """The sentence of a tool that refused: short, and nothing of the program's inside."""
    assert result.is_error
    text = said(result)
    assert len(text) < 600
    assert "\n" not in text
    assert "Traceback" not in text
    assert "Error executing" not in text
    return text


def said(result: CallToolResult) -> str:
    """The text of an answer."""
    return "".join(block.text for block in result.content if isinstance(block, TextContent))
