"""What tokens cost, from a file that a person can replace."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepresearch.model.errors import UsageError


class Price(BaseModel):
    """US dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)


class Prices(BaseModel):
    """Prices by ``PROVIDER:MODEL``; a name that ends in ``*`` stands for all that begin so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    comment: str = ""
    models: dict[str, Price] = Field(default_factory=dict)

    def of(self, model: str) -> Price | None:
        """The price of a model, the longest name that fits; None when it is unknown."""
        if model in self.models:
            return self.models[model]
        fitting = [name for name in self.models if name.endswith("*") and model.startswith(name[:-1])]
        return self.models[max(fitting, key=len)] if fitting else None

    def cost(self, model: str, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars for a call; None when the price is unknown, 0 for a call that used nothing."""
        if not input_tokens and not output_tokens:
            return 0.0
        price = self.of(model)
        return None if price is None else (input_tokens * price.input + output_tokens * price.output) / 1_000_000


def load_prices(path: Path | None) -> Prices:
    """The prices of a file, or those that come with the package. Raises `UsageError` when the file is wrong."""
    if path is None:
        return Prices.model_validate_json((files(__package__) / "prices.json").read_text(encoding="utf-8"))
    try:
        return Prices.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error).splitlines()[0]
        raise UsageError(
            f"The price table {path} cannot be used: {first}. "
            'Write {"models": {"PROVIDER:MODEL": {"input": 1.0, "output": 2.0}}}, dollars for a million tokens.'
        ) from None
