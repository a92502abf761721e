"""The HTTP API and its page in the browser."""

from deepresearch.api.app import create_app
from deepresearch.api.serving import serve

__all__ = ["create_app", "serve"]
