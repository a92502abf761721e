"""The short answer: the leading claims' own sentences, each with its mark."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.model.evidence import Claim, Support

#: The whole answer when nothing was found.
NOT_FOUND = "Not in these sources."

_CARRIED = frozenset({Support.SUPPORTED, Support.PARTIAL})


def short_answer(claims: Sequence[Claim], lead: Sequence[str]) -> str:
    """The sentences of the claims named in `lead` that their evidence carries; `NOT_FOUND` when there is none."""
    chosen = [claim for claim in claims if claim.id in set(lead) and claim.support in _CARRIED]
    chosen = chosen or [claim for claim in claims if claim.support in _CARRIED][:2]
    if not chosen:
        return NOT_FOUND
    return " ".join(f"{claim.text.rstrip()} [{claim.id}]" for claim in chosen)
