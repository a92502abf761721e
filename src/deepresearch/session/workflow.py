"""The order of a session's stages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from deepresearch.model.plan import Plan
from deepresearch.session.stages import Stages

Json: TypeAlias = Any
Run = Callable[[str, Callable[[], Awaitable[Json]]], Awaitable[Json]]


async def research(stages: Stages, step: Run) -> None:
    """Run all stages of one session through `step`, which makes each of them durable.

    Only the order of steps lives here, so that a resumed run takes the same path.
    """
    await step("load", stages.load)
    plan = Plan.model_validate(await step("plan", stages.plan))
    if stages.searches_the_web:
        await step("web", stages.web)
    await step("index", stages.index)
    # One step a sub-question: steps that run side by side must be started in a fixed order.
    await asyncio.gather(*(step(f"read:{sub.id}", _reader(stages, sub.id)) for sub in plan.sub_questions))
    requests = await step("compute", stages.choose_computations)
    for request_id in requests:
        await step(f"compute:{request_id}", _computer(stages, request_id))
    await step("write", stages.write)
    await step("verify", stages.verify)
    await step("report", stages.report)


def _reader(stages: Stages, sub_question: str) -> Callable[[], Awaitable[Json]]:
    async def read() -> Json:
        return await stages.read(sub_question)

    return read


def _computer(stages: Stages, request_id: str) -> Callable[[], Awaitable[Json]]:
    async def compute() -> Json:
        return await stages.compute(request_id)

    return compute
