"""Metrics pages as values that can be compared."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read_page(page: bytes) -> Series:
    """Every sample of a page by its name and labels."""
    return {
        (sample.name, frozenset((key, _bound(key, text)) for key, text in sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.decode("utf-8"))
        for sample in family.samples
    }


def _bound(label: str, text: str) -> str:
    # Some exporters write the bound of a bucket as 1 and some as 1.0.
    return str(float(text)) if label == "le" else text


def names(series: Series) -> set[str]:
    """The names of the series."""
    return {name for name, _ in series}


def only(series: Series, prefix: str, without: frozenset[str] = frozenset()) -> Series:
    """Series whose name begins with `prefix`, without some labels (their values are added up)."""
    kept: Series = {}
    for (name, labels), value in series.items():
        if name.startswith(prefix) and not name.endswith("_created"):
            key = (name, frozenset(pair for pair in labels if pair[0] not in without))
            kept[key] = kept.get(key, 0.0) + value
    return kept
