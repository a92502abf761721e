"""The sandbox: engine, image and its age, bubblewrap, control groups, known weaknesses, and whether it really draws."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from deepresearch.doctor.check import Finding, State, failed, ok, skipped, warning
from deepresearch.model.errors import DeepResearchError
from deepresearch.sandbox import PoolOptions, Sandbox
from deepresearch.sandbox.backend import Backend
from deepresearch.sandbox.backends import choose
from deepresearch.sandbox.cgroups import Cgroups
from deepresearch.sandbox.smoke import Outcome, smoke
from deepresearch.settings import Settings

#: An image older than this lacks months of security updates.
OLD_DAYS = 60

#: Seconds that drawing may take: Mermaid starts a browser.
DRAWING_SECONDS = 60.0


def back_ends(settings: Settings) -> Iterator[Finding]:
    """Each back end that the settings allow: whether it can run scripts, how old it is, what is weak about it."""
    try:
        chosen = choose(settings.sandbox_backend, settings)
    except DeepResearchError as unknown:
        yield failed("sandbox", str(unknown), "Set DEEPRESEARCH_SANDBOX_BACKEND to auto, docker or bubblewrap.")
        return
    usable = []
    findings: list[Finding] = []
    for backend in chosen:
        found, works = asyncio.run(_examined(backend))
        findings += found
        if works:
            usable.append(backend.name)
    if usable:
        # One that works is enough: what the other lacks is no failure.
        yield from (warning(one.name, one.detail, one.remedy) if one.state is State.FAILED else one for one in findings)
        yield ok("sandbox", f"Scripts run in {usable[0]}.")
    else:
        yield from findings
        yield failed(
            "sandbox",
            "No back end can run a script here: reports come without computed numbers and figures, and say so.",
            "Build one: `deepresearch sandbox build`, with a Docker engine running or bubblewrap installed.",
        )


async def _examined(backend: Backend) -> tuple[list[Finding], bool]:
    found: list[Finding] = []
    try:
        await backend.check()
    except DeepResearchError as missing:
        detail, _, remedy = str(missing).partition(". ")
        found.append(failed(backend.name, f"{detail.rstrip('.')}.", remedy or "See docs/sandbox.md."))
        await backend.close()
        return found, False
    try:
        current = next((one for one in await backend.runtimes() if one.current), None)
        if current is None:
            found.append(ok(backend.name, "Can run scripts."))
        else:
            found.append(_aged(backend.name, current.name, current.created))
        for weakness in await backend.warnings():
            sentence, _, remedy = weakness.rpartition(". ")
            found.append(
                warning(f"{backend.name} weakness", f"{sentence or weakness}.".replace("..", "."), remedy or weakness)
            )
    except DeepResearchError as refused:
        found.append(warning(backend.name, str(refused), "See docs/sandbox.md."))
    finally:
        await backend.close()
    return found, True


def _aged(name: str, runtime: str, created: str) -> Finding:
    try:
        age = (datetime.now(UTC) - datetime.fromisoformat(created)).days
    except (ValueError, TypeError):
        return ok(name, f"{runtime} is built.")
    if age > OLD_DAYS:
        return warning(
            name,
            f"{runtime} was built {age} days ago.",
            f"Build it anew for security updates: `deepresearch sandbox build --backend {name} --force`.",
        )
    return ok(name, f"{runtime}, built {age} days ago.")


def control_groups() -> Finding:
    """Whether memory and processes of a run can be bounded together (bubblewrap; the engine has its own)."""
    if shutil.which("bwrap") is None:
        return skipped("control groups", "bubblewrap is not installed; the engine makes its own.")
    groups = Cgroups.detect()
    try:
        if groups.mode == "none":
            return warning(
                "control groups",
                f"None can be made here{f': {groups.why}' if groups.why else ''}; memory is bounded for each process only.",
                "Run as root, or in a delegated group: `systemd-run --user --scope -p Delegate=yes deepresearch …`.",
            )
        return ok(
            "control groups", f"Version {groups.mode.removeprefix('v')} bounds memory and processes of a run together."
        )
    finally:
        groups.tidy()


def drawing(settings: Settings) -> Iterator[Finding]:
    """Whether Matplotlib, Graphviz and Mermaid with its Chromium draw in the sandbox, by drawing."""
    outcomes = asyncio.run(_drawn(settings))
    for outcome in outcomes:
        name = outcome.name
        if outcome.passed:
            yield ok(name, f"{outcome.detail}, in {outcome.duration_ms} ms.")
        elif outcome.unavailable:
            yield skipped(name, "There is no sandbox to draw in.")
        else:
            yield warning(
                name,
                outcome.detail,
                "Build the sandbox anew (`deepresearch sandbox build --force`)"
                + ("; Mermaid needs the image with its Chromium." if "Mermaid" in name else "."),
            )


async def _drawn(settings: Settings) -> list[Outcome]:
    # The doctor's own runs are no runs of the service: they are not recorded.
    async with Sandbox.open(settings, pool=PoolOptions(warm={}), recorder=lambda _result, _request: None) as sandbox:
        return await smoke(sandbox, timeout=20.0)
