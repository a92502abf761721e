"""What the API counts: requests, how long they took, and whom it turned away."""

from __future__ import annotations

from opentelemetry import metrics


class Measures:
    """The instruments of one server. Routes are their patterns, so that no id becomes a label."""

    def __init__(self) -> None:
        meter = metrics.get_meter("deepresearch.api")
        self._requests = meter.create_counter("deepresearch.api.requests", description="Requests answered.")
        self._seconds = meter.create_histogram(
            "deepresearch.api.request.duration", unit="s", description="Seconds until an answer was complete."
        )
        self._refused = meter.create_counter(
            "deepresearch.api.refused", description="Requests turned away: for their rate, or for want of a token."
        )
        self._wrong_tokens = meter.create_counter(
            "deepresearch.api.wrong_tokens", description="Tokens presented that nobody has."
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        known = method if method in _METHODS else "other"
        self._requests.add(1, {"method": known, "route": route, "status": status})
        self._seconds.record(seconds, {"method": known, "route": route})

    def refused(self, kind: str) -> None:
        """One request was turned away."""
        self._refused.add(1, {"kind": kind})

    def wrong_token(self) -> None:
        """A token that nobody has was presented."""
        self._wrong_tokens.add(1)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
