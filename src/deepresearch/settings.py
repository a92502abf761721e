"""The one place that reads the environment and `.env`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _default_home() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "deepresearch"


class Settings(BaseSettings):
    """Everything that can be set from outside; each name with the prefix ``DEEPRESEARCH_`` in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="DEEPRESEARCH_",
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        populate_by_name=True,
    )

    home: Path = Field(default_factory=_default_home, description="Data folder: sessions, index, sandbox runtime.")
    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DEEPRESEARCH_DATABASE_URL", "DATABASE_URL"),
        description="Where sessions live; SQLite in the home folder unless set.",
    )
    team: str = Field(default="extractive", description="Who thinks: extractive, or PROVIDER:MODEL.")
    max_concurrent_sessions: int = Field(default=5, ge=1, description="Sessions that one worker runs at a time.")
    max_running_sessions: int = Field(
        default=0, ge=0, description="Queued sessions running at a time on all workers together; 0 for no bound."
    )
    max_running_per_tenant: int = Field(
        default=0, ge=0, description="Queued sessions of one tenant running at a time; 0 for no bound."
    )
    max_waiting_sessions: int = Field(default=1000, ge=0, description="Sessions that may wait in the queue in all.")
    max_waiting_per_tenant: int = Field(default=500, ge=0, description="Sessions of one tenant that may wait.")
    takeover_grace_seconds: float = Field(
        default=10.0, ge=0, description="A worker counts as dead when its lock has been free for so long."
    )
    store_patience_seconds: float = Field(
        default=300.0, ge=0, description="How long a session waits for a database that has gone away."
    )
    stop_patience_seconds: float = Field(
        default=20.0, ge=0, description="How long a stopping worker lets its sessions finish before it hands them over."
    )
    review_when_degraded: bool = Field(
        default=False, description="Ask for a review of every report whose computations failed."
    )
    review_below_confidence: float = Field(
        default=0.0, ge=0, le=1, description="Ask for a review when the mean confidence of the claims is below this."
    )
    session_retention_days: float = Field(
        default=0.0, ge=0, description="Workers purge sessions that ended so long ago; 0 keeps them."
    )
    qdrant_url: str | None = Field(
        default=None, description="Address of a Qdrant server for collections; an index in the home folder unless set."
    )
    qdrant_collection: str = Field(
        default="deepresearch",
        pattern=r"[A-Za-z0-9_-]{1,60}",
        description="What the names of the server's collections begin with.",
    )
    qdrant_api_key: SecretStr | None = Field(default=None, description="The server's key, if it wants one.")
    sandbox_backend: str = Field(default="auto", description="auto, docker or bubblewrap.")
    sandbox_image: str = Field(
        default="deepresearch-python-sandbox:latest", description="Image of the docker back end."
    )
    sandbox_runtime: str = Field(
        default="", description="OCI runtime of the docker back end, for instance runsc; the engine's own unless set."
    )
    sandbox_security: str = Field(
        default="", description="Further security options of the docker back end, such as apparmor=NAME."
    )
    docker_bin: str = Field(default="docker", description="The docker command, for building images.")
    api_addr: str = Field(default="127.0.0.1:8080", description="HOST:PORT that `serve` listens on.")
    api_token: SecretStr | None = Field(
        default=None, description="Bearer token of the API, and the one that --server sends."
    )
    api_tokens: SecretStr | None = Field(
        default=None, description="More tokens, each token:tenant:scopes, with white space between."
    )
    api_hosts: str = Field(default="", description="Names the API may be called by, with commas between.")
    api_source_roots: str = Field(
        default="", description="Folders of the server, with colons between, that sessions over the API may read."
    )
    api_teams: str = Field(
        default="", description="Teams that clients may choose beside extractive and the one that is set; * for any."
    )
    api_upload_files: int = Field(default=500, ge=1, description="Files in one upload.")
    api_upload_file_mb: int = Field(default=100, ge=1, description="Size of one uploaded file.")
    api_upload_total_mb: int = Field(default=400, ge=1, description="Size of one upload.")
    api_requests_per_minute: float = Field(default=1200, gt=0, description="Requests a minute of one token.")
    api_streams: int = Field(default=200, ge=1, description="Event streams open at once.")
    api_sandbox_runs: int = Field(default=2, ge=1, description="Scripts that the API runs at once.")
    api_metrics_public: bool = Field(default=True, description="Whether /metrics needs no token.")
    server: str | None = Field(
        default=None, description="Address of a server that commands use instead of this machine."
    )
    log_dir: Path | None = Field(default=None, description="Folder for JSON log lines; standard error unless set.")
    log_format: Literal["json", "text"] = Field(default="json", description="json or text.")
    log_level: Literal["", "debug", "info", "warning", "error"] = Field(
        default="", description="info for services unless set; a command logs to standard error only when it is set."
    )
    log_retention_days: int = Field(
        default=90, ge=0, description="Rotated log files older than this are deleted at a start; 0 keeps them."
    )
    otel_metrics_endpoint: str | None = Field(
        default=None, description="Base address of an OTLP receiver that metrics are pushed to."
    )
    otel_traces_endpoint: str | None = Field(
        default=None, description="Base address of an OTLP receiver that spans are pushed to."
    )
    otel_protocol: Literal["http", "grpc"] = Field(default="http", description="How both are spoken to.")
    otel_period_seconds: float = Field(default=15.0, gt=0, description="Seconds between two pushes of metrics.")
    metrics_addr: str = Field(
        default="", description="HOST:PORT where a worker serves its /metrics page; not served unless set."
    )
    offline: bool = Field(default=False, description="Refuse every use of the network.")
    model_base_url: str | None = Field(
        default=None, description="Address of an OpenAI-compatible API for openai: and compatible: models."
    )
    model_api_key: SecretStr | None = Field(default=None, description="Key for that address, or for any provider.")
    openai_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_OPENAI_API_KEY", "OPENAI_API_KEY")
    )
    anthropic_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY")
    )
    google_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DEEPRESEARCH_GOOGLE_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
    )
    anthropic_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_ANTHROPIC_BASE_URL", "ANTHROPIC_BASE_URL")
    )
    google_base_url: str | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_GOOGLE_BASE_URL", "GOOGLE_GEMINI_BASE_URL")
    )
    ollama_base_url: str = Field(
        default="http://127.0.0.1:11434/v1",
        validation_alias=AliasChoices("DEEPRESEARCH_OLLAMA_BASE_URL", "OLLAMA_BASE_URL"),
    )
    model_roles: str = Field(default="", description="Other models for single roles: writer=openai:…,reader=….")
    model_second: str = Field(default="", description="The model to ask when the first fails: PROVIDER:MODEL.")
    model_outage: Literal["extractive", "stop"] = Field(
        default="extractive", description="When no model answers: go on without one, or stop so that it can be resumed."
    )
    model_attempts: int = Field(default=4, ge=1, le=20, description="How often a failed call is sent in all.")
    model_backoff_seconds: float = Field(default=1.0, ge=0, le=60, description="First pause between attempts; doubled.")
    model_patience_seconds: float = Field(default=60.0, ge=0, le=3600, description="Longest Retry-After obeyed.")
    model_timeout_seconds: float = Field(default=120.0, gt=0, le=3600, description="Longest silence of a model.")
    model_max_output_tokens: int = Field(default=4000, ge=200, le=200_000, description="Longest answer of a call.")
    model_rounds: int = Field(default=2, ge=0, le=10, description="Rounds of further searches for what is missing.")
    model_concurrency: int = Field(default=4, ge=1, le=64, description="Calls under way at the same time.")
    model_prices: Path | None = Field(default=None, description="Price table (JSON); the package's own unless set.")
    prompts: Path | None = Field(default=None, description="Folder with prompts that replace the package's.")
    web_search: str = Field(
        default="auto",
        description="Search providers in the order they are asked, parted by commas; auto takes those with a key first.",
    )
    searxng_url: str | None = Field(default=None, description="Address of a SearXNG instance that allows JSON.")
    tavily_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_TAVILY_API_KEY", "TAVILY_API_KEY")
    )
    brave_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_BRAVE_API_KEY", "BRAVE_API_KEY")
    )
    exa_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("DEEPRESEARCH_EXA_API_KEY", "EXA_API_KEY")
    )
    web_language: str = Field(default="en", pattern=r"[a-z][a-z-]{1,11}", description="Language of Wikipedia.")
    web_allowed_hosts: str = Field(
        default="", description="Private hosts that may be fetched from, HOST or HOST:PORT, parted by commas."
    )
    web_max_pages: int = Field(default=30, ge=1, le=1_000, description="Pages of the web one session fetches at most.")
    web_parallel: int = Field(default=6, ge=1, le=64, description="Pages fetched at the same time, one from each site.")
    web_pause_seconds: float = Field(default=1.0, ge=0, le=60, description="Between two requests to one site.")
    web_seconds: float = Field(default=30.0, gt=0, le=600, description="For one request, from its start to its end.")
    web_page_megabytes: int = Field(default=10, ge=1, le=1_000, description="Larger pages (not PDFs) are refused.")
    web_cache_minutes: float = Field(
        default=60.0, ge=0, description="Pages that any session fetched in this time are not fetched again."
    )

    @field_validator("log_dir", "otel_metrics_endpoint", "otel_traces_endpoint", "qdrant_url", mode="before")
    @classmethod
    def _unset_when_empty(cls, value: object) -> object:
        # Compose hands an unset variable on as an empty one.
        return None if value == "" else value

    @field_validator("log_format", "log_level", "otel_protocol", mode="before")
    @classmethod
    def _lower_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("home", "log_dir", "prompts", "model_prices")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path is not None else None
