"""DeepResearch: questions of your own documents, answered with checked citations and re-runnable numbers.

    from deepresearch import DeepResearch

Importing the package starts nothing and configures no logging.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deepresearch.session.service import DeepResearch as DeepResearch

__version__ = "0.1.0"

__all__ = ["DeepResearch", "__version__"]


def __getattr__(name: str) -> object:
    # Loaded on first use: the command's help must not wait for what runs sessions.
    if name == "DeepResearch":
        from deepresearch.session.service import DeepResearch

        return DeepResearch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
