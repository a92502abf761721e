"""The cast with a language model, behind the same protocol and the same gates as the one without."""

from deepresearch.team.model.budget import Caps
from deepresearch.team.model.ledger import CallKey, Ledger, Notebook, Outcome, Reply, Spent

__all__ = ["CallKey", "Caps", "Ledger", "Notebook", "Outcome", "Reply", "Spent"]
