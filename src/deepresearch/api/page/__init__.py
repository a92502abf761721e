"""``/``: ask, watch and read in a browser."""

from deepresearch.api.page.serving import router

__all__ = ["router"]
