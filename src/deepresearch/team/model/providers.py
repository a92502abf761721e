"""From an address to a model that can be asked, through `pydantic-ai`; and what is wrong with an address, in words.

The provider's own retries are off: every request is one paid call, counted and repeated by `calls.py` alone.
"""

from __future__ import annotations

import ipaddress
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings
from deepresearch.team.model.address import PROVIDERS, Address, Cast

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model

#: What local servers that want no key are given in its place.
_NO_KEY = "no-key"


class NotAnApi(Exception):
    """The address answered with a web page."""


def check_cast(cast: Cast, settings: Settings) -> None:
    """Raise `UsageError` when a model of the cast could not even be asked: no key, no address, offline."""
    for address in cast.every():
        base = base_url(address, settings)
        if address.provider == "compatible" and base is None:
            raise UsageError(
                f"{address} needs an address. Set DEEPRESEARCH_MODEL_BASE_URL to that of the API, such as "
                "http://127.0.0.1:8000/v1."
            )
        if base is not None:
            named = {"ollama": "OLLAMA", "anthropic": "ANTHROPIC", "google": "GOOGLE"}.get(address.provider, "MODEL")
            _checked_url(base, f"DEEPRESEARCH_{named}_BASE_URL")
        if settings.offline and not _is_local(base):
            raise UsageError(
                f"DEEPRESEARCH_OFFLINE is set, so {address} cannot be asked. Use --team extractive, or a model on this "
                "machine."
            )
        if api_key(address, settings) is None:
            raise UsageError(
                f"{address} needs an API key. Set {PROVIDERS[address.provider]} (or DEEPRESEARCH_MODEL_API_KEY) in the "
                "environment or in .env."
            )


def base_url(address: Address, settings: Settings) -> str | None:
    """The address of the API, None for the provider's own."""
    return {
        "ollama": settings.ollama_base_url,
        "anthropic": settings.anthropic_base_url,
        "google": settings.google_base_url,
    }.get(address.provider, settings.model_base_url)


def api_key(address: Address, settings: Settings) -> str | None:
    """The key for an address; None where one is needed and none is set."""
    own = {
        "openai": settings.openai_api_key,
        "anthropic": settings.anthropic_api_key,
        "google": settings.google_api_key,
    }.get(address.provider)
    for secret in (settings.model_api_key if base_url(address, settings) else own, own, settings.model_api_key):
        if secret is not None and secret.get_secret_value().strip():
            return secret.get_secret_value().strip()
    return _NO_KEY if base_url(address, settings) is not None else None


def secrets(settings: Settings) -> list[str]:
    """All keys that are set, so that they can be struck out of what a provider says."""
    keys = (settings.model_api_key, settings.openai_api_key, settings.anthropic_api_key, settings.google_api_key)
    return [key.get_secret_value().strip() for key in keys if key is not None and key.get_secret_value().strip()]


def http_client(settings: Settings) -> httpx2.AsyncClient:
    """The client that all models of a session share. A web page as an answer raises `NotAnApi`."""
    import httpx2

    async def refuse_pages(response: Any) -> None:
        kind = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
        if kind in ("text/html", "application/xhtml+xml"):
            raise NotAnApi(str(response.request.url.copy_with(query=None)))

    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(settings.model_timeout_seconds, connect=10.0),
        event_hooks={"response": [refuse_pages]},
        follow_redirects=False,
    )


def build(address: Address, settings: Settings, client: httpx2.AsyncClient) -> Model:
    """The model at an address. Loads the provider's library, nothing else."""
    # What a model does not take (a temperature) is left out; a person need not be told for each call.
    warnings.filterwarnings("ignore", module=r"pydantic_ai\.")
    key = api_key(address, settings) or _NO_KEY
    base = base_url(address, settings)
    if address.provider == "anthropic":
        from anthropic import AsyncAnthropic
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        anthropic = AsyncAnthropic(api_key=key, base_url=base, http_client=client, max_retries=0)
        return AnthropicModel(address.model, provider=AnthropicProvider(anthropic_client=anthropic))
    if address.provider == "google":
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        return GoogleModel(address.model, provider=GoogleProvider(api_key=key, base_url=base, http_client=client))
    from openai import AsyncOpenAI
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.ollama import OllamaProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    openai = AsyncOpenAI(api_key=key, base_url=base, http_client=client, max_retries=0)
    provider = (
        OllamaProvider(openai_client=openai) if address.provider == "ollama" else OpenAIProvider(openai_client=openai)
    )
    # A stream that ends without saying why was cut off: what came of it is not taken for an answer.
    whole = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
    return OpenAIChatModel(address.model, provider=provider, profile=whole)


def _checked_url(url: str, name: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"{name} is {_without_secrets(url)!r}, which is no address of an API. Write it like "
            "http://127.0.0.1:8000/v1."
        )
    if parts.username or parts.password:
        raise UsageError(f"{name} holds a name or a password. Leave them out and set DEEPRESEARCH_MODEL_API_KEY.")


def _without_secrets(url: str) -> str:
    return url.rpartition("@")[2]


def _is_local(url: str | None) -> bool:
    if url is None:
        return False
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
