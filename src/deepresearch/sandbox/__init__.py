"""Runs untrusted Python locked down, and answers with a result or a clear failure."""

from deepresearch.sandbox.contract import (
    Limits,
    Output,
    ProfileName,
    Reason,
    Rejected,
    SandboxRequest,
    SandboxResult,
    Status,
    Usage,
)
from deepresearch.sandbox.core import Sandbox
from deepresearch.sandbox.pool import PoolOptions

__all__ = [
    "Limits",
    "Output",
    "PoolOptions",
    "ProfileName",
    "Reason",
    "Rejected",
    "Sandbox",
    "SandboxRequest",
    "SandboxResult",
    "Status",
    "Usage",
]
