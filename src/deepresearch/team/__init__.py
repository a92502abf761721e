"""Who thinks: planner, reader, mathematician and writer behind one protocol."""

from deepresearch.team.protocol import Draft, DraftClaim, Finding, Reading, Team

__all__ = ["Draft", "DraftClaim", "Finding", "Reading", "Team"]
