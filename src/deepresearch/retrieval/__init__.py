"""Finding passages by words and by meaning. Engines load when they are first used."""

from deepresearch.retrieval.diversity import mmr, without_near_duplicates
from deepresearch.retrieval.embedded import EmbeddedIndex, remove_index
from deepresearch.retrieval.fusion import Fusion
from deepresearch.retrieval.index import Filters, Index

__all__ = ["EmbeddedIndex", "Filters", "Fusion", "Index", "mmr", "remove_index", "without_near_duplicates"]
