"""Measurements of the casts."""
