"""Runs untrusted Python locked down, and answers with a result or a clear failure."""
