"""What a report admits about its use of the web."""

from __future__ import annotations

from collections import Counter
from typing import Any

from deepresearch.session.web_records import WebGathered

#: Pages named one by one; the rest is counted.
_NAMED = 8


def web_limits(gathered: WebGathered) -> list[str]:
    """Sentences: how much of the web was looked at, which services failed, which pages could not be had."""
    said = [_extent(gathered)]
    failures = Counter(failure for search in gathered.searches for failure in search.failures)
    said += [f"The search service {failure} ({_times(count)})." for failure, count in failures.items()]
    for page in gathered.refused[:_NAMED]:
        said.append(f"{page.url[:200]} was not read: {page.reason}.")
    if len(gathered.refused) > _NAMED:
        said.append(f"{len(gathered.refused) - _NAMED} more pages of the web could not be read.")
    return said


def web_told(gathered: WebGathered) -> dict[str, Any]:
    """What the event of a stage tells about its use of the web."""
    failures = sorted({failure for search in gathered.searches for failure in search.failures})
    return {
        "queries": [
            {"query": search.query, "provider": search.provider, "results": len(search.urls)}
            for search in gathered.searches
        ],
        "pages": [{"url": page.source, "sha256": page.sha256} for page in gathered.pages],
        "not_read": [page.model_dump() for page in gathered.refused],
        "left_out": gathered.left_out,
        "note": f"Search services failed: {'; '.join(failures)}" if failures else "",
    }


def _extent(gathered: WebGathered) -> str:
    asked = Counter(search.provider for search in gathered.searches if search.provider)
    pages = len(gathered.pages)
    if not asked:
        return "The web was to be searched and no search service answered, so nothing of it was looked at."
    names = " and ".join(asked)
    left = f"; {gathered.left_out} more results were left out" if gathered.left_out else ""
    return (
        f"Of the web only what {names} named was looked at: {pages} page{'' if pages == 1 else 's'} "
        f"for {len(gathered.searches)} quer{'y' if len(gathered.searches) == 1 else 'ies'}{left}."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
