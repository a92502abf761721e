"""Measurements of the product, each a module to run with `python -m`."""
