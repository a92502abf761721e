"""What clients send, as models: unknown fields are refused, so that a misspelt one is noticed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

_Text = Annotated[str, Field(max_length=10_000)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SessionAsked(_Asked):
    """A question, and where to look for its answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"question": "How did emissions develop between 2014 and 2024?", "collection": "reports"},
                {
                    "question": "What does the contract say about notice periods?",
                    "sources": ["/srv/documents/contracts"],
                    "budget_minutes": 10,
                    "review": True,
                },
            ]
        },
    )

    question: str = Field(min_length=1, max_length=10_000, description="The question.")
    collection: Annotated[str, Field(max_length=64)] | None = Field(None, description="A collection to search.")
    sources: list[Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=list,
        max_length=1000,
        description="Folders and files of the server, below those it is set up to read for clients.",
    )
    team: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Who thinks: extractive, or PROVIDER:MODEL."
    )
    session_id: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="An id of your own; the same request with it gives the same session."
    )
    priority: int = Field(0, ge=-100, le=100, description="Of the tenant's own sessions the highest goes first.")
    review: bool = Field(False, description="A person decides before the session ends.")
    web: bool = Field(False, description="Search the web as well.")
    budget_minutes: float | None = Field(None, gt=0, le=100_000, description="Minutes of work.")
    budget_tokens: int | None = Field(None, gt=0, le=10**12, description="Tokens of language models.")
    budget_calls: int | None = Field(None, ge=0, le=10**6, description="Calls of language models.")
    budget_cost_usd: float | None = Field(None, ge=0, le=10**6, description="US dollars for language models.")
    budget_steps: int | None = Field(None, gt=0, le=10**6, description="Searches with their reading, and sandbox runs.")


class ReviewGiven(_Asked):
    """A person's decision on a report that waits for it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "approve", "note": "Figures checked against the annual report."}]},
    )

    decision: str = Field(pattern="^(approve|reject)$", description="approve or reject.")
    note: _Text = Field("", description="Why.")
    reviewer: Annotated[str, Field(max_length=200)] = Field(
        "", description="Who decides; the token's name unless given."
    )


class SearchAsked(_Asked):
    """What to look for in a collection."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "fuel consumption 2024", "limit": 5, "kinds": ["table"]}]},
    )

    text: str = Field(min_length=1, max_length=10_000, description="Words to look for.")
    limit: int = Field(10, ge=1, le=200, description="Passages at most.")
    kinds: list[Annotated[str, Field(max_length=20)]] = Field(
        default_factory=list, max_length=4, description="prose, table."
    )
    sources: list[Annotated[str, Field(max_length=1000)]] = Field(
        default_factory=list, max_length=100, description="Globs of file names, or of paths when they hold a slash."
    )


class Forgetting(_Asked):
    """Documents to take out of a collection."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"sources": ["report-2023.pdf"]}]})

    sources: list[Annotated[str, Field(min_length=1, max_length=1000)]] = Field(min_length=1, max_length=1000)


class RunAsked(_Asked):
    """A script for the sandbox. `files` are small texts; upload a form for others."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"script": "print(sum(range(10)))", "timeout": 10, "expects": []}]},
    )

    script: str = Field(min_length=1, max_length=4_194_304, description="Python source.")
    script_name: Annotated[str, Field(max_length=200)] = "script.py"
    args: list[Annotated[str, Field(max_length=65_536)]] = Field(default_factory=list, max_length=1000)
    files: dict[str, str] = Field(default_factory=dict, max_length=1000, description="Name to text.")
    expects: list[Annotated[str, Field(max_length=1000)]] = Field(default_factory=list, max_length=64)
    timeout: float = Field(30.0, ge=0.1, le=600, description="Seconds.")
    profile: str = Field("plain", pattern="^(plain|mermaid)$")
