"""Durable research sessions: kept through crashes, resumed at the last finished stage."""
