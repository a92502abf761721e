"""Which model thinks in which role: ``PROVIDER:MODEL``, per-role exceptions and a second model to fall back on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings


class Role(StrEnum):
    """The members of the cast."""

    PLANNER = "planner"
    READER = "reader"
    MATHEMATICIAN = "mathematician"
    WRITER = "writer"
    CRITIC = "critic"


#: Providers by name, with the setting that holds their key; None where none is needed.
PROVIDERS: dict[str, str | None] = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "google": "GOOGLE_API_KEY",
    "ollama": None,
    "compatible": None,
}


@dataclass(frozen=True)
class Address:
    """A model at a provider."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True)
class Cast:
    """The models of one session: `main` for every role without one of its own, `second` when the first fails."""

    main: Address
    roles: dict[Role, Address]
    second: Address | None

    def of(self, role: Role) -> list[Address]:
        """The models to ask for a role, in order."""
        first = self.roles.get(role, self.main)
        return [first] if self.second is None or self.second == first else [first, self.second]

    def every(self) -> list[Address]:
        """All models that may be asked."""
        found = [self.main, *self.roles.values(), *([self.second] if self.second else [])]
        return list(dict.fromkeys(found))


def parse_address(text: str) -> Address:
    """``PROVIDER:MODEL`` as an address. Raises `UsageError` for an unknown provider or a missing part."""
    provider, colon, model = text.strip().partition(":")
    if provider not in PROVIDERS:
        raise UsageError(
            f"There is no team {text.strip()!r}. Use extractive, or PROVIDER:MODEL with one of the providers "
            f"{', '.join(PROVIDERS)}."
        )
    if not colon or not model.strip():
        raise UsageError(
            f"{text.strip()!r} names no model. Write {provider}:MODEL, with the model's name as {provider} calls it."
        )
    return Address(provider, model.strip())


def cast_of(team: str, settings: Settings) -> Cast:
    """The models of a team by its name and the settings. Raises `UsageError` for a wrong name or role."""
    roles: dict[Role, Address] = {}
    for entry in filter(None, (part.strip() for part in settings.model_roles.split(","))):
        name, equals, address = entry.partition("=")
        if not equals or name.strip() not in set(Role):
            raise UsageError(
                f"DEEPRESEARCH_MODEL_ROLES holds {entry!r}. Write ROLE=PROVIDER:MODEL with one of the roles "
                f"{', '.join(Role)}, and commas between."
            )
        roles[Role(name.strip())] = parse_address(address)
    second = parse_address(settings.model_second) if settings.model_second.strip() else None
    return Cast(main=parse_address(team), roles=roles, second=second)
