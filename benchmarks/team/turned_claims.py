"""How often `team.turned` finds fault with claims that people judged: ``python -m benchmarks.team.turned_claims``.

WiCE dev beside short evidence, as a report cites it. A fault with a claim that people found supported is a false alarm.
"""

from __future__ import annotations

from collections import Counter

from benchmarks.evidence.public_sets import cited_only, wice
from deepresearch.evidence import check_support
from deepresearch.team.turned import turned


def main() -> None:
    """Print the counts."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for claim in map(cited_only, wice()):
        judged = "supported" if claim.whole else "in part" if claim.part else "not supported"
        band = check_support(claim.claim, claim.evidence).support.value
        counts[judged, band, "fault" if turned(claim.claim, claim.evidence) else "none"] += 1
    print(f"{'people say':<16}{'check says':<14}{'turned':<8}claims")
    for (judged, band, found), number in sorted(counts.items()):
        print(f"{judged:<16}{band:<14}{found:<8}{number}")


if __name__ == "__main__":
    main()
