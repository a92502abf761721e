"""Measurements of durable sessions: random kills, and what the keeping of records costs."""
