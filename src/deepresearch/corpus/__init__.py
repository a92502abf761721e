"""Files to text with exact places, and text to passages."""

from __future__ import annotations

from deepresearch.corpus.discovery import discover
from deepresearch.corpus.file_names import source_name, source_path
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.loading import load, load_bytes
from deepresearch.corpus.many import load_many
from deepresearch.corpus.refusals import nothing_readable
from deepresearch.corpus.sentence_bounds import guess_language, sentences
from deepresearch.corpus.splitting import split

__all__ = [
    "LoadLimits",
    "discover",
    "guess_language",
    "load",
    "load_bytes",
    "load_many",
    "nothing_readable",
    "sentences",
    "source_name",
    "source_path",
    "split",
]
