"""Casts by name."""

from __future__ import annotations

from deepresearch.settings import Settings
from deepresearch.team.extractive import ExtractiveTeam
from deepresearch.team.model.budget import Caps
from deepresearch.team.model.ledger import Ledger, Notebook
from deepresearch.team.protocol import Team

EXTRACTIVE = "extractive"


def check_team(name: str, settings: Settings) -> None:
    """Raise `UsageError` when there is no such cast, or what it needs (a key, an address) is not set."""
    if name != EXTRACTIVE:
        from deepresearch.team.model.address import cast_of
        from deepresearch.team.model.prices import load_prices
        from deepresearch.team.model.prompting import Prompts
        from deepresearch.team.model.providers import check_cast

        check_cast(cast_of(name, settings), settings)
        load_prices(settings.model_prices)
        Prompts(settings.prompts)


def cast(
    name: str,
    settings: Settings,
    ledger: Ledger,
    notebook: Notebook,
    caps: Caps,
    *,
    session_id: str = "",
    private: bool = False,
) -> Team:
    """The cast of this name. A model's calls are kept in `ledger`, its decisions in `notebook`.

    With `private` no word of the documents goes into a search.
    Raises `UsageError` as `check_team` does.
    """
    if name == EXTRACTIVE:
        return ExtractiveTeam()
    from deepresearch.team.model.team import ModelTeam

    return ModelTeam(name, settings, ledger, notebook, caps, session_id=session_id, private=private)
