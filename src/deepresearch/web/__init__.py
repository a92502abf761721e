"""Searching and fetching: search providers behind one interface, and a fetcher that goes only where it may."""

from __future__ import annotations

from deepresearch.web.client import Web, checked_settings
from deepresearch.web.fetcher import Fetcher
from deepresearch.web.limits import WebLimits
from deepresearch.web.page import Page
from deepresearch.web.policy import Policy
from deepresearch.web.resolving import Resolver, SystemResolver
from deepresearch.web.search import Failover, Found, SearchProvider, SearchResult

__all__ = [
    "Failover",
    "Fetcher",
    "Found",
    "Page",
    "Policy",
    "Resolver",
    "SearchProvider",
    "SearchResult",
    "SystemResolver",
    "Web",
    "WebLimits",
    "checked_settings",
]
