"""The order of a session's stages.

Every stage is stored when it ends and not run again, so the same functions run a new session, one that was
interrupted anywhere, and one that has only to be written down.
"""

from __future__ import annotations

import asyncio

from deepresearch.model.plan import Plan
from deepresearch.session.budgets import BudgetSpent, Cut
from deepresearch.session.stages import Stages


async def research(stages: Stages, steps: int | None = None) -> None:
    """Look for everything the question asks for, and compute. Raises `BudgetSpent` when a budget does not suffice.

    `steps` bounds searches and runs together. The first in the plan's order are made, whatever was done before, so
    that a resumed session takes the same way.
    """
    await stages.load()
    plan = Plan.model_validate(await stages.plan())
    await stages.web()
    await stages.index()
    wanted = plan.sub_questions if steps is None else plan.sub_questions[:steps]
    await _all([stages.read(sub.id) for sub in wanted])
    if len(wanted) < len(plan.sub_questions):
        raise BudgetSpent(Cut.STEPS)
    requests = await stages.choose_computations()
    for number, request_id in enumerate(requests, start=len(wanted) + 1):
        if steps is not None and number > steps:
            raise BudgetSpent(Cut.STEPS)
        await stages.compute(request_id)


async def conclude(stages: Stages) -> None:
    """Write what was found, verify every sentence, and put the report together."""
    await stages.write()
    await stages.verify()
    await stages.report()


async def _all(works: list) -> None:  # type: ignore[type-arg]
    """Run side by side; when one fails the others are stopped before the failure goes on."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
