"""What all roles work with: asking with its failures sorted, and the notes of what was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from deepresearch.team.model.address import Cast, Role
from deepresearch.team.model.budget import BudgetSpent
from deepresearch.team.model.calls import ModelOutage, ModelUnavailableError, TooLong
from deepresearch.team.model.ledger import Notebook
from deepresearch.team.model.structured import NoAnswer, Structured

Answer = TypeVar("Answer", bound=BaseModel)
Material = TypeVar("Material")

#: How often material is halved for a model whose context it does not fit.
_HALVINGS = 4


class Desk:
    """Asks for the roles, and takes down every decision and every way in which the cast did without a model."""

    def __init__(self, structured: Structured, notebook: Notebook, cast: Cast, *, stop_on_outage: bool) -> None:
        self._structured = structured
        self._notebook = notebook
        self._cast = cast
        self._stop_on_outage = stop_on_outage

    async def ask(
        self, role: Role, task: str, step: str, material: Mapping[str, Any], wanted: type[Answer], instead: str
    ) -> Answer | None:
        """The answer, or None when there is none to be had: the report's limits then say why, and what was done
        `instead`.

        Raises `ModelUnavailableError` when no model answers and the settings say to stop, and `ModelSettingError`.
        """
        return await self.ask_shorter(role, task, step, material, dict, lambda _: None, wanted, instead)

    async def ask_shorter(
        self,
        role: Role,
        task: str,
        step: str,
        material: Material,
        shown: Callable[[Material], Mapping[str, Any]],
        halved: Callable[[Material], Material | None],
        wanted: type[Answer],
        instead: str,
    ) -> Answer | None:
        """Like `ask`, with material that is `halved` while it does not fit into the model's context."""
        current: Material | None = material
        try:
            for _ in range(_HALVINGS + 1):
                if current is None:
                    break
                try:
                    answer = await self._structured.ask(role, task, step, shown(current), wanted)
                except TooLong:
                    current = halved(current)
                    self.decided(step, role, "shortened", {})
                    continue
                return answer
            self.limit(f"The {role}'s model could not take the material of {step}: it is too long for it; {instead}.")
        except NoAnswer as missing:
            self.limit(f"The {role}'s model gave no usable answer ({missing}); {instead}.")
        except BudgetSpent as spent:
            self.limit(
                f"{str(spent)[:1].upper()}{str(spent)[1:]}: what was left of the work was done without a language model."
            )
        except ModelOutage as outage:
            if self._stop_on_outage:
                raise ModelUnavailableError(
                    f"No language model answered: {outage}. What is done is kept; go on later with "
                    "`deepresearch sessions resume ID`."
                ) from None
            self.limit(f"No language model answered ({outage}); {instead}.")
        return None

    def decided(self, step: str, role: Role | str, what: str, data: Mapping[str, Any]) -> None:
        """Take down a decision. The role ``gate`` is the program's own check."""
        who = {"model": str(self._cast.of(role)[0])} if isinstance(role, Role) else {}
        self._notebook.note("team.decided", {"step": step, "role": str(role), "what": what, **who, **data})

    def limit(self, text: str) -> None:
        """Take down what the report has to admit."""
        self._notebook.note("team.limit", {"text": text})
