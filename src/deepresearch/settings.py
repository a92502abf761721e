"""The one place that reads the environment and `.env`."""

from __future__ import annotations

import os
from pathlib import Path

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
    api_upload_files: int = Field(default=500, ge=1, description="Files in one upload.")
    api_upload_file_mb: int = Field(default=100, ge=1, description="Size of one uploaded file.")
    api_upload_total_mb: int = Field(default=400, ge=1, description="Size of one upload.")
    api_requests_per_minute: float = Field(default=1200, gt=0, description="Requests a minute of one token.")
    api_streams: int = Field(default=200, ge=1, description="Event streams open at once.")
    api_sandbox_runs: int = Field(default=2, ge=1, description="Scripts that the API runs at once.")
    api_metrics_public: bool = Field(default=True, description="Whether /metrics needs no token.")
    server: str | None = Field(default=None, description="Address of a server that commands use instead of this machine.")
    log_dir: Path | None = Field(default=None, description="Folder for JSON log lines; standard error unless set.")
    log_format: str = Field(default="json", description="json or text.")
    offline: bool = Field(default=False, description="Refuse every use of the network.")

    @field_validator("home", "log_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path is not None else None
