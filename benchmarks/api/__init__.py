"""Measurements of the API."""
