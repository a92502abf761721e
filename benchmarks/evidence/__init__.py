"""Measurements of the evidence room on public, human-labelled sets and on planted ones."""
