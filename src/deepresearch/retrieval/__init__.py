"""Finding passages by words and by meaning. Engines load when they are first used."""

from deepresearch.retrieval.embedded import EmbeddedIndex
from deepresearch.retrieval.index import Filters, Index

__all__ = ["EmbeddedIndex", "Filters", "Index"]
