"""Finds the Docker engine the way its own command line does, and turns its refusals into sentences."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deepresearch.model.errors import SandboxError, SandboxUnavailable

#: Seconds an answer of the engine may take; it only ever has to do one small thing at a time.
ANSWER_SECONDS = 60


def connect() -> Any:
    """A client (`docker.APIClient`) of the engine in use; nothing is asked of it yet.

    `DOCKER_HOST` with `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` comes first, then the current context of the
    command line, then the usual socket, then the one of a rootless engine. Raises `SandboxUnavailable` without the
    client library.
    """
    try:
        import docker
        from docker.errors import DockerException
    except ImportError:
        raise SandboxUnavailable(
            "The docker sandbox needs the Python library docker, which is not installed. "
            "Install it with `pip install 'deepresearch[docker]'`."
        ) from None
    try:
        return docker.APIClient(version="auto", timeout=ANSWER_SECONDS, **_address(docker))
    except (DockerException, ValueError) as refused:
        where = os.environ.get("DOCKER_HOST") or "the usual socket"
        raise SandboxUnavailable(
            f"The docker sandbox reaches no Docker engine at {where} ({_short(refused)}). "
            "Start one (`systemctl start docker`), name one with DOCKER_HOST, or choose the backend bubblewrap."
        ) from None


def _address(docker: Any) -> dict[str, Any]:
    if os.environ.get("DOCKER_HOST"):
        return dict(docker.utils.kwargs_from_env())
    try:
        context = docker.ContextAPI.get_current_context()
    except Exception:  # a broken file of another program is no reason to fail
        context = None
    if context is not None and context.name != "default" and context.Host:
        return {"base_url": context.Host, "tls": context.TLSConfig or False}
    rootless = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}") / "docker.sock"
    if not Path("/var/run/docker.sock").exists() and rootless.exists():
        return {"base_url": f"unix://{rootless}"}
    return {}


@contextmanager
def answered(doing: str) -> Iterator[None]:
    """Turns what the engine answers, or that it does not, into `SandboxUnavailable` with `doing` in it."""
    import requests
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, requests.RequestException, OSError) as refused:
        raise SandboxUnavailable(f"The Docker engine could not {doing}: {_short(refused)}.") from refused


@contextmanager
def absence_is_fine() -> Iterator[None]:
    """Passes over "no such container" and "not running": what was to be ended has ended."""
    import requests
    from docker.errors import APIError, DockerException, NotFound

    try:
        yield
    except NotFound:
        pass
    except APIError as refused:
        # 409: it does not run any more, or its removal is under way already.
        if refused.status_code != 409:
            raise SandboxError(f"The Docker engine refused to end a worker: {_short(refused)}.") from refused
    except (DockerException, requests.RequestException, OSError) as refused:
        raise SandboxError(
            f"The Docker engine did not answer while a worker was ended: {_short(refused)}."
        ) from refused


def _short(error: BaseException) -> str:
    explanation = getattr(error, "explanation", None) or str(error)
    text = " ".join(str(explanation).split()).rstrip(".")
    return text[:300] or type(error).__name__
