"""The settings in force: each with its value, where that comes from, and nothing that is secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from deepresearch.model.base import Value
from deepresearch.settings import Settings

Origin = Literal["environment", ".env", "default"]

#: What stands in a password's place.
HIDDEN = "***"

_SECRET_PARAMETER = re.compile(r"(?i)([?&;][^=&;#]*(?:password|passwd|pwd|token|key|secret)[^=&;#]*=)[^&;#]*")


class SettingInForce(Value):
    """One setting. `variable` is the name it was found under (a provider's own name may be read too), None by default.

    `value` of a secret is ``set`` or None; passwords inside addresses are hidden.
    """

    name: str
    value: str | int | float | bool | None
    origin: Origin
    variable: str | None
    secret: bool
    description: str | None


def settings_in_force(settings: Settings) -> list[SettingInForce]:
    """What each setting is now, in the order of `Settings`, for settings that were just read from the environment."""
    # The same two readers, in the same order, that the settings themselves are read with.
    readers: list[tuple[Origin, EnvSettingsSource]] = [
        ("environment", EnvSettingsSource(Settings)),
        (".env", DotEnvSettingsSource(Settings)),
    ]
    return [_in_force(name, field, settings, readers) for name, field in Settings.model_fields.items()]


def _in_force(
    name: str, field: FieldInfo, settings: Settings, readers: list[tuple[Origin, EnvSettingsSource]]
) -> SettingInForce:
    own = f"{Settings.model_config['env_prefix']}{name}".upper()
    alias = field.validation_alias
    names = [str(one) for one in alias.choices] if isinstance(alias, AliasChoices) else [own]
    origin, variable = _found(names, readers)
    value = getattr(settings, name)
    return SettingInForce(
        name=own,
        value=_shown(value),
        origin=origin,
        variable=variable,
        secret="SecretStr" in str(field.annotation),
        description=field.description,
    )


def _found(names: list[str], readers: list[tuple[Origin, EnvSettingsSource]]) -> tuple[Origin, str | None]:
    for origin, reader in readers:
        for name in names:
            if reader.env_vars.get(name.lower()) is not None:
                return origin, name
    return "default", None


def _shown(value: object) -> str | int | float | bool | None:
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, str):
        return without_password(value)
    assert value is None or isinstance(value, int | float), "every setting is a text, a number, a switch or a path"
    return value


def without_password(text: str) -> str:
    """An address without what opens it: the password before the ``@``, and parameters named like a secret.

    A text that is no address stays as it is. A login of http without a colon is a token, so it is hidden whole.
    """
    scheme, is_address, rest = text.partition("://")
    if not is_address:
        return text
    # A password may hold any sign, an @ too: everything up to the last one belongs to the login.
    login, at, place = rest.rpartition("@")
    user, has_password, _ = login.partition(":")
    if has_password:
        login = f"{user}:{HIDDEN}"
    elif at and "/" not in login and scheme.lower().startswith("http"):
        login = HIDDEN
    return _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", f"{scheme}://{login}{at}{place}")
