"""Which providers are asked, in which order, from the settings."""

from __future__ import annotations

from collections.abc import Callable

from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings
from deepresearch.web.providers.arxiv import Arxiv
from deepresearch.web.providers.brave import Brave
from deepresearch.web.providers.duckduckgo import DuckDuckGo
from deepresearch.web.providers.exa import Exa
from deepresearch.web.providers.searxng import SearXNG
from deepresearch.web.providers.tavily import Tavily
from deepresearch.web.providers.wikipedia import Wikipedia
from deepresearch.web.search import SearchProvider

#: What each provider needs from the settings, if anything.
NEEDS = {
    "searxng": "DEEPRESEARCH_SEARXNG_URL",
    "tavily": "DEEPRESEARCH_TAVILY_API_KEY",
    "brave": "DEEPRESEARCH_BRAVE_API_KEY",
    "exa": "DEEPRESEARCH_EXA_API_KEY",
    "duckduckgo": "",
    "wikipedia": "",
    "arxiv": "",
}


def provider_names(settings: Settings) -> list[str]:
    """The names to ask, in order. ``auto`` is whatever has its key or address, then DuckDuckGo, then Wikipedia.

    Raises `UsageError` for a name that does not exist or whose key is missing.
    """
    _checked_address(settings)
    asked = [name.strip().lower() for name in settings.web_search.split(",") if name.strip()]
    if asked in ([], ["auto"]):
        with_key = [name for name, need in NEEDS.items() if need and _value(settings, name)]
        return [*with_key, "duckduckgo", "wikipedia"]
    for name in asked:
        if name not in NEEDS:
            raise UsageError(
                f"DEEPRESEARCH_WEB_SEARCH names {name!r}, which is no search provider. Choose from: {', '.join(NEEDS)}."
            )
        if NEEDS[name] and not _value(settings, name):
            raise UsageError(f"The search provider {name} needs {NEEDS[name]}. Set it, or leave {name} out.")
    return list(dict.fromkeys(asked))


def _checked_address(settings: Settings) -> None:
    if settings.searxng_url and not settings.searxng_url.strip().startswith(("http://", "https://")):
        raise UsageError(
            f"DEEPRESEARCH_SEARXNG_URL is {settings.searxng_url!r}, which is no http or https address. "
            "Write it like http://127.0.0.1:8888."
        )


def providers(settings: Settings) -> list[SearchProvider]:
    """The providers, ready to be asked. Raises as `provider_names`."""
    make: dict[str, Callable[[str], SearchProvider]] = {
        "searxng": SearXNG,
        "tavily": Tavily,
        "brave": Brave,
        "exa": Exa,
        "duckduckgo": lambda _: DuckDuckGo(),
        "wikipedia": lambda _: Wikipedia(settings.web_language),
        "arxiv": lambda _: Arxiv(),
    }
    return [make[name](_value(settings, name)) for name in provider_names(settings)]


def _value(settings: Settings, name: str) -> str:
    match name:
        case "searxng":
            return (settings.searxng_url or "").strip()
        case "tavily":
            secret = settings.tavily_api_key
        case "brave":
            secret = settings.brave_api_key
        case "exa":
            secret = settings.exa_api_key
        case _:
            return ""
    return secret.get_secret_value().strip() if secret is not None else ""
